"""Where the service is that the third-party clients talk to; `.ci/conformance` starts it."""

import os

import pytest


@pytest.fixture
def endpoint():
    return os.environ["STANDIN_ENDPOINT"]
