"""Where the service listens, and how long to wait before the next try."""

from __future__ import annotations

import os
import random
import sys
from typing import Optional

# From the first pause to the longest, in seconds. A service that was killed may be back in no time.
PAUSE_FIRST, PAUSE_MAX = 0.01, 1.0

#: Seconds that a service which takes the connection has to answer the hello: after its own end it has much to read
#: before it knows what it was asked.
HELLO_LIMIT = 10.0

#: Seconds that a call without a time of its own waits for a lost connection, unless the client is told otherwise.
RESUME_LIMIT = 60.0


def candidates(endpoint: Optional[str]) -> list[str]:
    """The endpoints to try, in their order: the one that is named, else the user's own and the machine's."""
    named = endpoint or os.environ.get("STANDIN_ENDPOINT")
    if named:
        return [named]
    if sys.platform == "win32":
        return [r"\\.\pipe\standin"]
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    own = f"{runtime}/standin" if runtime else f"/tmp/standin-{os.getuid()}"
    return [f"{own}/standin.sock", "/run/standin/standin.sock"]


class Way:
    """How to get to the service. The endpoint where it answered first is the one for good: what was asked there must
    not be asked again of another service, which has another memory."""

    def __init__(self, endpoint: Optional[str]) -> None:
        self._endpoints = candidates(endpoint)
        self._tried = self._endpoints[0]

    def endpoints(self) -> list[str]:
        """Those to try, in their order."""
        return self._endpoints

    def tries(self, endpoint: str) -> None:
        """There is a connection to this one."""
        self._tried = endpoint

    def answered(self) -> None:
        """The service of the present connection has answered the hello."""
        self._endpoints = [self._tried]

    def not_running(self, error: Optional[OSError]) -> str:
        """Why a try came to nothing, as a sentence."""
        return f"Standin is not running on {' or '.join(self._endpoints)} ({error})"

    def closes(self) -> str:
        """The same of one that was connected."""
        return f"The service on {self._tried} closes the connection"

    def is_silent(self) -> str:
        """The same of one that does not answer."""
        return f"The service on {self._tried} takes connections but does not answer"


class Backoff:
    """When the next try to connect is due: at once, then after pauses that double, each shorter by up to a half at
    random, so that many clients that were cut off together do not come back together."""

    def __init__(self) -> None:
        self._tries = 0
        self.due = 0.0

    def tried(self, now: float) -> None:
        """A try is being made."""
        longest = min(PAUSE_MAX, PAUSE_FIRST * 2 ** min(self._tries, 10))
        self.due = now + random.uniform(longest / 2, longest)
        self._tries += 1

    def was_fruitful(self) -> None:
        """The connection that is lost was of use: the next try is made at once."""
        self._tries, self.due = 0, 0.0
