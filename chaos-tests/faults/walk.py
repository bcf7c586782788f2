"""Every write and every flush of the store, one after the other, as the moment at which something goes wrong.

A fixed scenario is played against a real service whose system calls on its database are traced (strace). In round N the
N-th of these calls kills the service, or fails with EIO or ENOSPC. The service is started again where it has ended, the
client comes back to its session, and then is checked what must hold: every call has one answer, nothing that must not
run twice has, what was said not to have been executed was not, and nobody is told "unknown" of what never began.

    walk.py PROGRAM FOLDER [kill|eio|enospc ...]
"""

import json
import pathlib
import subprocess
import sys
import threading
import time

import standin

# What the store's files are written, flushed, made larger and cut with.
CALLS = "pwrite64,write,fdatasync,fsync,ftruncate"

FAULTS = {"kill": "signal=KILL", "eio": "error=EIO", "enospc": "error=ENOSPC"}

# The calls of the scenario, one after the other: a method, which is named after its class, and perhaps a key.
SCENARIO = [
    ("chaos.never", None),
    ("chaos.until_effect", None),
    ("chaos.always", None),
    ("chaos.never", "order-1"),
    ("chaos.until_effect", "order-2"),
    ("chaos.always", "order-3"),
]

LIMIT = 60.0


class Service:
    """A service in a folder of its own, begun under strace."""

    def __init__(self, program, folder, fault, number):
        self.program, self.folder = program, folder
        folder.mkdir(parents=True)
        self.endpoint, self.ledger = str(folder / "s"), folder / "ledger"
        (folder / "standin.toml").write_text(
            f"[endpoint]\npath = '{self.endpoint}'\n[state]\ndir = '{folder / 'state'}'\n"
            "[pools.builtin]\nenabled = false\n"
            f"[pools.chaos]\ncommand = ['{program}', 'hostile-worker']\n"
            f"environment = {{ CHAOS_LEDGER = '{self.ledger}', CHAOS_START = '' }}\n"
            "workers = { min = 1, max = 1, spare = 1 }\n"
        )
        self.lives, self.closing = 0, False
        files = [str(folder / "state" / name) for name in ("standin.db", "standin.db-wal", "standin.db.new")]
        paths = [part for file in files for part in ("-P", file)]
        inject = f"inject={CALLS}:{FAULTS[fault]}:when={number}"
        # -D: the service, and not strace, is what is started and ended.
        tracer = ["strace", "-D", "-f", "-qq", "-o", str(folder / "trace"), "-e", f"trace={CALLS}", "-e", inject, *paths]
        self.process = self.begin(tracer)
        self.keeper = threading.Thread(target=self.keep)
        self.keeper.start()

    def begin(self, tracer):
        with open(self.folder / "log", "ab") as log:
            command = [*tracer, self.program, "serve", "--config", str(self.folder / "standin.toml")]
            self.lives += 1
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def keep(self):
        """Starts it again whenever it ends, as a service manager would."""
        while True:
            self.process.wait()
            if self.closing:
                return
            self.process = self.begin([])

    def close(self):
        self.closing = True
        self.process.terminate()
        self.keeper.join()

    def was_hit(self):
        return "(INJECTED)" in (self.folder / "trace").read_text(errors="replace") or self.lives > 1

    def count(self, number, step):
        # Each worker writes a file of its own.
        lines = [line for file in self.ledger.glob("*") for line in file.read_text().splitlines()]
        entries = [json.loads(line) for line in lines]
        return sum(entry["id"] == number and entry["step"] == step for entry in entries)


def play(service):
    """Makes the calls. Gives what each was answered: a result, or an error."""
    answers = []
    with standin.connect(service.endpoint, timeout=LIMIT) as client:
        for number, (method, key) in enumerate(SCENARIO, 1):
            try:
                answers.append(client.call(method, id=number, nonce=number, key=key, timeout=LIMIT))
            except standin.StandinError as error:
                answers.append(error)
    return answers


def check(service, answers):
    """What must hold, whatever went wrong. Gives the number of calls of which nobody knows."""
    unknown = 0
    for number, ((method, _), answer) in enumerate(zip(SCENARIO, answers), 1):
        begun, effects = service.count(number, "Begun"), service.count(number, "Effect")
        told = f"call {number} ({method}) was answered {answer!r}; begun {begun} times, effects {effects}"
        if method == "chaos.never":
            assert begun <= 1, told
        assert method == "chaos.always" or effects <= 1, told
        if not isinstance(answer, Exception):
            assert answer == number and begun >= 1, told
        elif answer.outcome is standin.Outcome.NOT_EXECUTED:
            assert effects == 0 and (method != "chaos.never" or begun == 0), told
        else:
            assert method != "chaos.always", told
            assert service.was_hit(), told
            unknown += 1
    return unknown


def walk(program, folder, fault):
    number, unknown, restarts = 0, 0, 0
    while True:
        number += 1
        service = Service(program, folder / f"{fault}-{number}", fault, number)
        try:
            answers = play(service)
            hit = service.was_hit()
            unknown += check(service, answers)
        except BaseException:
            print(f"{fault} at call {number} of the store:\n" + (service.folder / "log").read_text()[-4000:])
            raise
        finally:
            service.close()
        restarts += service.lives - 1
        if not hit:
            break
    rounds = number - 1
    print(f"{fault}: {rounds} moments, {restarts} restarts, {rounds * len(SCENARIO)} calls, {unknown} unknown")
    assert rounds > 10, "the store was hardly written to"


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    begin = time.monotonic()
    for fault in sys.argv[3:] or FAULTS:
        walk(program, folder, fault)
    print(f"took {time.monotonic() - begin:.0f} s")


main()
