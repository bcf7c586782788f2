"""A named pipe of Windows, read and written at the same time by one thread: Windows serves the two sides of a pipe one
after the other unless it was opened for overlapped use."""

from __future__ import annotations

import _winapi
import contextlib
import math
from typing import Any, Optional

from ._wire import Closed, Outgoing

READ_MAX = 1 << 16

# The service may know who is here, and not act in that name.
SECURITY_SQOS_PRESENT, SECURITY_IDENTIFICATION = 0x0010_0000, 0x0001_0000

# So long the last words are given to go out.
LAST_WORDS_MS = 1000

# It is still under way.
ERROR_IO_INCOMPLETE = 996


class PipeConnection:
    """A named pipe."""

    def __init__(self, path: str) -> None:
        access = _winapi.GENERIC_READ | _winapi.GENERIC_WRITE
        flags = _winapi.FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION
        self._pipe = _winapi.CreateFile(path, access, 0, _winapi.NULL, _winapi.OPEN_EXISTING, flags, _winapi.NULL)
        self._reading: Any = None
        self._writing: Any = None
        # The other end takes nothing any more; what it has said is still to be read.
        self._is_deaf = False

    def write(self, outgoing: Outgoing) -> None:
        """Gives the system what it takes now."""
        while not self._is_deaf and (self._writing is not None or outgoing):
            try:
                if self._writing is None:
                    chunk = outgoing.chunk()
                    self._writing, _ = _winapi.WriteFile(self._pipe, chunk, overlapped=True)
                    # From now on any part of it may arrive.
                    outgoing.gave(len(chunk))
                if not _is_over(self._writing):
                    return
            except OSError:
                self._is_deaf = True
            self._writing = None

    def move(self, outgoing: Outgoing, timeout: Optional[float]) -> bytes:
        """Writes what can be written and gives what has come, if anything has within the time, in seconds."""
        self.write(outgoing)
        try:
            if self._reading is None:
                self._reading, _ = _winapi.ReadFile(self._pipe, READ_MAX, overlapped=True)
            events = [under_way.event for under_way in (self._reading, self._writing) if under_way is not None]
            wait = _winapi.INFINITE if timeout is None else math.ceil(max(timeout, 0.0) * 1000)
            _winapi.WaitForMultipleObjects(events, False, wait)
            if not _is_over(self._reading):
                return b""
        except InterruptedError:
            return b""
        except OSError as error:
            self._reading = None
            raise Closed from error
        data: bytes = self._reading.getbuffer()
        self._reading = None
        if not data:
            raise Closed
        return data

    def close(self) -> None:
        if self._writing is not None:
            with contextlib.suppress(OSError):
                _winapi.WaitForMultipleObjects([self._writing.event], False, LAST_WORDS_MS)
        for under_way in (self._reading, self._writing):
            if under_way is not None:
                # Nothing may be under way when its memory is given back. That it was cancelled, or that the pipe has
                # ended, are errors here.
                with contextlib.suppress(OSError):
                    under_way.cancel()
                    under_way.GetOverlappedResult(True)
        self._reading = self._writing = None
        _winapi.CloseHandle(self._pipe)


def _is_over(under_way: Any) -> bool:
    """Whether it is done. ``OSError`` if it came to nothing."""
    _, error = under_way.GetOverlappedResult(False)
    return bool(error != ERROR_IO_INCOMPLETE)
