"""Calls the methods of a Standin service.

>>> with standin.connect() as client:                                            # doctest: +SKIP
...     client.call("text.replace", text="a-b", pattern="-", **{"with": "+"})
'a+b'

A client has a session: when its connection breaks, or the service is killed and comes back, it goes on with what is
unanswered, and every call is answered once. ``standin.aio`` is the same for asyncio.
"""

from . import aio
from .blocking import Client, Pending, connect
from .errors import (
    ConnectionLost,
    DeadlineExceeded,
    MessageTooLarge,
    Outcome,
    ServiceError,
    SessionMoved,
    StandinError,
)

__all__ = [
    "Client",
    "ConnectionLost",
    "DeadlineExceeded",
    "MessageTooLarge",
    "Outcome",
    "Pending",
    "ServiceError",
    "SessionMoved",
    "StandinError",
    "aio",
    "connect",
]
