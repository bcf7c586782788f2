"""The clock is set: an hour or years ahead and back, while calls and jobs run, sessions linger and keys are kept.

The service and its workers run under libfaketime, which takes what is to be added to the clock from a file. Nothing may
answer twice, end early, be forgotten or begin early because of it. What is measured is measured by the other clock, the
one that nobody sets. Last of all that one jumps as well, as it does for some machines that have slept: then times are up,
and that is said honestly.

    clock.py PROGRAM FOLDER LIBFAKETIME
"""

import pathlib
import sys
import time

import standin
from service import Service

LIMIT = 60.0

# One after the other; the last is after the end of 32 bits.
JUMPS = ["+1h", "-1h", "+1y", "-1y", "+20y", "+0"]
IN_SECONDS = {"h": 3600, "y": 365 * 86400, "0": 0}

# How long keys are kept where that is looked at; they are swept four times as often.
RETENTION = 40.0
SWEEP = RETENTION / 4 + 0.5

MAIL = {
    "method": "mail.send",
    "params": [
        {
            "server": {"host": "127.0.0.1", "port": 1, "tls": "none"},
            "from": "anna@example.org",
            "to": "ben@example.org",
            "subject": "Hello",
            "text": "Hello",
        }
    ],
    "retry": {"backoff_ms": 200, "backoff_max_ms": 400, "attempts_max": 1000},
}

BROKEN = {"method": "sdk.fail", "retry": {"backoff_ms": 2000, "backoff_max_ms": 7_200_000}}


def seconds(jump):
    return int(jump.rstrip("hy")) * IN_SECONDS[jump[-1]]


class Clock:
    """What the service believes."""

    def __init__(self, folder, library, monotonic):
        folder.mkdir(parents=True)
        self.file = folder / "clock"
        self.set("+0")
        self.environment = {
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DISABLE_SHM": "1",
            "NO_FAKE_STAT": "1",
        }
        if not monotonic:
            self.environment |= {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}

    def set(self, offset):
        self.offset = seconds(offset)
        new = self.file.with_suffix(".new")
        new.write_text(offset)
        # Whoever reads it reads the one or the other.
        new.rename(self.file)

    def now_ms(self):
        return int((time.time() + self.offset) * 1000)


class Tale:
    def __init__(self, service, clock):
        self.service, self.clock, self.number = service, clock, 0

    def start(self, client, method, **options):
        self.number += 1
        return self.number, client.start(method, id=self.number, nonce=self.number, timeout=20.0, **options)

    def submit(self, client, **options):
        self.number += 1
        job = {"method": "chaos.until_effect", "params": [{"id": self.number, "nonce": self.number, "work_ms": 500}], **options}
        return self.number, client.call("job.submit", job)["job"]

    def once(self, number, pending):
        assert pending.wait(LIMIT) == number
        assert self.service.begun(number) == 1, f"{number} was begun {self.service.begun(number)} times"


def jump(tale, client, offset):
    """One jump in the middle of everything, which takes less time than a session lingers."""
    service = tale.service
    keyed = tale.start(client, "chaos.never", key=f"order-{tale.number}", work_ms=300)
    # A program goes away in its call, and its session waits for it.
    away = standin.connect(service.endpoint, timeout=LIMIT)
    left = tale.start(away, "chaos.never", work_ms=500)
    eventually("it has begun", lambda: service.begun(left[0]) == 1)
    away._disconnect()
    running = [tale.start(client, method, work_ms=300) for method in ("chaos.never", "chaos.until_effect", "chaos.always")]
    _, job = tale.submit(client)
    # Nobody takes that mail, so it is tried again and again.
    tried = client.call("job.submit", MAIL)["job"]
    eventually("it was tried", lambda: client.call("job.status", job=tried)["failures"] >= 1)
    paused = client.call("job.submit", BROKEN)["job"]
    eventually("it pauses", lambda: client.call("job.status", job=paused)["failures"] >= 1)
    later_ms = tale.clock.now_ms() + 10 * IN_SECONDS["y"] * 1000
    before = tale.clock.offset
    _, later = tale.submit(client, run_at=later_ms)
    tale.clock.set(offset)
    for number, pending in (*running, left, keyed):
        tale.once(number, pending)
    away.close()
    assert client.call("job.wait", job=job, timeout=LIMIT)["state"] == "done"
    # A pause between two tries is as long as it was to be.
    tries = client.call("job.status", job=tried)["failures"]
    eventually("it is tried again", lambda: client.call("job.status", job=tried)["failures"] > tries + 1, 10.0)
    client.call("job.cancel", job=tried)
    # Also where the longest pause that it may have is much longer.
    eventually("it ends its pause", lambda: client.call("job.status", job=paused)["failures"] >= 2, 10.0)
    client.call("job.cancel", job=paused)
    # A job for a time of day goes by the clock, which is what was asked for, and not by anything else.
    if tale.clock.now_ms() >= later_ms:
        assert client.call("job.wait", job=later, timeout=LIMIT)["state"] == "done"
    else:
        assert client.call("job.status", job=later)["state"] == "queued", f"{before} {offset}"
        client.call("job.cancel", job=later)
    told(tale, client)


def told(tale, client):
    """What is told to people is told by the clock as it is now."""
    tale.once(*tale.start(client, "chaos.always"))
    now_ms = tale.clock.now_ms()
    status = client.call("standin.status")
    assert 0 <= status["uptime_ms"] < 600_000, status["uptime_ms"]
    calls = client.call("standin.explain")
    assert calls and all(abs(call["came_at_ms"] - now_ms) < 120_000 for call in calls), f"{calls} at {now_ms}"


def keys_are_kept(program, folder, library):
    """An answer with a key is kept for its time, whatever the clock says meanwhile."""
    clock = Clock(folder, library, monotonic=False)
    service = Service(program, folder, settings=f"[keys]\nretention = '{RETENTION:.0f}s'\n", environment=clock.environment)
    tale = Tale(service, clock)

    def is_kept(number, key):
        assert client.call("chaos.never", id=number, nonce=number, key=key) == number
        assert service.begun(number) == 1

    try:
        with standin.connect(service.endpoint, timeout=LIMIT) as client:
            ahead = tale.start(client, "chaos.never", key="ahead")
            tale.once(*ahead)
            clock.set("+1y")
            time.sleep(SWEEP)
            is_kept(ahead[0], "ahead")
            clock.set("-1y")
            back = tale.start(client, "chaos.never", key="back")
            tale.once(*back)
            clock.set("+0")
            time.sleep(SWEEP)
            is_kept(back[0], "back")
            is_kept(ahead[0], "ahead")
    except BaseException:
        print(service.log()[-6000:])
        raise
    finally:
        service.kill()
    print("keys were kept")


def set_by_somebody(program, folder, library):
    clock = Clock(folder, library, monotonic=False)
    broken = f"[pools.sdk]\ncommand = ['{program}', 'sdk-worker']\nworkers = {{ min = 1, max = 1, spare = 0 }}\n"
    service = Service(program, folder, builtin=True, settings=broken, environment=clock.environment)
    tale = Tale(service, clock)
    try:
        with standin.connect(service.endpoint, timeout=LIMIT) as client:
            for offset in JUMPS:
                jump(tale, client, offset)
            last = tale.start(client, "chaos.never", key="last", work_ms=1000)
            eventually("it has begun", lambda: service.begun(last[0]) == 1)
            tale.clock.set("-1y")
            service.kill()
            service.start()
            # A death of the service and another time at once.
            try:
                assert last[1].wait(LIMIT) is None, "it cannot be known"
            except standin.StandinError as error:
                assert error.outcome is standin.Outcome.UNKNOWN, error
            assert service.begun(last[0]) == 1
            told(tale, client)
        assert service.lives == 2 and service.process.poll() is None
    except BaseException:
        print(service.log()[-6000:])
        raise
    finally:
        service.kill()
    print(f"set {len(JUMPS)} times: {tale.number} calls and jobs, each once")


def slept(program, folder, library):
    """Both clocks are an hour later. Whoever waited for less is told so, and nobody is served twice."""
    clock = Clock(folder, library, monotonic=True)
    service = Service(program, folder, environment=clock.environment)
    tale = Tale(service, clock)
    try:
        with standin.connect(service.endpoint, timeout=LIMIT) as client:
            methods = ("chaos.never", "chaos.until_effect", "chaos.always")
            running = [tale.start(client, method, work_ms=2000) for method in methods]
            job = tale.submit(client)
            eventually("one has begun", lambda: service.begun(running[0][0]) == 1)
            clock.set("+1h")
            uptime_ms = client.call("standin.status")["uptime_ms"]
            assert uptime_ms > IN_SECONDS["h"] * 1000, f"the other clock has not jumped: {uptime_ms}"
            for method, (number, pending) in zip(methods, running):
                try:
                    assert pending.wait(LIMIT) == number
                except standin.ServiceError as error:
                    assert error.code == "deadline_exceeded", error
                    happened = service.count(number, "Effect" if method == "chaos.until_effect" else "Begun")
                    assert error.outcome is standin.Outcome.UNKNOWN or happened == 0, error
                assert service.begun(number) <= 1
            ended = client.call("job.wait", job=job[1], timeout=LIMIT)
            assert ended["state"] == "done" and service.count(job[0], "Effect") == 1, ended
        with standin.connect(service.endpoint, timeout=LIMIT) as client:
            tale.once(*tale.start(client, "chaos.never"))
        assert service.lives == 1 and service.process.poll() is None
    except BaseException:
        print(service.log()[-6000:])
        raise
    finally:
        service.kill()
    print(f"slept for an hour: {tale.number} calls and jobs, none twice")


def eventually(what, holds, limit=LIMIT):
    end = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < end, f"it never came true that {what}"
        time.sleep(0.02)


def main():
    program, folder, library = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    begin = time.monotonic()
    set_by_somebody(program, folder / "set", library)
    keys_are_kept(program, folder / "keys", library)
    slept(program, folder / "slept", library)
    print(f"took {time.monotonic() - begin:.0f} s")


main()
