"""The blocking client's pipe of Windows, over something that takes the same calls and answers them as Windows promises.
It shows that the calls are made in the right order, and nothing about Windows."""

import importlib
import socket
import sys
import threading
import types

import pytest
from fake import Fake, in_background

import standin

INCOMPLETE, ABORTED, PENDING = 996, 995, 997


class Overlapped:
    """Something under way: a thread does it."""

    def __init__(self, work, cancel):
        self.event, self.work, self.stop = threading.Event(), work, cancel
        self.error, self.result, self.aborted = None, b"", False
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        try:
            self.result = self.work()
        except OSError as error:
            self.error = error
        with SIGNAL:
            self.event.set()
            SIGNAL.notify_all()

    def GetOverlappedResult(self, wait):
        if not self.event.wait(10 if wait else 0):
            return 0, INCOMPLETE
        if self.aborted:
            return 0, ABORTED
        if self.error is not None:
            raise self.error
        return len(self.result), 0

    def getbuffer(self):
        assert self.event.is_set()
        return self.result

    def cancel(self):
        if not self.event.is_set():
            self.aborted = True
            self.stop()


SIGNAL = threading.Condition()


def read_file(pipe, size, overlapped):
    assert overlapped

    def read():
        data = pipe.recv(size)
        if not data:
            raise BrokenPipeError
        return data

    return Overlapped(read, lambda: pipe.shutdown(socket.SHUT_RD)), PENDING


def write_file(pipe, data, overlapped):
    assert overlapped and isinstance(data, bytes)

    def write():
        pipe.sendall(data)
        return data

    return Overlapped(write, lambda: pipe.shutdown(socket.SHUT_WR)), PENDING


def create_file(path, access, share, security, disposition, flags, template):
    assert (access, disposition, flags) == (0xC000_0000, 3, 0x4011_0000)
    pipe = socket.socket(socket.AF_UNIX)
    pipe.connect(path)
    return pipe


def wait_for_multiple_objects(events, every, milliseconds):
    assert not every
    limit = None if milliseconds == 0xFFFF_FFFF else milliseconds / 1000
    with SIGNAL:
        SIGNAL.wait_for(lambda: any(event.is_set() for event in events), limit)


@pytest.fixture(autouse=True)
def windows(monkeypatch):
    winapi = types.ModuleType("_winapi")
    winapi.GENERIC_READ, winapi.GENERIC_WRITE, winapi.FILE_FLAG_OVERLAPPED = 0x8000_0000, 0x4000_0000, 0x4000_0000
    winapi.OPEN_EXISTING, winapi.NULL, winapi.INFINITE = 3, 0, 0xFFFF_FFFF
    winapi.CreateFile, winapi.ReadFile, winapi.WriteFile = create_file, read_file, write_file
    winapi.WaitForMultipleObjects = wait_for_multiple_objects
    winapi.CloseHandle = lambda pipe: pipe.close()
    monkeypatch.setitem(sys.modules, "_winapi", winapi)
    monkeypatch.setattr("standin.blocking.Connection", importlib.import_module("standin._windows").PipeConnection)


def test_it_is_read_while_it_is_written(fake):
    def service():
        peer = fake.greets()
        for _ in range(300):
            echo = peer.asked("echo")
            peer.answer(echo, echo[3][0]["text"])
        told = list(iter(peer.next, None))
        assert told[-1] == [2, "standin.goodbye", []]

    verdict = in_background(service)
    text = "x" * 10_000
    with standin.connect(fake.path) as client:
        pending = [client.start("echo", text=text, timeout=20) for _ in range(300)]
        assert all(call.wait() == text for call in pending)
    verdict.result()


def test_a_pipe_that_ends_is_opened_again_and_what_was_written_is_said_again(fake):
    def service():
        peer = fake.greets()
        peer.asked("order")
        peer.closes()
        fake.goes_away()
        peer = Fake(fake.path).resumed()
        peer.answer(peer.asked("order"), "done")

    verdict = in_background(service)
    with standin.connect(fake.path) as client:
        assert client.call("order") == "done"
    verdict.result()


def test_whoever_waits_with_a_limit_finds_what_has_come_meanwhile(fake):
    go_on = threading.Event()

    def service():
        peer = fake.greets()
        order = peer.asked("order")
        assert go_on.wait(20)
        peer.answer(order, "done")

    verdict = in_background(service)
    with standin.connect(fake.path) as client:
        pending = client.start("order")
        with pytest.raises(TimeoutError):
            pending.wait(0.05)
        go_on.set()
        assert pending.wait() == "done"
    verdict.result()


def test_a_service_that_takes_nothing_holds_nobody(fake):
    verdict = in_background(fake.greets)
    client = standin.connect(fake.path)
    peer = verdict.result()
    pending = client.start("order", text="x" * (8 << 20), timeout=0.2)
    fake.goes_away()
    peer.closes()
    with pytest.raises(standin.DeadlineExceeded) as raised:
        pending.wait()
    assert raised.value.outcome is standin.Outcome.NOT_EXECUTED
    client.close()
