"""Every write and every flush of the store, one after the other, as the moment at which something goes wrong.

A fixed scenario is played against a real service whose system calls on its database are traced (strace). In round N the
N-th write (or flush, or cut) kills the service, or fails with EIO, ENOSPC or EDQUOT. The service is started again where it
has ended, the client comes back to its session, and then is checked what must hold: every call has one answer in its time,
every job one end, nothing that must not run twice has, what was said not to have been executed was not and had no room to
be, and "unknown" is said only of what a fault struck while it was asked, and of what never began only if it is a `never`
call, which is on record before it begins. Whoever asks again with a key gets the same answer, and nothing is run again.
A write for which a disk or a quota has no room ends no service that serves.

strace counts for each thread and each kind of call anew, so each kind has a walk of its own, and there are three of each:
while a service makes its database and begins; of the store's own thread, while it serves; and while a service begins on
what a killed one has left behind: calls and jobs that were running, and some that waited. There it rests, too, for so long
that it empties its log.

    walk.py PROGRAM FOLDER [kill|eio|enospc|edquot ...]
"""

import concurrent.futures
import dataclasses
import pathlib
import shutil
import subprocess
import sys
import time
from typing import Any, Optional

import standin
from service import KeptService

# What the store's files are written, cut and flushed with.
CALLS = ("pwrite64", "ftruncate", "fdatasync", "fsync")

FLUSHES = ("fdatasync", "fsync")

# Most of a round is waiting.
AT_A_TIME = 8

FAULTS = {"kill": "signal=KILL", "eio": "error=EIO", "enospc": "error=ENOSPC", "edquot": "error=EDQUOT"}

# The code with which a service ends whose disk has failed.
DISK_FAILED = 74

# No more room, which is no failure of the disk.
FULL = ("enospc", "edquot")

# What is done, one after the other: a method, which is named after its class, and perhaps a key. Jobs are submitted, and
# waited for when all is done.
CALL, JOB = "call", "job"
SCENARIO = [
    (CALL, "chaos.never", None),
    (CALL, "chaos.until_effect", None),
    (JOB, "chaos.never", None),
    (CALL, "chaos.always", None),
    (JOB, "chaos.until_effect", "job-1"),
    (CALL, "chaos.never", "order-1"),
    (CALL, "chaos.until_effect", "order-2"),
    (CALL, "chaos.always", "order-3"),
]

# What is asked, by when it is. After a recovery and a rest one call is enough: its records begin a new log.
BEGINNING, SERVING, RECOVERING = "beginning", "serving", "recovering"
ASKED = {BEGINNING: [], SERVING: SCENARIO, RECOVERING: SCENARIO[:1]}

# What is open when the service is killed whose successor recovers: what it has to do, and how far it comes.
LONG, SHORT = 600_000, 300
LEFT = [
    (JOB, "chaos.never", None, {"work_ms": LONG}, "Begun"),
    (CALL, "chaos.never", None, {"work_ms": LONG}, "Begun"),
    (CALL, "chaos.until_effect", "order-3", {"after_ms": LONG}, "Effect"),
    (CALL, "chaos.until_effect", None, {"work_ms": SHORT}, "Begun"),
    # There is no worker for these.
    (CALL, "chaos.never", "order-4", {}, None),
    (CALL, "chaos.always", None, {}, None),
    (JOB, "chaos.until_effect", "job-2", {}, None),
]
LEFT_RUNNING = 4

# After so many seconds without work the log is emptied.
REST = 0.7

LIMIT = 60.0


@dataclasses.dataclass
class Asked:
    """One call or job, and what became of it."""

    number: int
    kind: str
    method: str
    key: Optional[str]
    arguments: dict[str, int]
    # A result, an error, or of a job how it ended.
    answer: Any = None
    # How many faults there had been when it was asked, and when it was answered.
    before: int = 0
    after: int = 0
    # The service was killed while it ran: it was asked of the one before.
    interrupted: bool = False

    def params(self):
        return {"id": self.number, "nonce": self.number, **self.arguments}

    def was_struck(self):
        return self.after > self.before or self.interrupted


class Traced(KeptService):
    """A service in which the N-th call of a kind goes wrong: from its beginning, or of its store's thread from when it
    serves."""

    def __init__(self, program, folder, fault, call, number, when):
        files = [str(folder / "state" / name) for name in ("standin.db", "standin.db-wal", "standin.db.new")]
        paths = [part for file in files for part in ("-P", file)]
        inject = f"inject={call}:{FAULTS[fault]}:when={number}"
        strace = ["strace", "-o", str(folder / "trace"), "-e", f"trace={call}", "-e", inject, *paths]
        # -D: the service, and not strace, is what is started and ended.
        self.from_its_beginning = [*strace, "-D", "-f", "-qq"]
        # What the next life is begun by, and how many there are without a fault.
        self.wrapper, self.undisturbed = (), 1
        # The numbers of calls that the killed life had answered or was about to.
        self.answered_before = None
        if when == BEGINNING:
            self.wrapper = self.from_its_beginning
        super().__init__(program, folder, workers=LEFT_RUNNING if when == RECOVERING else 2)
        if when == SERVING:
            standin.connect(self.endpoint, timeout=LIMIT).close()
            strace = [*strace, "-p", str(self.thread("standin-store"))]
            self.tracer = subprocess.Popen(strace, stderr=subprocess.PIPE, text=True)
            said = self.tracer.stderr.readline()
            assert "attached" in said, said

    def start(self, wrapper=()):
        wrapper, self.wrapper = self.wrapper, ()
        if self.undisturbed > 1 and self.answered_before is None:
            self.answered_before = self.numbers("Answering")
        super().start(wrapper)

    def begin_again(self):
        """Kills it, and the next one is traced."""
        self.wrapper, self.undisturbed = self.from_its_beginning, 2
        self.process.kill()
        eventually("it is started again", lambda: self.lives >= 2 and self.answered_before is not None)

    def thread(self, name):
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()
        return next(int(task.name) for task in tasks if (task / "comm").read_text().strip() == name)

    def injected(self):
        """The calls that went wrong."""
        trace = (self.folder / "trace").read_text(errors="replace")
        return [line for line in trace.splitlines() if "(INJECTED)" in line]

    def faults(self):
        """How many there were by now: a death may be seen twice."""
        return self.lives - self.undisturbed + len(self.injected())

    def close(self):
        super().close()
        if hasattr(self, "tracer"):
            self.tracer.stderr.close()
            self.tracer.wait()


def play(service, when):
    """Does what the scenario says. Gives what each was answered."""
    tale = []
    with standin.connect(service.endpoint, timeout=LIMIT) as client:
        if when == RECOVERING:
            go_on(service, client, tale)
            time.sleep(REST)
        for kind, method, key in ASKED[when]:
            asked = Asked(len(tale) + 1, kind, method, key, {}, before=service.faults())
            asked.answer = answer_to(lambda: begin(client, asked).wait(LIMIT))
            asked.after = service.faults()
            tale.append(asked)
        wait_for_jobs(service, client, tale)
    return tale


def begin(client, asked):
    """A call, or that a job is taken."""
    if asked.kind == CALL:
        return client.start(asked.method, key=asked.key, timeout=LIMIT, **asked.params())
    job = {"method": asked.method, "params": [asked.params()], "retry": {"backoff_ms": 50, "backoff_max_ms": 200}}
    if asked.key is not None:
        job["key"] = asked.key
    return client.start("job.submit", job, timeout=LIMIT)


def answer_to(ask):
    try:
        return ask()
    except standin.StandinError as error:
        return error


def go_on(service, client, tale):
    """The service is killed in the middle of work, and the next one finds it."""
    pending = []
    for kind, method, key, arguments, step in LEFT:
        asked = Asked(len(tale) + 1, kind, method, key, arguments, interrupted=step is not None)
        tale.append(asked)
        pending.append(begin(client, asked))
        if kind == JOB:
            asked.answer = pending[-1].wait(LIMIT)
        if step is not None:
            eventually("it runs", lambda: service.count(asked.number, step) == 1)
    # What was sent before this was read.
    client.call("standin.ping", timeout=LIMIT)
    service.begin_again()
    if service.answered_before:
        # The short one was over on a slow machine, and others may have begun in its place.
        for asked in tale:
            asked.interrupted = True
    for asked, answer in zip(tale, pending):
        if asked.kind == CALL:
            asked.answer = answer_to(lambda: answer.wait(LIMIT))
            asked.after = service.faults()


def wait_for_jobs(service, client, tale):
    """Jobs that were taken end, and there are no others but such as nobody knows of."""
    jobs = [asked for asked in tale if asked.kind == JOB]
    taken = [asked for asked in jobs if isinstance(asked.answer, dict)]
    named = {asked.answer["job"] for asked in taken}
    listed = {job["job"] for job in client.call("job.list", timeout=LIMIT)}
    in_doubt = [asked for asked in jobs if outcome(asked.answer) is standin.Outcome.UNKNOWN]
    assert named <= listed, f"{listed} lacks some of {named}"
    assert len(listed) <= len(named) + len(in_doubt), f"{listed} has more than {named}"
    ended = {job: client.call("job.wait", job=job, timeout=LIMIT) for job in listed}
    for asked in taken:
        asked.answer, asked.after = ended[asked.answer["job"]], service.faults()


def outcome(answer):
    return answer.outcome if isinstance(answer, Exception) else None


def check(service, fault, tale):
    """What must hold, whatever went wrong. Gives the number of those of which nobody knows."""
    unknown = 0
    for asked in tale:
        begun, effects = service.count(asked.number, "Begun"), service.count(asked.number, "Effect")
        told = f"{asked}; begun {begun} times, effects {effects}"
        if asked.method == "chaos.never":
            assert begun <= 1, told
        assert asked.method == "chaos.always" or effects <= 1, told
        if isinstance(asked.answer, dict):
            doubt = check_end(asked, begun, effects, told)
        elif not isinstance(asked.answer, Exception):
            assert asked.answer == asked.number and begun >= 1, told
            assert asked.method != "chaos.until_effect" or effects == 1, told
            doubt = 0
        else:
            assert asked.answer.code != "deadline_exceeded", told
            doubt = check_error(service, fault, asked, begun, effects, told)
        # What was running at the kill between the two lives is in doubt anyway.
        unknown += 0 if asked.interrupted else doubt
    return unknown


def check_error(service, fault, asked, begun, effects, told):
    """Whoever is refused was refused for want of room for a record, and whoever is in doubt was struck."""
    has_record = asked.method != "chaos.always" or asked.key is not None or asked.kind == JOB
    assert has_record, told
    if asked.answer.outcome is standin.Outcome.NOT_EXECUTED:
        happened = effects if asked.method == "chaos.until_effect" and asked.kind == CALL else begun
        # A service goes on refusing for a while, until it has seen that there is room.
        assert happened == 0 and fault in FULL and asked.after > 0, told
        return 0
    assert asked.answer.outcome is standin.Outcome.UNKNOWN and asked.was_struck(), told
    assert asked.method != "chaos.always" or asked.kind == JOB, told
    # Of a `never` call it is on record that it is about to begin. Whoever asked for a job may not hear of it.
    could_be_about_to = asked.kind == JOB or asked.method == "chaos.never" and service.lives > 1
    assert begun >= 1 or could_be_about_to, told
    return 1


def check_end(asked, begun, effects, told):
    """A job that was acknowledged ends as done, or else as unknown if it must not run twice and was hit."""
    assert asked.answer["state"] in ("done", "unknown"), told
    if asked.answer["state"] == "done":
        assert begun >= 1 and (asked.method != "chaos.until_effect" or effects == 1), told
        return 0
    assert asked.method != "chaos.always" and asked.was_struck(), told
    return 1


def check_keys(service, tale):
    """Whoever asks again with a key gets the same, and nothing is run again. What was refused has not burnt its key."""
    with standin.connect(service.endpoint, timeout=LIMIT) as client:
        for asked in tale:
            if asked.key is None:
                continue
            before = service.begun(asked.number)
            again = ask_again(client, asked)
            told = f"{asked} and then {again!r}; begun {before} times, then {service.begun(asked.number)}"
            if outcome(asked.answer) is standin.Outcome.NOT_EXECUTED:
                if asked.kind == JOB:
                    again = client.call("job.wait", job=again["job"], timeout=LIMIT)["state"]
                assert again == ("done" if asked.kind == JOB else asked.number), told
                assert service.begun(asked.number) >= 1, told
                continue
            if asked.kind == JOB:
                same = not isinstance(asked.answer, dict) or again["job"] == asked.answer["job"]
            elif isinstance(asked.answer, Exception):
                same = (again.code, again.outcome) == (asked.answer.code, asked.answer.outcome)
            else:
                same = again == asked.answer
            assert same and service.begun(asked.number) == before, told


def ask_again(client, asked):
    """Until there is room, which the service notices by itself."""
    end = time.monotonic() + LIMIT
    while True:
        again = answer_to(lambda: begin(client, asked).wait(LIMIT))
        if outcome(again) is not standin.Outcome.NOT_EXECUTED:
            return again
        assert again.code == "overloaded" and time.monotonic() < end, again
        time.sleep(0.05)


def eventually(what, holds):
    end = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < end, f"it never came true that {what}"
        time.sleep(0.01)


def check_it_went_on(service, fault, call):
    """No service ends because there is no room, unless it cannot know what a flush has kept."""
    if fault in FULL and call not in FLUSHES:
        assert DISK_FAILED not in service.ended, f"{service.injected()} ended the service:\n{service.log()}"


def one_round(program, folder, fault, call, number, when):
    """Whether it went wrong, and how many are unknown, how many restarts it took."""
    folder = folder / f"{fault}-{when}-{call}-{number}"
    folder.mkdir()
    service = Traced(program, folder, fault, call, number, when)
    try:
        tale = play(service, when)
        hit = service.faults() > 0
        unknown = check(service, fault, tale)
        check_keys(service, tale)
        check_it_went_on(service, fault, call)
        passed = hit, unknown, service.lives - service.undisturbed
    except BaseException:
        print(f"{fault} at {call} {number} while it was {when}:\n" + service.log()[-4000:])
        raise
    finally:
        service.close()
    # There are hundreds, each with the ballast of a store.
    shutil.rmtree(folder)
    return passed


def walk(program, folder, fault, call, when):
    """All moments, until one is later than the end. Gives how many there were, the unknown and the restarts."""
    total = [0, 0, 0]
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as threads:
        for first in range(1, 10_000, AT_A_TIME):
            numbers = range(first, first + AT_A_TIME)
            rounds = list(threads.map(lambda number: one_round(program, folder, fault, call, number, when), numbers))
            hits = [round for round in rounds if round[0]]
            total = [sum(column) for column in zip(total, *hits)]
            if len(hits) < len(rounds):
                return total


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    begin = time.monotonic()
    for fault in sys.argv[3:] or FAULTS:
        for when in ASKED:
            of_calls = {call: walk(program, folder, fault, call, when) for call in CALLS}
            moments = ", ".join(f"{moments} {call}" for call, (moments, _, _) in of_calls.items())
            _, unknown, restarts = (sum(column) for column in zip(*of_calls.values()))
            print(f"{fault} while {when}: {moments}; {restarts} restarts, {unknown} unknown", flush=True)
            assert of_calls["pwrite64"][0] > 10 and of_calls["fdatasync"][0] > 0, "the store was hardly written to"
    print(f"took {time.monotonic() - begin:.0f} s")


main()
