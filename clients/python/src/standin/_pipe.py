"""A blocking connection: a Unix socket, or a named pipe of Windows."""

from __future__ import annotations

import queue
import socket
import sys
import threading
from typing import Optional


class Closed(Exception):
    """The other end has closed, or the connection broke."""


class SocketConnection:
    """A Unix socket."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise

    def write(self, data: bytes) -> None:
        try:
            self._socket.settimeout(None)
            self._socket.sendall(data)
        except OSError as error:
            raise Closed from error

    def read(self, timeout: Optional[float]) -> Optional[bytes]:
        """What has come; ``None`` if nothing has within the time, in seconds."""
        try:
            self._socket.settimeout(timeout if timeout is None else max(timeout, 0.001))
            data = self._socket.recv(65536)
        except TimeoutError:
            return None
        except OSError as error:
            raise Closed from error
        if not data:
            raise Closed
        return data

    def close(self) -> None:
        self._socket.close()


class PipeConnection:
    """A named pipe. Python reads it without a time limit only, so a thread of its own does."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "r+b", buffering=0)  # noqa: SIM115
        self._read: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._carry, daemon=True).start()

    def _carry(self) -> None:
        data = b"begin"
        while data:
            try:
                data = self._file.read(65536) or b""
            except (OSError, ValueError):
                data = b""
            self._read.put(data)

    def write(self, data: bytes) -> None:
        try:
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) or 0 :]
        except (OSError, ValueError) as error:
            raise Closed from error

    def read(self, timeout: Optional[float]) -> Optional[bytes]:
        """As for a socket."""
        try:
            data = self._read.get(timeout=timeout)
        except queue.Empty:
            return None
        if not data:
            raise Closed
        return data

    def close(self) -> None:
        self._file.close()


Connection = PipeConnection if sys.platform == "win32" else SocketConnection
