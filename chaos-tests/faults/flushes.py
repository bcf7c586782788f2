"""How often the store writes and flushes for a call of each kind, as the system sees it.

Each kind of call is made a few times against a service whose system calls on its database are traced (strace). By the
time a call is answered there must have been as many commits to the write-ahead log, and as many flushes of it, as its
promise needs: no more, since each costs everybody time, and no less.

    flushes.py PROGRAM FOLDER
"""

import itertools
import pathlib
import re
import sys
import time

import standin
from service import Service

CALLS = "pwrite64,write,fdatasync,fsync,ftruncate"

# A frame of the log is written as its head and its page. A head that names the size of the database ends a commit.
HEAD = 24
LINE = re.compile(r'^\d+ +(?P<call>\w+)\(\d+<(?P<file>[^>]*)>(, "(?P<bytes>[^"]*)"(\.\.\.)?, (?P<length>\d+))?')
FLUSHED = re.compile(r"^\d+ +(<\.\.\. )?(fdatasync|fsync)( resumed|\()[^=]*= 0$")

TIMES = 5
LATER = 1 << 45
EFFECT = {"misbehave": ""}
NO_EFFECT = {"misbehave": "no_effect"}
JOB = {"method": "chaos.never", "params": [{"id": 1, "nonce": 1}], "run_at": LATER}

# What is called, with what, with a key or not; commits and flushes before its answer.
KINDS = [
    ("always", "chaos.always", {}, False, 0, 0),
    ("until_effect, no effect", "chaos.until_effect", NO_EFFECT, False, 1, 0),
    ("until_effect", "chaos.until_effect", EFFECT, False, 2, 0),
    ("never", "chaos.never", {}, False, 2, 0),
    ("always, key", "chaos.always", {}, True, 1, 1),
    ("until_effect, no effect, key", "chaos.until_effect", NO_EFFECT, True, 1, 1),
    ("until_effect, key", "chaos.until_effect", EFFECT, True, 2, 2),
    ("never, key", "chaos.never", {}, True, 2, 2),
    ("job", "job.submit", JOB, False, 1, 1),
    ("job, key", "job.submit", JOB, True, 1, 1),
]


def unhex(text):
    """What strace has written in hex."""
    return bytes.fromhex(text.replace("\\x", ""))


class Traced(Service):
    """A service under strace."""

    def __init__(self, program, folder):
        self.trace = folder / "trace"
        files = [str(folder / "state" / name) for name in ("standin.db", "standin.db-wal")]
        paths = [part for file in files for part in ("-P", file)]
        options = ["-D", "-f", "-qq", "-y", "-xx", "-s", str(HEAD), "-o", str(self.trace), "-e", f"trace={CALLS}"]
        super().__init__(program, folder, wrapper=["strace", *options, *paths])

    def seen(self, since=0):
        """What was seen since that line: commits, flushes that have ended, what was written to the database, lines."""
        lines = self.trace.read_text(errors="replace").splitlines()
        commits, in_database = 0, 0
        for line in lines[since:]:
            found = LINE.match(line)
            if found is None:
                continue
            in_database += unhex(found["file"]).endswith(b"standin.db")
            head = unhex(found["bytes"]) if found["length"] == str(HEAD) else b""
            commits += any(head[4:8])
        flushes = sum(FLUSHED.match(line) is not None for line in lines[since:])
        return commits, flushes, in_database, len(lines)

    def close(self):
        self.process.terminate()
        self.process.wait()


def measure(service, client, numbers, kind):
    """What one call costs."""
    name, method, arguments, has_key, _, _ = kind
    for number in itertools.islice(numbers, 20):
        if not method.startswith("job."):
            arguments = {**arguments, "id": number, "nonce": number}
        key = f"{name} {number}" if has_key else None
        *_, before = service.seen()
        client.call(method, arguments, key=key, timeout=60)
        commits, flushes, in_database, _ = service.seen(before)
        # The log was emptied in that moment, as the machine is slow: that is not what the call costs.
        if in_database == 0:
            return commits, flushes
    raise AssertionError(f"{name}: the log was emptied again and again")


def each_kind(service, numbers):
    for kind in KINDS:
        name, *_, commits, flushes = kind
        # A session of its own, so that nothing of the others is acknowledged in it.
        with standin.connect(service.endpoint, timeout=60) as client:
            for _ in range(TIMES):
                found = measure(service, client, numbers, kind)
                assert found == (commits, flushes), f"{name}: {found} commits and flushes, not {(commits, flushes)}"
        print(f"{name}: {commits} commits, {flushes} flushes")


def after_a_pause(service, numbers):
    """The log is emptied while nobody wants anything. Whoever comes then does not pay for it."""
    for kind in KINDS:
        name, *_, commits, flushes = kind
        if commits == 0:
            continue
        with standin.connect(service.endpoint, timeout=60) as client:
            measure(service, client, numbers, kind)
            wait_for_an_empty_log(service)
            found = measure(service, client, numbers, kind)
            assert found == (commits, flushes), f"{name}, after a pause: {found}, not {(commits, flushes)}"
    print("the same after a pause")


def wait_for_an_empty_log(service):
    *_, before = service.seen()
    until = time.monotonic() + 60
    quiet, last = 0, None
    while quiet < 3:
        assert time.monotonic() < until, "the log is not emptied"
        time.sleep(0.2)
        _, _, in_database, lines = service.seen(before)
        quiet = quiet + 1 if in_database and lines == last else 0
        last = lines


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    service, numbers = Traced(program, folder / "flushes"), itertools.count(1)
    try:
        each_kind(service, numbers)
        after_a_pause(service, numbers)
    finally:
        service.close()


main()
