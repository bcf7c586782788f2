"""A COBOL program that calls without a pause while workers and the service are killed."""

import json
import os
import random
import signal
import subprocess
import time

from conftest import COMPILED, Service, eventually
from servers import MailServer

#: What each program counts its calls from.
FIRST = [1, 100_000_001]
#: What customers 17, 42, 99 and 7 are written.
LETTERS = [
    "Dear Ada Ünal. You owe 12.50. In KÖLN live: Ada Ünal, Ben Okri.",
    "Dear Ben Okri. You owe nothing. In KÖLN live: Ada Ünal, Ben Okri.",
    "Dear Cleo Marsh. You owe nothing. In HULL live: Cleo Marsh.",
    "Nobody has the number 7: There is no such customer.",
]
#: How many workers are killed, and after how many of them the service each time.
KILLS, KILLS_PER_SERVICE = 56, 8


def storm(service, seed):
    """Kills one process after another; gives how often it killed the service."""
    chance = random.Random(seed)
    killed = services = 0
    while killed < KILLS:
        pids = service.pids()
        if not pids:
            continue  # Asking takes its time, and new ones come.
        try:
            os.kill(chance.choice(pids), signal.SIGKILL)
        except ProcessLookupError:
            continue  # It has ended meanwhile.
        killed += 1
        time.sleep(chance.uniform(0.02, 0.2))
        if killed % KILLS_PER_SERVICE == 0:
            service.kill()
            services += 1
            service.start()
    return services


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
    eventually("workers are there", lambda: len(service.pids()) >= 5)
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
        services = storm(service, seed)
        stop.touch()
        said = [program.communicate(timeout=70)[0] for program in programs]
    finally:
        for program in programs:
            program.kill()
            program.wait()
    assert services == KILLS // KILLS_PER_SERVICE
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
    print(f"{KILLS} workers and {services} services were killed: {counts}")
    for kind in ("mail", "effect", "harmless"):
        assert counts.get((kind, "ok"), 0) > 10, counts


def test_questions_are_asked_again_and_answered_whoever_is_killed(tmp_path):
    service = Service(tmp_path, letters_pause=0.02)
    numbers = [17, 42, 99, 7] * 6
    command = [str(part) for part in (COMPILED / "letters", *numbers)]
    program = subprocess.Popen(
        command, cwd=tmp_path, env=service.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )

    try:
        for _ in range(2):
            asked = len(service.askers())
            eventually("a worker asks", lambda: len(service.askers()) >= asked + 3)
            os.kill(service.askers()[-1], signal.SIGKILL)
        asked = len(service.askers())
        eventually("another one asks", lambda: len(service.askers()) >= asked + 3)
        service.kill()
        service.start()
        said = program.communicate(timeout=40)[0]
    finally:
        program.kill()
        program.wait()
        service.kill()
    assert program.returncode == 0, said
    *letters, questions = said.splitlines()
    assert letters == LETTERS * 6
    # 42 of them are those of the attempt that was not killed.
    assert int(questions.split()[1]) >= 42 + 2 + 2 + 2, said
