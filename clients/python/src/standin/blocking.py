"""The blocking client: one thread, which serves callbacks while it waits."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Callable, Mapping, Optional, Union

from ._endpoint import candidates, pause
from ._pipe import Closed, Connection
from ._session import Callback, Event, Progress, Request, Session, call_parts
from .errors import ConnectionLost, ServiceError, StandinError

#: Answers the questions of co-processes: by method, or one function of method and arguments.
Callbacks = Union[Mapping[str, Callable[..., Any]], Callable[[str, list[Any]], Any]]

#: Seconds that a call without a time of its own waits for a service that has gone.
OUTAGE_MAX = 60.0


class Pending:
    """A call that was made and is waited for later."""

    def __init__(self, client: "Client", request: Request) -> None:
        self._client, self._request = client, request

    def wait(self, timeout: Optional[float] = None) -> Any:
        """The answer. ``TimeoutError`` after so many seconds; the call itself goes on."""
        return self._client._wait(self._request, timeout)

    def cancel(self) -> None:
        """Takes the call back. It is answered all the same, once."""
        self._client.call("standin.cancel", msgid=self._request.msgid)

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
    ) -> None:
        self._endpoint, self._callbacks = endpoint, callbacks
        self._session = Session(name, callbacks is not None, progress)
        self._connection: Any = None
        self._lost_at: Optional[float] = None
        self._connect_by(time.monotonic() + timeout)
        self._run(lambda: self._session.is_ready, time.monotonic() + timeout)
        if not self._session.is_ready:
            self.close()
            raise ConnectionLost("The service did not answer in time.")

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
        return self.start(
            method,
            arguments,
            timeout=timeout,
            key=key,
            idempotent=idempotent,
            on_progress=on_progress,
            **named,
        ).wait()

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
        request, data = self._session.request(method, params, meta, deadline, now, on_progress)
        self._write(data)
        return Pending(self, request)

    def batch(self, calls: list[tuple[str, dict[str, Any]]], *, timeout: Optional[float] = None) -> list[Any]:
        """Makes many calls in one round trip. Gives a result, or a ``ServiceError``, for each."""
        items = [[method, [arguments]] for method, arguments in calls]
        answers = self.call("standin.batch", {"calls": items}, timeout=timeout)
        return [result if error is None else ServiceError(error) for error, result in answers]

    def close(self) -> None:
        """Ends the session. Calls that are unanswered end with ``ConnectionLost``."""
        if self._connection is not None:
            self._write(self._session.goodbye())
            self._disconnect()
        self._session.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    # -- inside

    def _wait(self, request: Request, timeout: Optional[float]) -> Any:
        until = None if timeout is None else time.monotonic() + timeout
        self._run(lambda: request.done, until)
        if not request.done:
            raise TimeoutError("there is no answer yet")
        return request.value()

    def _run(self, is_done: Callable[[], bool], until: Optional[float]) -> None:
        """Reads, serves callbacks and makes lost connections anew until it is done or late."""
        while not is_done():
            now = time.monotonic()
            self._session.expire(now)
            if is_done() or (until is not None and now >= until):
                return
            if self._connection is None:
                self._reconnect(until)
                continue
            ends = [end for end in (until, self._session.next_deadline()) if end is not None]
            wait = min(ends) - now if ends else None
            try:
                data = self._connection.read(wait)
            except Closed:
                self._disconnect()
                continue
            if data is not None:
                self._received(data)

    def _received(self, data: bytes) -> None:
        try:
            out, events = self._session.received(data, time.monotonic())
        except ServiceError:
            self._disconnect()
            raise
        self._write(out)
        for event in events:
            self._serve(event)

    def _serve(self, event: Event) -> None:
        if isinstance(event, Progress):
            if event.request.on_progress is not None:
                event.request.on_progress(event.what)
            return
        questions = event.questions()
        if questions is None:
            result, error = answer_callback(self._callbacks, event)
        else:
            answers = [answer_callback(self._callbacks, question) for question in questions]
            result, error = [[failure, answer] for answer, failure in answers], None
        self._write(self._session.answer(event, result, error))

    def _write(self, data: bytes) -> None:
        if data and self._connection is not None:
            try:
                self._connection.write(data)
            except Closed:
                self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection, self._lost_at = None, time.monotonic()
            self._session.disconnected()

    def _reconnect(self, until: Optional[float]) -> None:
        now = time.monotonic()
        ends = [end for end in (until, self._session.next_deadline()) if end is not None]
        patience = (self._lost_at or now) + OUTAGE_MAX
        try:
            self._connect_by(min(ends, default=patience))
        except ConnectionLost:
            if time.monotonic() >= patience:
                self._session.close()

    def _connect_by(self, deadline: float) -> None:
        failures, refused = 0, None
        while True:
            for path in candidates(self._endpoint):
                try:
                    self._connection = Connection(path)
                except OSError as error:
                    refused = error
                else:
                    self._write(self._session.connected())
                    return
            now = time.monotonic()
            if now >= deadline:
                where = " or ".join(candidates(self._endpoint))
                raise ConnectionLost(f"Standin is not running on {where} ({refused}).")
            time.sleep(min(pause(failures), deadline - now))
            failures += 1


def answer_callback(callbacks: Optional[Callbacks], asked: Callback) -> tuple[Any, Any]:
    """What a callback is answered: a result, or an error as it stands on the wire."""
    try:
        if callbacks is None:
            raise LookupError("This program takes no callbacks.")
        if callable(callbacks):
            return callbacks(asked.method, asked.params), None
        if asked.method not in callbacks:
            raise LookupError(f'This program has no callback "{asked.method}".')
        arguments = asked.params[0] if len(asked.params) == 1 else None
        if isinstance(arguments, dict):
            return callbacks[asked.method](**arguments), None
        return callbacks[asked.method](*asked.params), None
    except StandinError as error:
        return None, [1000, str(error), {"code": error.code, "outcome": error.outcome.value}]
    except Exception as error:  # noqa: BLE001 - whatever a program's function raises is an answer
        return None, [1000, f"{type(error).__name__}: {error}", {"code": "callback_error", "outcome": "unknown"}]


def connect(endpoint: Optional[str] = None, **options: Any) -> Client:
    """A client of the service at ``endpoint``: the one of the variable ``STANDIN_ENDPOINT``, else the usual ones."""
    return Client(endpoint, **options)
