"""Every write and every flush of the store, one after the other, as the moment at which something goes wrong.

A fixed scenario is played against a real service whose system calls on its database are traced (strace). In round N the
N-th write (or flush, or cut) kills the service, or fails with EIO, ENOSPC or EDQUOT. The service is started again where it
has ended, the client comes back to its session, and then is checked what must hold: every call has one answer, every job
one end, nothing that must not run twice has, what was said not to have been executed was not, and nobody is told "unknown"
of what never began. A write for which a disk or a quota has no room ends no service that serves.

strace counts for each thread and each kind of call anew, so each kind has a walk of its own, and there are two of each:
while a service makes its database and begins, and, of the store's own thread, while it serves.

    walk.py PROGRAM FOLDER [kill|eio|enospc|edquot ...]
"""

import concurrent.futures
import pathlib
import shutil
import subprocess
import sys
import time

import standin
from service import KeptService

# What the store's files are written, cut and flushed with.
CALLS = ("pwrite64", "ftruncate", "fdatasync", "fsync")

FLUSHES = ("fdatasync", "fsync")

# Most of a round is waiting.
AT_A_TIME = 6

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

LIMIT = 60.0


class Traced(KeptService):
    """A service in which the N-th call of a kind goes wrong: from its beginning, or of its store's thread from when it
    serves."""

    def __init__(self, program, folder, fault, call, number, serving):
        files = [str(folder / "state" / name) for name in ("standin.db", "standin.db-wal", "standin.db.new")]
        paths = [part for file in files for part in ("-P", file)]
        inject = f"inject={call}:{FAULTS[fault]}:when={number}"
        strace = ["strace", "-o", str(folder / "trace"), "-e", f"trace={call}", "-e", inject, *paths]
        if not serving:
            # -D: the service, and not strace, is what is started and ended.
            super().__init__(program, folder, wrapper=[*strace, "-D", "-f", "-qq"])
            return
        super().__init__(program, folder)
        standin.connect(self.endpoint, timeout=LIMIT).close()
        strace = [*strace, "-p", str(self.thread("standin-store"))]
        self.tracer = subprocess.Popen(strace, stderr=subprocess.PIPE, text=True)
        said = self.tracer.stderr.readline()
        assert "attached" in said, said

    def thread(self, name):
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()
        return next(int(task.name) for task in tasks if (task / "comm").read_text().strip() == name)

    def injected(self):
        """The calls that went wrong."""
        trace = (self.folder / "trace").read_text(errors="replace")
        return [line for line in trace.splitlines() if "(INJECTED)" in line]

    def was_hit(self):
        return self.lives > 1 or bool(self.injected())

    def close(self):
        super().close()
        if hasattr(self, "tracer"):
            self.tracer.stderr.close()
            self.tracer.wait()


def play(service, scenario):
    """Does what the scenario says. Gives what each was answered: a result, or an error; of a job, how it ended."""
    answers = []
    with standin.connect(service.endpoint, timeout=LIMIT) as client:
        for number, (kind, method, key) in enumerate(scenario, 1):
            try:
                if kind == CALL:
                    answers.append(client.call(method, id=number, nonce=number, key=key, timeout=LIMIT))
                else:
                    answers.append(submit(client, number, method, key))
            except standin.StandinError as error:
                answers.append(error)
        for index, (kind, _, _) in enumerate(scenario):
            if kind == JOB and isinstance(answers[index], str):
                answers[index] = client.call("job.wait", job=answers[index], timeout=LIMIT)
        listed = client.call("job.list", timeout=LIMIT)
    named = {answer["job"] for answer in answers if isinstance(answer, dict)}
    lost = [answer for (kind, _, _), answer in zip(scenario, answers) if kind == JOB and isinstance(answer, Exception)]
    assert named <= {job["job"] for job in listed}, f"{listed} lacks some of {named}"
    assert len(listed) <= len(named) + len(lost), f"{listed} has more than {named}"
    return answers


def submit(client, number, method, key):
    job = {"method": method, "params": [{"id": number, "nonce": number}], "retry": {"backoff_ms": 50, "backoff_max_ms": 200}}
    if key is not None:
        job["key"] = key
    return client.call("job.submit", job, timeout=LIMIT)["job"]


def check(service, scenario, answers):
    """What must hold, whatever went wrong. Gives the number of those of which nobody knows."""
    unknown = 0
    for number, ((kind, method, _), answer) in enumerate(zip(scenario, answers), 1):
        begun, effects = service.count(number, "Begun"), service.count(number, "Effect")
        told = f"{kind} {number} ({method}) was answered {answer!r}; begun {begun} times, effects {effects}"
        if method == "chaos.never":
            assert begun <= 1, told
        assert method == "chaos.always" or effects <= 1, told
        if isinstance(answer, dict):
            unknown += check_end(service, method, answer, begun, effects, told)
        elif not isinstance(answer, Exception):
            assert answer == number and begun >= 1, told
        elif answer.outcome is standin.Outcome.NOT_EXECUTED:
            assert effects == 0 and (method != "chaos.never" or begun == 0), told
        else:
            assert method != "chaos.always" or kind == JOB, told
            assert service.was_hit(), told
            unknown += 1
    return unknown


def check_end(service, method, job, begun, effects, told):
    """A job that was acknowledged ends as done, or else as unknown if it must not run twice and was hit."""
    assert job["state"] in ("done", "unknown"), told
    if job["state"] == "done":
        assert begun >= 1 and (method != "chaos.until_effect" or effects == 1), told
        return 0
    assert method != "chaos.always" and service.was_hit(), told
    return 1


def check_it_went_on(service, fault, call):
    """No service ends because there is no room, unless it cannot know what a flush has kept."""
    if fault in FULL and call not in FLUSHES:
        assert DISK_FAILED not in service.ended, f"{service.injected()} ended the service:\n{service.log()}"


def one_round(program, folder, fault, call, number, serving):
    """Whether it went wrong, and how many are unknown, how many restarts it took."""
    when = "serving" if serving else "beginning"
    folder = folder / f"{fault}-{when}-{call}-{number}"
    folder.mkdir()
    scenario = SCENARIO if serving else []
    service = Traced(program, folder, fault, call, number, serving)
    try:
        answers = play(service, scenario)
        hit = service.was_hit()
        unknown = check(service, scenario, answers)
        check_it_went_on(service, fault, call)
        passed = hit, unknown, service.lives - 1
    except BaseException:
        print(f"{fault} at {call} {number} while it was {when}:\n" + service.log()[-4000:])
        raise
    finally:
        service.close()
    # There are hundreds, each with the ballast of a store.
    shutil.rmtree(folder)
    return passed


def walk(program, folder, fault, call, serving):
    """All moments, until one is later than the end. Gives how many there were, the unknown and the restarts."""
    total = [0, 0, 0]
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as threads:
        for first in range(1, 10_000, AT_A_TIME):
            numbers = range(first, first + AT_A_TIME)
            rounds = list(threads.map(lambda number: one_round(program, folder, fault, call, number, serving), numbers))
            hits = [round for round in rounds if round[0]]
            total = [sum(column) for column in zip(total, *hits)]
            if len(hits) < len(rounds):
                return total


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    begin = time.monotonic()
    for fault in sys.argv[3:] or FAULTS:
        for serving in (False, True):
            of_calls = {call: walk(program, folder, fault, call, serving) for call in CALLS}
            moments = ", ".join(f"{moments} {call}" for call, (moments, _, _) in of_calls.items())
            _, unknown, restarts = (sum(column) for column in zip(*of_calls.values()))
            when = "serving" if serving else "beginning"
            print(f"{fault} while {when}: {moments}; {restarts} restarts, {unknown} unknown", flush=True)
            assert of_calls["pwrite64"][0] > 10 and of_calls["fdatasync"][0] > 0, "the store was hardly written to"
    print(f"took {time.monotonic() - begin:.0f} s")


main()
