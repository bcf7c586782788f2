"""A connection that one thread reads and writes at the same time: a Unix socket, or a named pipe of Windows.

Both have ``write`` and ``move``. Who writes much has to read meanwhile: a service whose answers nobody reads takes
nothing more."""

import sys

from ._wire import Closed

if sys.platform == "win32":
    from ._windows import PipeConnection as Connection
else:
    from ._unix import SocketConnection as Connection

__all__ = ["Closed", "Connection"]
