"""A real service with workers of the chaos suite, in a folder of its own."""

import os
import pathlib
import sys
import time

import pytest
from fake import Asyncio, Blocking, Fake

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.append(str(ROOT / "chaos-tests/faults"))
from service import Service  # noqa: E402

PROGRAM = os.environ.get("STANDIN_TEST_PROGRAM", str(ROOT / "target/debug/chaos-tests"))


def start(folder):
    return Service(
        PROGRAM,
        folder,
        builtin=True,
        settings=f"[pools.sdk]\ncommand = ['{PROGRAM}', 'sdk-worker']\n"
        f"environment = {{ CHAOS_LEDGER = '{folder / 'ledger'}' }}\nworkers = {{ min = 1, max = 1, spare = 0 }}\n",
    )


def eventually(what, holds, limit=30.0):
    """Waits until it holds."""
    end = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < end, f"it never came true that {what}"
        time.sleep(0.01)


@pytest.fixture
def service(tmp_path):
    service = start(tmp_path)
    yield service
    service.kill()


@pytest.fixture
def fake(tmp_path):
    return Fake(tmp_path / "s")


@pytest.fixture(params=[Blocking, Asyncio], ids=["blocking", "asyncio"])
def connect(request):
    """Opens a client, once of each kind."""
    opened = []

    def open_one(path, **options):
        opened.append(request.param(path, **options))
        return opened[-1]

    yield open_one
    for client in opened:
        client.close()
