"""A Unix socket that never blocks but where it is told to wait."""

from __future__ import annotations

import math
import select
import socket
from typing import Optional

from ._wire import Closed, Outgoing

READ_MAX = 1 << 16


class SocketConnection:
    """A Unix socket."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # The other end takes nothing any more; what it has said is still to be read.
        self._is_deaf = False
        try:
            # Connecting to a socket with a full queue fails at once instead of waiting for ever.
            self._socket.setblocking(False)
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)

    def write(self, outgoing: Outgoing) -> None:
        """Gives the system what it takes now."""
        while outgoing and not self._is_deaf:
            try:
                outgoing.gave(self._socket.send(outgoing.chunk()))
            except BlockingIOError:
                return
            except OSError:
                self._is_deaf = True

    def move(self, outgoing: Outgoing, timeout: Optional[float]) -> bytes:
        """Writes what can be written and gives what has come, if anything has within the time, in seconds."""
        self.write(outgoing)
        wants_to_write = bool(outgoing) and not self._is_deaf
        self._poll.modify(self._socket, select.POLLIN | (select.POLLOUT if wants_to_write else 0))
        happened = self._poll.poll(None if timeout is None else math.ceil(max(timeout, 0.0) * 1000))
        if not happened or happened[0][1] == select.POLLOUT:
            return b""
        try:
            data = self._socket.recv(READ_MAX)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise Closed from error
        if not data:
            raise Closed
        return data

    def close(self) -> None:
        self._socket.close()
