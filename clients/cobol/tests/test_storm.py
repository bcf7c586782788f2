"""A COBOL program that calls without a pause while workers and the service are killed."""

import json
import random
import signal
import subprocess
import time

from conftest import COMPILED, eventually
from servers import MailServer

#: What each program counts its calls from.
FIRST = [1, 100_000_001]
#: Seconds of kills.
STORM = 12
#: After so many kills of workers the service is killed.
WORKERS_PER_SERVICE = 8


def kill_for_a_while(service, seed):
    """Kills one process after another; gives how many workers and how often the service."""
    chance = random.Random(seed)
    workers = services = 0
    end = time.monotonic() + STORM
    while time.monotonic() < end:
        at_work = service.workers()
        if at_work:
            _, pid = chance.choice(at_work)
            try:
                # A child of our service, which it does not reap before it has noticed.
                subprocess.run(["kill", "-9", str(pid)], check=True, capture_output=True)
                workers += 1
            except subprocess.CalledProcessError:
                continue  # It has ended meanwhile.
        time.sleep(chance.uniform(0.02, 0.2))
        if workers % WORKERS_PER_SERVICE == WORKERS_PER_SERVICE - 1:
            service.process.send_signal(signal.SIGKILL)
            service.process.wait()
            services += 1
            workers += 1
            service.start()
    return workers, services


def effects(service):
    """How often each number had its effect, as the workers wrote it down."""
    counts = {}
    for file in service.ledger.iterdir():
        for line in file.read_text().splitlines():
            entry = json.loads(line)
            if entry["step"] == "Effect":
                counts[entry["id"]] = counts.get(entry["id"], 0) + 1
    return counts


def results(file):
    """How each call ended: number to outcome and code."""
    ended = {}
    for line in file.read_text().splitlines():
        number, outcome, *code = line.split()
        assert int(number) not in ended, f"call {number} ended twice"
        ended[int(number)] = (outcome, *code)
    return ended


def test_every_call_ends_once_and_tells_the_truth_whoever_is_killed(service, certificates, tmp_path):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    mails = MailServer(certificates / "localhost.pem", certificates / "localhost.key", implicit=True)
    eventually("workers are there", lambda: len(service.workers()) >= 5)
    stop = tmp_path / "stop"
    programs = []
    for first in FIRST:
        arguments = [first, tmp_path / f"results-{first}", stop, mails.port, certificates / "ca.pem"]
        programs.append(
            subprocess.Popen(
                [str(part) for part in (COMPILED / "storm", *arguments)],
                env=service.environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    try:
        workers, services = kill_for_a_while(service, seed)
        stop.touch()
        said = [program.communicate(timeout=70)[0] for program in programs]
    finally:
        for program in programs:
            program.kill()
            program.wait()
    assert workers > 10 and services > 2, (workers, services)
    taken, done = mails.subjects(), effects(service)
    counts = {}
    for first, output, program in zip(FIRST, said, programs):
        assert program.returncode == 0, output
        ended = results(tmp_path / f"results-{first}")
        assert output.split() == ["started", f"{len(ended):09}", "ended", f"{len(ended):09}"], output
        assert sorted(ended) == list(range(first, first + len(ended)))
        for number, (outcome, *code) in ended.items():
            kind = ["mail", "effect", "harmless", "harmless"][number % 4]
            counts[kind, outcome] = counts.get((kind, outcome), 0) + 1
            happened = taken.get(f"storm {number:09}", 0) if kind == "mail" else done.get(number, 0)
            told = f"{kind} {number} is told as {outcome} {code} and happened {happened} times"
            if kind == "harmless":
                assert outcome == "ok", told
            else:
                assert happened <= 1, told
                assert outcome != "ok" or happened == 1, told
                assert outcome != "not_executed" or happened == 0, told
    print(f"{workers} workers and {services} services were killed: {counts}")
    for kind in ("mail", "effect", "harmless"):
        assert counts.get((kind, "ok"), 0) > 50, counts
