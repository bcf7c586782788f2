"""Where the service listens, and how long to wait before the next try."""

from __future__ import annotations

import os
import random
import sys

# From the first pause to the longest, in seconds.
PAUSE_FIRST, PAUSE_MAX = 0.01, 1.0


def candidates(endpoint: str | None) -> list[str]:
    """The endpoints to try, in their order: the one that is named, else the user's own and the machine's."""
    named = endpoint or os.environ.get("STANDIN_ENDPOINT")
    if named:
        return [named]
    if sys.platform == "win32":
        return [r"\\.\pipe\standin"]
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    own = f"{runtime}/standin" if runtime else f"/tmp/standin-{os.getuid()}"
    return [f"{own}/standin.sock", "/run/standin/standin.sock"]


def pause(failures: int) -> float:
    """How long to wait after so many failures in a row: twice as long each time, with full jitter."""
    longest = min(PAUSE_MAX, PAUSE_FIRST * 2 ** min(failures, 10))
    return random.uniform(PAUSE_FIRST, longest) if longest > PAUSE_FIRST else PAUSE_FIRST
