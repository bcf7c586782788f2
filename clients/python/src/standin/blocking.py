"""The blocking client: one thread, which serves callbacks while it waits."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Callable, Optional

from ._callbacks import Callback, Callbacks, answer
from ._connection import Closed, Connection
from ._endpoint import HELLO_LIMIT, RESUME_LIMIT, Backoff, Way
from ._outbox import Request
from ._session import Event, HelloRefused, Progress, Session, call_parts
from ._wire import Broken
from .errors import ConnectionLost, Outcome, ServiceError

# A call that is made is written out before ``start`` returns, unless the service takes nothing for so many seconds:
# then the rest goes when the program waits.
STUCK_LIMIT = 1.0


class Pending:
    """A call that was made and is waited for later."""

    def __init__(self, client: "Client", request: Request) -> None:
        self._client, self._request = client, request

    def wait(self, timeout: Optional[float] = None) -> Any:
        """The answer. ``TimeoutError`` after so many seconds; the call itself goes on."""
        return self._client._wait(self._request, timeout)

    def cancel(self) -> None:
        """Takes the call back. It is answered all the same, once."""
        self._client._cancel(self._request)

    @property
    def done(self) -> bool:
        """Whether the answer is there."""
        return self._request.done


class Client:
    """A connection to a service, and the session that outlives it. One thread at a time may use it."""

    def __init__(
        self,
        endpoint: Optional[str] = None,
        *,
        name: str = "python",
        callbacks: Optional[Callbacks] = None,
        progress: bool = False,
        timeout: float = 10.0,
        resume: float = RESUME_LIMIT,
    ) -> None:
        self._callbacks = callbacks
        self._session = Session(name, callbacks is not None, progress, resume)
        self._way, self._backoff = Way(endpoint), Backoff()
        self._connection: Any = None
        self._greeted_by = 0.0
        self._refused: Optional[ServiceError] = None
        self._run(lambda: self._session.is_ready or self._refused is not None, time.monotonic() + timeout)
        if not self._session.is_ready:
            trouble = self._session.trouble or self._way.is_silent()
            self.close()
            raise self._refused or ConnectionLost(f"{trouble}.", Outcome.NOT_EXECUTED)

    # -- calls

    def call(
        self,
        method: str,
        arguments: Optional[dict[str, Any]] = None,
        /,
        *,
        timeout: Optional[float] = None,
        key: Optional[str] = None,
        idempotent: bool = False,
        on_progress: Optional[Callable[[Any], None]] = None,
        **named: Any,
    ) -> Any:
        """Makes a call and waits for its answer. ``timeout`` is the whole call's, in seconds, restarts included."""
        pending = self.start(
            method,
            arguments,
            timeout=timeout,
            key=key,
            idempotent=idempotent,
            on_progress=on_progress,
            **named,
        )
        try:
            return pending.wait()
        except BaseException:
            # Where it was not the answer but, say, Ctrl-C, nobody can wait for it any more.
            self._session.forget(pending._request, time.monotonic())
            raise

    def start(
        self,
        method: str,
        arguments: Optional[dict[str, Any]] = None,
        /,
        *,
        timeout: Optional[float] = None,
        key: Optional[str] = None,
        idempotent: bool = False,
        on_progress: Optional[Callable[[Any], None]] = None,
        **named: Any,
    ) -> Pending:
        """Makes a call without waiting for its answer."""
        params, meta = call_parts(arguments, named, key, idempotent)
        now = time.monotonic()
        deadline = None if timeout is None else now + timeout
        request = self._session.request(method, params, meta, deadline, now, on_progress)
        try:
            self._flush(deadline)
        except BaseException:
            self._session.forget(request, time.monotonic())
            raise
        return Pending(self, request)

    def batch(self, calls: list[tuple[str, dict[str, Any]]], *, timeout: Optional[float] = None) -> list[Any]:
        """Makes many calls in one round trip. Gives a result, or a ``ServiceError``, for each."""
        items = [[method, [arguments]] for method, arguments in calls]
        answers = self.call("standin.batch", {"calls": items}, timeout=timeout)
        return [result if error is None else ServiceError(error) for error, result in answers]

    def close(self) -> None:
        """Ends the session. Calls that are unanswered end with ``ConnectionLost``."""
        self._session.close()
        self._flush()
        self._disconnect()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    # -- waiting

    def _wait(self, request: Request, timeout: Optional[float]) -> Any:
        self._run(lambda: request.done, None if timeout is None else time.monotonic() + timeout)
        if not request.done:
            raise TimeoutError("there is no answer yet")
        return request.value()

    def _cancel(self, request: Request) -> None:
        if not self._session.take_back(request):
            self.call("standin.cancel", {"msgid": request.msgid}, idempotent=True)

    def _run(self, is_done: Callable[[], bool], until: Optional[float]) -> None:
        """Reads, serves callbacks and makes lost connections anew until it is done or late."""
        is_late = False
        while True:
            while self._session.events:
                self._serve(self._session.events.popleft())
            next_expiry = self._session.expire(time.monotonic())
            if is_done() or is_late or self._session.is_over:
                return
            if self._connection is None:
                self._connect(_earliest(until, next_expiry))
            else:
                self._move(_earliest(until, next_expiry))
            is_late = until is not None and time.monotonic() >= until

    def _serve(self, event: Event) -> None:
        if isinstance(event, Progress):
            event.tell()
            return
        result, error = self._answer(event)
        self._session.answer(event, result, error)
        self._flush()

    def _answer(self, asked: Callback) -> tuple[Any, Any]:
        questions = asked.questions()
        if questions is None:
            return answer(self._callbacks, asked)
        answers = [answer(self._callbacks, question) for question in questions]
        return [[failure, result] for result, failure in answers], None

    # -- the connection

    def _connect(self, until: Optional[float]) -> None:
        """Tries once, when the next try is due; not if that is later than there is time."""
        now = time.monotonic()
        due = max(now, self._backoff.due)
        time.sleep(max(0.0, (due if until is None else min(due, until)) - now))
        if until is not None and until < due:
            return
        self._backoff.tried(due)
        last: Optional[OSError] = None
        for endpoint in self._way.endpoints():
            try:
                self._connection = Connection(endpoint)
            except OSError as error:
                last = error
            else:
                self._way.tries(endpoint)
                self._greeted_by = due + HELLO_LIMIT
                self._session.connected()
                return
        self._session.trouble = self._way.not_running(last)

    def _move(self, until: Optional[float]) -> bool:
        """Writes and reads what can be, and waits for that until then. Whether anything has come."""
        ends = until if self._session.is_ready else _earliest(until, self._greeted_by)
        try:
            data = self._connection.move(self._session.outgoing, None if ends is None else ends - time.monotonic())
        except Closed:
            self._disconnect(self._way.closes())
            return False
        if data:
            self._received(data)
        elif not self._session.is_ready and time.monotonic() >= self._greeted_by:
            self._disconnect(self._way.is_silent())
        return bool(data)

    def _received(self, data: bytes) -> None:
        try:
            self._session.received(data, time.monotonic())
        except HelloRefused as refused:
            self._refused = refused.error
            self._disconnect(str(refused))
        except Broken as broken:
            self._disconnect(f"The service sent what is no message: {broken}")
        else:
            if self._session.is_ready:
                self._way.answered()
            if self._session.is_over and not self._session.outgoing:
                self._disconnect()

    def _flush(self, until: Optional[float] = None) -> None:
        """Writes what is to be written, and reads meanwhile: a service whose answers nobody reads takes nothing
        more."""
        if self._connection is not None:
            self._connection.write(self._session.outgoing)
        stuck_at = time.monotonic() + STUCK_LIMIT
        while self._connection is not None and self._session.outgoing:
            ends = stuck_at if until is None else min(until, stuck_at)
            if time.monotonic() >= ends:
                return
            given = self._session.outgoing.given
            if self._move(ends) or self._session.outgoing.given > given:
                stuck_at = time.monotonic() + STUCK_LIMIT

    def _disconnect(self, trouble: str = "") -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection, self._session.trouble = None, trouble
            if self._session.disconnected(time.monotonic()):
                self._backoff.was_fruitful()


def _earliest(one: Optional[float], other: Optional[float]) -> Optional[float]:
    return min((end for end in (one, other) if end is not None), default=None)


def connect(endpoint: Optional[str] = None, **options: Any) -> Client:
    """A client of the service at ``endpoint``: the one of the variable ``STANDIN_ENDPOINT``, else the usual ones."""
    return Client(endpoint, **options)
