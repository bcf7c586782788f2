"""A real service on a socket of its own, and the programs as ``.ci/cobol`` compiled them."""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = os.environ["STANDIN_TEST_PROGRAM"]
COMPILED = pathlib.Path(os.environ["STANDIN_TEST_COBOL"])


class Service:
    """The service, which can be killed and started again."""

    def __init__(self, folder, letters_pause=0.0):
        self.folder = folder
        self.endpoint = str(folder / "s")
        self.ledger = folder / "ledger"
        self.asked = folder / "asked"
        (folder / "standin.toml").write_text(
            f"[endpoint]\npath = '{self.endpoint}'\n[state]\ndir = '{folder / 'state'}'\n"
            f"[pools.chaos]\ncommand = ['{PROGRAM}', 'hostile-worker']\n"
            f"environment = {{ CHAOS_LEDGER = '{self.ledger}', CHAOS_START = '' }}\n"
            "workers = { min = 3, max = 3, spare = 1 }\n"
            f"[pools.letters]\ncommand = ['{sys.executable}', '{HERE / 'letters.py'}']\n"
            f"environment = {{ LETTERS_PAUSE = '{letters_pause}', LETTERS_ASKED = '{self.asked}' }}\n"
            "workers = { min = 1, max = 1, spare = 1 }\n"
            # Started when it is called.
            f"[pools.sdk]\ncommand = ['{PROGRAM}', 'sdk-worker']\n"
            f"environment = {{ CHAOS_LEDGER = '{self.ledger}' }}\nworkers = {{ min = 0, max = 1, spare = 0 }}\n"
        )
        self.start()

    def start(self):
        command = [PROGRAM, "serve", "--config", str(self.folder / "standin.toml")]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def run(self, command, limit=60, encoding="utf-8"):
        """Runs a program beside the service to its end, and gives what it printed and its exit code."""
        command = [str(part) for part in command]
        run = subprocess.run(command, cwd=self.folder, env=self.environment(), capture_output=True, timeout=limit)
        return (run.stdout + run.stderr).decode(encoding), run.returncode

    def environment(self):
        return {**os.environ, "STANDIN_ENDPOINT": self.endpoint}

    def pids(self):
        """The processes of all its workers."""
        command = [PROGRAM, "status", "--json", "--endpoint", self.endpoint, "--wait", "20s"]
        said = subprocess.run(command, capture_output=True, text=True, timeout=30)
        pools = json.loads(said.stdout)["pools"] if said.returncode == 0 else []  # It may be killed just now.
        return [worker["pid"] for pool in pools for worker in pool["workers"] if worker.get("pid")]

    def askers(self):
        """The processes that asked something, once for each question."""
        return [int(line) for line in self.asked.read_text().splitlines()] if self.asked.exists() else []


def plain(said):
    """The lines that a program printed, with numbers without their zeros: +0000000004 is 4, -0000000004 is -4."""
    return re.sub(r"\+0*(?=\d)|(?<=-)0+(?=\d)", "", said).splitlines()


def eventually(what, holds, limit=30.0):
    """Waits until it holds."""
    end = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < end, f"it never came true that {what}"
        time.sleep(0.01)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """An authority and the certificate of localhost, made now."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ["-newkey", "rsa:2048", "-nodes"]
    authority = ["-addext", "basicConstraints=critical,CA:TRUE", "-keyout", "ca.key", "-out", "ca.pem"]
    openssl("req", "-x509", *key, "-days", "2", "-subj", "/CN=COBOL test authority", *authority)
    openssl("req", *key, "-subj", "/CN=localhost", "-keyout", "localhost.key", "-out", "localhost.csr")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "2"]
    openssl("x509", "-req", "-in", "localhost.csr", *signed, "-out", "localhost.pem")
    return folder


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path)
    yield service
    service.kill()
