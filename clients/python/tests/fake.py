"""A service of a few lines, which does nothing that a test did not tell it to; and both clients behind one face."""

import asyncio
import concurrent.futures
import os
import select
import socket
import threading

import msgpack

import standin

# Far more than anything here takes; a test that reaches it has failed.
LIMIT = 30.0

TOKEN = "00112233445566778899aabbccddeeff"


class Fake:
    """It listens."""

    def __init__(self, path):
        self.path = str(path)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(16)
        self.listener.settimeout(LIMIT)

    def accept(self):
        return Peer(self.listener.accept()[0])

    def greets(self, *, token=TOKEN, resumed=False, limits=None):
        """A client comes, says hello, and is let in."""
        peer = self.accept()
        peer.welcome(peer.asked("standin.hello"), token=token, resumed=resumed, limits=limits)
        return peer

    def resumed(self):
        """A client comes back with its session, and that goes on."""
        peer = self.accept()
        hello = peer.asked("standin.hello")
        assert hello[3][0].get("session") == TOKEN
        peer.welcome(hello, resumed=True)
        assert peer.next()[:2] == [2, "standin.ack"]
        return peer

    def loses(self, method, *, answered=False):
        """A client comes and asks that; its connection is lost before it has an answer, or after."""
        peer = self.greets()
        request = peer.asked(method)
        if answered:
            peer.answer(request)
        peer.closes()

    def goes(self, method, *, answered=False):
        """The same, and nobody is there any more."""
        self.loses(method, answered=answered)
        self.goes_away()

    def goes_on(self, method):
        """The client comes back, asks that, and is answered."""
        peer = self.resumed()
        peer.answer(peer.asked(method), "done")

    def is_back(self, method):
        """The same, where nobody was there."""
        Fake(self.path).goes_on(method)

    def somebody_connects(self):
        return bool(select.select([self.listener], [], [], 0)[0])

    def hears_nothing(self):
        """Somebody connects and says nothing."""
        with socket.socket(socket.AF_UNIX) as somebody:
            somebody.connect(self.path)

    def goes_away(self):
        os.unlink(self.path)
        self.listener.close()


class Peer:
    """A client, seen from the service."""

    def __init__(self, connection):
        self.connection = connection
        self.connection.settimeout(LIMIT)
        self.unpacker = msgpack.Unpacker(max_buffer_size=1 << 30)

    def next(self):
        """The client's next message; ``None``: it has closed."""
        while True:
            for message in self.unpacker:
                return message
            try:
                data = self.connection.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return None
            self.unpacker.feed(data)

    def asked(self, method):
        message = self.next()
        assert message is not None and message[0] == 0 and message[2] == method, message
        return message

    def send(self, message):
        self.connection.sendall(msgpack.packb(message))

    def welcome(self, hello, *, token=TOKEN, resumed=False, limits=None):
        self.send([1, hello[1], None, {"session": token, "resumed": resumed, "limits": limits or {}}])

    def answer(self, request, result=None):
        self.send([1, request[1], None, result])

    def refuse(self, request, code, outcome="not_executed"):
        self.send([1, request[1], [6, "It will not.", {"code": code, "outcome": outcome}], None])

    def closes(self):
        self.connection.close()


def in_background(script):
    """Does it in a thread. Its result is the service's verdict: ask for it."""
    verdict = concurrent.futures.Future()

    def run():
        try:
            verdict.set_result(script())
        except BaseException as error:  # noqa: BLE001 - whoever asks for the verdict gets it
            verdict.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return verdict


class Blocking:
    """The blocking client as it is."""

    def __init__(self, path, **options):
        self.client = standin.connect(path, **options)
        self.start, self.call = self.client.start, self.client.call
        self.end = self.close = self.client.close


class Asyncio:
    """The other one, in a loop of its own."""

    def __init__(self, path, **options):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        try:
            self.client = self.run(standin.aio.connect(path, **options))
        except BaseException:
            self.stop()
            raise

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(LIMIT)

    def start(self, *arguments, **named):
        return Started(asyncio.run_coroutine_threadsafe(self.client.call(*arguments, **named), self.loop))

    def call(self, *arguments, **named):
        return self.start(*arguments, **named).wait()

    def end(self):
        self.run(self.client.close())

    def close(self):
        """The same, and nothing comes after it."""
        self.end()
        self.stop()

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


class Started:
    """A call of the other one."""

    def __init__(self, future):
        self.future = future

    def wait(self, timeout=LIMIT):
        return self.future.result(timeout)

    def cancel(self):
        self.future.cancel()
