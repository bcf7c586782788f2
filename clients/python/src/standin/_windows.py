"""A named pipe of Windows, read and written at the same time by one thread: Windows serves the two sides of a pipe one
after the other unless it was opened for overlapped use."""

from __future__ import annotations

import _winapi
import math
from typing import Any, Optional

from ._wire import Closed, Outgoing

READ_MAX = 1 << 16

# The service may know who is here, and not act in that name.
SECURITY_SQOS_PRESENT, SECURITY_IDENTIFICATION = 0x0010_0000, 0x0001_0000

# The end of a pipe is told in several ways; what was longer than the room for it is not lost.
ERROR_MORE_DATA = 234


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
                    # All of it, until it is told how much was taken: it may be.
                    chunk = outgoing.chunk()
                    self._writing, _ = _winapi.WriteFile(self._pipe, chunk, overlapped=True)
                    outgoing.gave(len(chunk))
                if not _is_over(self._writing):
                    return
                self._writing.GetOverlappedResult(True)
            except OSError:
                self._is_deaf = True
            self._writing = None

    def move(self, outgoing: Outgoing, timeout: Optional[float]) -> bytes:
        """Writes what can be written and gives what has come, if anything has within the time, in seconds."""
        try:
            self.write(outgoing)
            if self._reading is None:
                self._reading, _ = _winapi.ReadFile(self._pipe, READ_MAX, overlapped=True)
            events = [under_way.event for under_way in (self._reading, self._writing) if under_way is not None]
            wait = _winapi.INFINITE if timeout is None else math.ceil(max(timeout, 0.0) * 1000)
            _winapi.WaitForMultipleObjects(events, False, wait)
            if not _is_over(self._reading):
                return b""
            reading, self._reading = self._reading, None
            reading.GetOverlappedResult(True)
            data: bytes = reading.getbuffer()
        except OSError as error:
            raise Closed from error
        if not data:
            raise Closed
        return data

    def close(self) -> None:
        """Nothing may be under way when its memory is given back."""
        for under_way in (self._reading, self._writing):
            if under_way is not None:
                try:
                    under_way.cancel()
                    under_way.GetOverlappedResult(True)
                except OSError:
                    pass  # It was cancelled, or the pipe has ended: either way it is over.
        self._reading = self._writing = None
        _winapi.CloseHandle(self._pipe)


def _is_over(under_way: Any) -> bool:
    return bool(_winapi.WaitForMultipleObjects([under_way.event], False, 0) == _winapi.WAIT_OBJECT_0)
