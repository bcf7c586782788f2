"""A disk that really is full: the state folder of a service lies on a small file system, which somebody else fills.

What begins and must be recorded is refused, and said not to have been executed; what runs is answered, and its answer is
kept; calls that need no record go on; and when there is room again, the same service goes on as if nothing had been.

    full.py PROGRAM FOLDER DISK

DISK is where the small file system is mounted.
"""

import pathlib
import sys
import time

import standin
from service import Service

LIMIT = 60.0

# Calls that find room in what the store's files have already; by then they must be refused.
CALLS_MAX = 3000


def main():
    program, folder, disk = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    service = Service(program, folder, state=disk / "state")
    try:
        FullDisk(service, disk).walk()
    except BaseException:
        print(service.log()[-6000:])
        raise
    finally:
        service.kill()


class FullDisk:
    """The tale. Each call has a number of its own."""

    def __init__(self, service, disk):
        self.service, self.filler = service, disk / "filler"
        self.ballast = disk / "state" / "standin.ballast"
        self.number = 0

    def walk(self):
        with standin.connect(self.service.endpoint, timeout=LIMIT) as client:
            assert self.ballast.stat().st_size > 0
            self.call(client, "chaos.never")
            self.while_it_fills_up(client)
            self.while_it_is_full(client)
            self.filler.unlink()
            self.when_there_is_room(client)
            # And once more, with a death of the service in between.
            self.fill()
            self.refused(client)
            self.after_a_death(client)
        self.filled_while_it_was_away()
        assert self.service.lives == 3, self.service.lives
        print(f"{self.number} calls and jobs; the service was never ended by the disk")

    def while_it_fills_up(self, client):
        """What has begun by then ends well, whatever is on record of it."""
        running = [self.start(client, method, work_ms=3000) for method in ("chaos.never", "chaos.until_effect")]
        keyed = self.start(client, "chaos.never", key="order-1", work_ms=3000)
        eventually("they run", lambda: self.service.begun(running[0][0]) == 1)
        self.fill()
        self.refused(client)
        assert not self.ballast.exists(), "it was to be given up"
        for method, (number, pending) in zip(("chaos.never", "chaos.until_effect", "chaos.never"), (*running, keyed)):
            self.ends_honestly(method, number, pending)

    def ends_honestly(self, method, number, pending):
        """What had begun is answered. What had not is refused, as nothing new begins: of a `never` call not even its work,
        of an `until_effect` one not its effect."""
        try:
            assert pending.wait(LIMIT) == number
        except standin.ServiceError as error:
            assert error.code == "overloaded" and error.outcome is standin.Outcome.NOT_EXECUTED, error
            step = "Begun" if method == "chaos.never" else "Effect"
            assert self.service.count(number, step) == 0, error

    def while_it_is_full(self, client):
        for _ in range(20):
            self.call(client, "chaos.always")
        # A client that comes now has a session that ends with its connection, and is served.
        with standin.connect(self.service.endpoint, timeout=LIMIT) as newcomer:
            self.call(newcomer, "chaos.always")
        self.refused(client, at_once=True)
        self.refused(client, at_once=True, method="chaos.until_effect")
        self.refused(client, at_once=True, key=f"order-{self.number}")
        try:
            client.call("job.submit", self.job())
            raise AssertionError("a job was taken that cannot be kept")
        except standin.ServiceError as error:
            assert error.code == "overloaded" and error.outcome is standin.Outcome.NOT_EXECUTED, error
            assert error.retry_after_ms, error
        assert client.call("standin.status")["pid"] == self.service.process.pid

    def when_there_is_room(self, client):
        """It notices by itself."""
        eventually("the ballast is back", self.ballast.exists)
        eventually("there is room", lambda: self.is_taken(client))
        for method in ("chaos.never", "chaos.until_effect", "chaos.always"):
            self.call(client, method)
        self.call(client, "chaos.never", key=f"order-{self.number}")
        job = client.call("job.submit", self.job())["job"]
        assert client.call("job.wait", job=job, timeout=LIMIT)["state"] == "done"

    def after_a_death(self, client):
        """A service that is started on a full disk serves what needs no record, and recovers like any other."""
        self.service.kill()
        self.service.start()
        self.serves_on_a_full_disk(client)

    def filled_while_it_was_away(self):
        """A service that is started on a disk that somebody has filled meanwhile gives up its ballast to begin at all."""
        eventually("the ballast is back", self.ballast.exists)
        self.service.process.terminate()
        self.service.process.wait()
        self.fill()
        assert self.ballast.stat().st_size > 0
        self.service.start()
        with standin.connect(self.service.endpoint, timeout=LIMIT) as client:
            assert not self.ballast.exists()
            self.serves_on_a_full_disk(client)

    def serves_on_a_full_disk(self, client):
        for _ in range(5):
            self.call(client, "chaos.always", timeout=LIMIT)
        self.refused(client, at_once=True, key=f"order-{self.number}")
        self.filler.unlink()
        eventually("there is room", lambda: self.is_taken(client, key=f"order-{self.number}"))
        self.call(client, "chaos.never", key=f"order-{self.number}")

    def fill(self):
        """Until not a byte is left."""
        with open(self.filler, "ab", buffering=0) as filler:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while filler.write(bytes(size)):
                        pass
                except OSError:
                    continue

    def start(self, client, method, **options):
        self.number += 1
        return self.number, client.start(method, id=self.number, nonce=self.number, **options)

    def call(self, client, method, **options):
        number, pending = self.start(client, method, **options)
        assert pending.wait(LIMIT) == number
        assert self.service.begun(number) == 1

    def job(self):
        self.number += 1
        return {"method": "chaos.until_effect", "params": [{"id": self.number, "nonce": self.number}]}

    def is_taken(self, client, key=None):
        try:
            self.call(client, "chaos.never", key=key)
            return True
        except standin.ServiceError as error:
            assert error.outcome is standin.Outcome.NOT_EXECUTED, error
            return False

    def refused(self, client, at_once=False, method="chaos.never", key=None):
        """Calls until one is refused, or only once. It was not executed, and that is said."""
        for _ in range(1 if at_once else CALLS_MAX):
            number, pending = self.start(client, method, key=key)
            try:
                pending.wait(LIMIT)
            except standin.ServiceError as error:
                assert error.code == "overloaded" and error.outcome is standin.Outcome.NOT_EXECUTED, error
                assert error.retry_after_ms, error
                steps = ("Begun",) if method == "chaos.never" else ("Effect",)
                assert all(self.service.count(number, step) == 0 for step in steps), error
                return
        raise AssertionError(f"the disk is full, and {method} was taken")


def eventually(what, holds):
    end = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < end, f"it never came true that {what}"
        time.sleep(0.05)


main()
