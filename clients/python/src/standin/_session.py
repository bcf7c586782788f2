"""One session, without a connection, a clock or a thread of its own: bytes and time in, bytes and events out.

It owns the requests that are unanswered and decides what is sent again. The two clients, blocking and asyncio, own a
connection each and do what this says.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Optional, Union

import msgpack

from .errors import (
    ConnectionLost,
    DeadlineExceeded,
    Outcome,
    ServiceError,
    SessionMoved,
    StandinError,
)

# The service's own limit for a message, and room for a longer msgid.
MESSAGE_SIZE_MAX = (16 << 20) + 64

# By this name the service asks many questions at once; the answer is a list of [error, result].
BATCH = "client.batch"

# So many answers may be unacknowledged before that is said by itself.
UNACKNOWLEDGED_MAX = 64


@dataclasses.dataclass
class Request:
    """A call that was made: unanswered, or with its answer."""

    msgid: int
    method: str
    params: list[Any]
    meta: dict[str, Any]
    deadline: Optional[float]
    on_progress: Optional[Callable[[Any], None]] = None
    written: bool = False
    done: bool = False
    result: Any = None
    error: Optional[StandinError] = None
    on_done: Optional[Callable[["Request"], None]] = None

    @property
    def may_be_repeated(self) -> bool:
        """Whether the service can be asked again without knowing of the first time."""
        return not self.written or bool(self.meta.get("idempotent")) or "key" in self.meta

    def finish(self, result: Any, error: Optional[StandinError]) -> None:
        self.done, self.result, self.error = True, result, error
        if self.on_done is not None:
            self.on_done(self)

    def value(self) -> Any:
        """The answer, or the error."""
        if self.error is not None:
            raise self.error
        return self.result


@dataclasses.dataclass
class Callback:
    """A co-process asks this program something, in the course of one of its calls."""

    connection: int
    msgid: int
    method: str
    params: list[Any]

    def questions(self) -> Optional[list["Callback"]]:
        """What is asked, if it is many questions in one: to be answered in their order."""
        if self.method != BATCH:
            return None
        return [dataclasses.replace(self, method=str(method), params=params) for method, params in self.params]


@dataclasses.dataclass
class Progress:
    """A call is getting on."""

    request: Request
    what: Any


Event = Union[Callback, Progress]


class Session:
    """The state of a session over all its connections."""

    def __init__(self, name: str, callbacks: bool, progress: bool) -> None:
        self._hello = {
            "client": name,
            "callbacks": callbacks,
            "callback_batches": callbacks,
            "progress": progress,
        }
        self._open: dict[int, Request] = {}
        self._last_msgid = 0
        self._acked = 0
        self._token: Optional[str] = None
        self._hello_msgid: Optional[int] = None
        self._connection = 0
        self._unpacker = _unpacker()
        self.is_ready = False
        self.moved = False

    # -- the connection

    def connected(self) -> bytes:
        """A connection is there. The first thing to write to it."""
        self._connection += 1
        self._unpacker = _unpacker()
        self._last_msgid += 1
        self._hello_msgid = self._last_msgid
        arguments = dict(self._hello)
        if self._token is not None:
            arguments["session"] = self._token
        return _pack([0, self._hello_msgid, "standin.hello", [arguments]])

    def disconnected(self) -> None:
        """The connection is gone. Without a session, whatever was written is lost with it."""
        self.is_ready, self._hello_msgid = False, None
        if self._token is None:
            self._give_up(ConnectionLost("The connection to Standin was lost."))

    def received(self, data: bytes, now: float) -> tuple[bytes, list[Event]]:
        """What came. Gives what is to be written now, and what is to be looked at."""
        out, events = bytearray(), []
        self._unpacker.feed(data)
        for message in self._unpacker:
            if not isinstance(message, list) or not message:
                raise ValueError("the service sent what is no message")
            kind = message[0]
            if kind == 1 and len(message) == 4:
                out += self._response(message[1], message[2], message[3], now)
            elif kind == 0 and len(message) >= 4:
                method, params = str(message[2]), message[3]
                events.append(Callback(self._connection, message[1], method, params))
            elif kind == 2 and len(message) == 3:
                self._told(message[1], message[2], events)
        if self._unacknowledged() >= UNACKNOWLEDGED_MAX:
            out += self.acknowledge()
        return bytes(out), events

    # -- calls

    def request(
        self,
        method: str,
        params: list[Any],
        meta: dict[str, Any],
        deadline: Optional[float],
        now: float,
        on_progress: Optional[Callable[[Any], None]] = None,
    ) -> tuple[Request, bytes]:
        """Makes a call. Gives what is to be written, if there is a connection."""
        if on_progress is not None and not self._hello["progress"]:
            raise ValueError("progress is told only to a client that was made with progress=True")
        self._last_msgid += 1
        request = Request(self._last_msgid, method, params, meta, deadline, on_progress)
        self._open[request.msgid] = request
        if self.moved:
            self._give_up(SessionMoved("Another connection has taken the session over."))
            return request, b""
        return request, self._write(request, now) if self.is_ready else b""

    def answer(self, callback: Callback, result: Any, error: Any) -> bytes:
        """Answers a callback; one of a connection that is gone gets no answer."""
        if callback.connection != self._connection:
            return b""
        try:
            return _pack([1, callback.msgid, error, result])
        except (TypeError, ValueError, OverflowError) as unfit:
            sentence = f"The program's answer cannot be sent: {unfit}."
            return _pack([1, callback.msgid, [1000, sentence, {"code": "callback_error", "outcome": "unknown"}], None])

    def expire(self, now: float) -> None:
        """Ends the calls whose time is up. The service ends them too; this is for when it is not there."""
        for request in list(self._open.values()):
            if request.deadline is not None and now >= request.deadline:
                del self._open[request.msgid]
                outcome = Outcome.UNKNOWN if request.written else Outcome.NOT_EXECUTED
                sentence = f'"{request.method}" was not answered in time.'
                request.finish(None, DeadlineExceeded(sentence, outcome))

    def next_deadline(self) -> Optional[float]:
        """When ``expire`` is due."""
        deadlines = [open.deadline for open in self._open.values() if open.deadline is not None]
        return min(deadlines, default=None)

    def has_open(self) -> bool:
        """Whether somebody waits for an answer."""
        return bool(self._open)

    def acknowledge(self) -> bytes:
        """Says that every answer so far was read."""
        if not self.is_ready or self._unacknowledged() == 0:
            return b""
        self._acked = self._floor()
        return _pack([2, "standin.ack", [self._acked]])

    def goodbye(self) -> bytes:
        """Says that this client will not come back."""
        self._token = None
        return _pack([2, "standin.goodbye", []])

    def close(self) -> None:
        """Nobody waits any more."""
        self._give_up(ConnectionLost("The client was closed."))

    # -- inside

    def _write(self, request: Request, now: float) -> bytes:
        meta = dict(request.meta)
        if request.deadline is not None:
            meta["timeout_ms"] = max(1, int((request.deadline - now) * 1000))
        floor = self._floor()
        if floor > self._acked and self._token is not None:
            meta["ack"] = self._acked = floor
        request.written = True
        message = [0, request.msgid, request.method, request.params]
        return _pack(message + [meta] if meta else message)

    def _response(self, msgid: int, error: Any, result: Any, now: float) -> bytes:
        if msgid == self._hello_msgid:
            return self._greeted(error, result, now)
        request = self._open.pop(msgid, None)
        if request is not None:
            request.finish(result, None if error is None else ServiceError(error))
        return b""

    def _greeted(self, error: Any, hello: Any, now: float) -> bytes:
        self._hello_msgid = None
        if error is not None:
            self._token = None
            raise ServiceError(error)
        if not hello.get("resumed"):
            # Nothing is known there of what was asked before.
            lost = [open for open in self._open.values() if not open.may_be_repeated]
            for request in lost:
                del self._open[request.msgid]
                sentence = f'"{request.method}" was interrupted. Whether it was executed is not known.'
                request.finish(None, ConnectionLost(sentence))
            self._acked = 0
        self._token = hello.get("session")
        self.is_ready = True
        return b"".join(self._write(request, now) for request in self._open.values())

    def _told(self, method: Any, params: Any, events: list[Event]) -> None:
        if method == "session.moved":
            self.moved, self._token = True, None
            self._give_up(SessionMoved("Another connection has taken the session over."))
        elif method == "request.progress" and isinstance(params, list) and len(params) == 2:
            request = self._open.get(params[0])
            if request is not None:
                events.append(Progress(request, params[1]))

    def _give_up(self, error: StandinError) -> None:
        for request in list(self._open.values()):
            if request.written or self.moved or isinstance(error, ConnectionLost):
                del self._open[request.msgid]
                request.finish(None, error)

    def _floor(self) -> int:
        """Every number up to this one was answered."""
        return min(self._open, default=self._last_msgid + 1) - 1

    def _unacknowledged(self) -> int:
        return self._floor() - self._acked if self._token is not None else 0


def _unpacker() -> msgpack.Unpacker:
    # A text that is not UTF-8 comes through as it is, and can be had back with the same error handler.
    return msgpack.Unpacker(
        raw=False,
        unicode_errors="surrogateescape",
        strict_map_key=False,
        max_buffer_size=2 * MESSAGE_SIZE_MAX,
    )


def _pack(message: list[Any]) -> bytes:
    packed: bytes = msgpack.packb(message, use_bin_type=True, unicode_errors="surrogateescape")
    return packed


def call_parts(
    arguments: Optional[dict[str, Any]],
    named: dict[str, Any],
    key: Optional[str],
    idempotent: bool,
) -> tuple[list[Any], dict[str, Any]]:
    """Arguments as they stand in a request, and what stands beside them."""
    meta: dict[str, Any] = {}
    if key is not None:
        meta["key"] = key
    if idempotent:
        meta["idempotent"] = True
    return [{**(arguments or {}), **named}], meta
