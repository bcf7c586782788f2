"""A real service with workers of the chaos suite, in a folder of its own."""

import os
import pathlib
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = os.environ.get("STANDIN_TEST_PROGRAM", str(ROOT / "target/debug/chaos-tests"))


class Service:
    """The process, which can be killed and started again."""

    def __init__(self, folder):
        self.folder = folder
        self.endpoint = str(folder / "s")
        self.ledger = folder / "ledger"
        (folder / "standin.toml").write_text(
            f"[endpoint]\npath = '{self.endpoint}'\n[state]\ndir = '{folder / 'state'}'\n"
            f"[pools.chaos]\ncommand = ['{PROGRAM}', 'hostile-worker']\n"
            f"environment = {{ CHAOS_LEDGER = '{self.ledger}', CHAOS_START = '' }}\n"
            "workers = { min = 1, max = 2, spare = 1 }\n"
            f"[pools.sdk]\ncommand = ['{PROGRAM}', 'sdk-worker']\n"
            f"environment = {{ CHAOS_LEDGER = '{self.ledger}' }}\nworkers = {{ min = 1, max = 1, spare = 0 }}\n"
        )
        self.start()

    def start(self):
        log = open(self.folder / "log", "ab")
        command = [PROGRAM, "serve", "--config", str(self.folder / "standin.toml")]
        # Nothing is left in the home of whoever runs the tests.
        environment = {**os.environ, "STANDIN_STATE": str(self.folder / "state")}
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        log.close()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def begun(self, number):
        """How often a worker began with the call of that number."""
        # Each worker writes a file of its own.
        lines = [line for file in self.ledger.glob("*") for line in file.read_text().splitlines()]
        return sum(f'"id":{number},' in line and '"Begun"' in line for line in lines)


def eventually(what, holds, limit=30.0):
    """Waits until it holds."""
    end = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < end, f"it never came true that {what}"
        time.sleep(0.01)


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path)
    yield service
    service.kill()
