"""The client for asyncio."""

from __future__ import annotations

import asyncio
import inspect
import sys
from typing import Any, Callable, Optional

from ._endpoint import candidates, pause
from ._session import Callback, Event, Progress, Request, Session, call_parts
from .blocking import OUTAGE_MAX, Callbacks, answer_callback
from .errors import ConnectionLost, ServiceError


class Client:
    """A connection to a service, and the session that outlives it. Made by :func:`connect`."""

    def __init__(self, endpoint: Optional[str], name: str, callbacks: Optional[Callbacks], progress: bool) -> None:
        self._endpoint, self._callbacks = endpoint, callbacks
        self._session = Session(name, callbacks is not None, progress)
        self._writer: Optional[asyncio.StreamWriter] = None
        self._ready = asyncio.Event()
        self._refused: Optional[ServiceError] = None
        self._work: list[asyncio.Task[None]] = []
        self._serving: set[asyncio.Task[None]] = set()

    async def call(
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
        """Makes a call and waits for its answer. A task that is cancelled takes its call back."""
        loop = asyncio.get_running_loop()
        params, meta = call_parts(arguments, named, key, idempotent)
        deadline = None if timeout is None else loop.time() + timeout
        request, data = self._session.request(method, params, meta, deadline, loop.time(), on_progress)
        answered: asyncio.Future[None] = loop.create_future()

        def tell(_: Request) -> None:
            if not answered.done():
                answered.set_result(None)

        request.on_done = tell
        if request.done:
            tell(request)
        timer = None if deadline is None else loop.call_at(deadline, lambda: self._session.expire(loop.time()))
        self._write(data)
        try:
            await answered
        except asyncio.CancelledError:
            _, data = self._session.request("standin.cancel", [{"msgid": request.msgid}], {}, None, loop.time())
            self._write(data)
            raise
        finally:
            if timer is not None:
                timer.cancel()
        return request.value()

    async def batch(self, calls: list[tuple[str, dict[str, Any]]], *, timeout: Optional[float] = None) -> list[Any]:
        """Makes many calls in one round trip. Gives a result, or a ``ServiceError``, for each."""
        items = [[method, [arguments]] for method, arguments in calls]
        answers = await self.call("standin.batch", {"calls": items}, timeout=timeout)
        return [result if error is None else ServiceError(error) for error, result in answers]

    async def close(self) -> None:
        """Ends the session."""
        self._write(self._session.goodbye())
        for task in [*self._work, *self._serving]:
            task.cancel()
        if self._writer is not None:
            self._writer.close()
        self._session.close()

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # -- inside

    def _write(self, data: bytes) -> None:
        if data and self._writer is not None and not self._writer.is_closing():
            self._writer.write(data)

    async def _live(self) -> None:
        """Connects, reads, and connects anew."""
        loop = asyncio.get_running_loop()
        failures, lost_at = 0, loop.time()
        while not self._session.moved and self._refused is None:
            try:
                reader, self._writer = await self._open()
            except OSError:
                if loop.time() - lost_at > OUTAGE_MAX:
                    self._session.close()
                await asyncio.sleep(pause(failures))
                failures += 1
                continue
            failures = 0
            self._write(self._session.connected())
            await self._read(reader)
            lost_at = loop.time()
            self._writer.close()
            self._session.disconnected()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                data = await reader.read(65536)
            except OSError:
                return
            if not data:
                return
            try:
                out, events = self._session.received(data, loop.time())
            except ServiceError as refused:
                self._refused = refused
                self._ready.set()
                return
            self._write(out)
            if self._session.is_ready:
                self._ready.set()
            for event in events:
                self._serve(event)

    def _serve(self, event: Event) -> None:
        if isinstance(event, Progress):
            if event.request.on_progress is not None:
                event.request.on_progress(event.what)
            return
        task = asyncio.get_running_loop().create_task(self._answer(event))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _answer(self, asked: Callback) -> None:
        questions = asked.questions()
        if questions is None:
            result, error = await self._result(asked)
        else:
            answers = [await self._result(question) for question in questions]
            result, error = [[failure, answer] for answer, failure in answers], None
        self._write(self._session.answer(asked, result, error))

    async def _result(self, asked: Callback) -> tuple[Any, Any]:
        result, error = answer_callback(self._callbacks, asked)
        if inspect.isawaitable(result):
            try:
                result = await result
            except Exception as raised:  # noqa: BLE001 - whatever a program's function raises is an answer
                error, result = [1000, str(raised), {"code": "callback_error", "outcome": "unknown"}], None
        return result, error

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        last: Optional[OSError] = None
        for path in candidates(self._endpoint):
            try:
                if sys.platform == "win32":
                    return await _open_pipe(path)
                return await asyncio.open_unix_connection(path)
            except OSError as error:
                last = error
        raise last or OSError("there is no endpoint to try")


async def _open_pipe(path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A named pipe as a stream; the loop of Windows can do it."""
    loop: Any = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.create_pipe_connection(lambda: protocol, path)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def connect(
    endpoint: Optional[str] = None,
    *,
    name: str = "python",
    callbacks: Optional[Callbacks] = None,
    progress: bool = False,
    timeout: float = 10.0,
) -> Client:
    """A client of the service at ``endpoint``, waited for ``timeout`` seconds. Callbacks may be coroutines."""
    client = Client(endpoint, name, callbacks, progress)
    client._work.append(asyncio.get_running_loop().create_task(client._live()))
    try:
        await asyncio.wait_for(client._ready.wait(), timeout)
    except asyncio.TimeoutError:
        await client.close()
        where = " or ".join(candidates(endpoint))
        raise ConnectionLost(f"Standin is not running on {where}.") from None
    if client._refused is not None:
        await client.close()
        raise client._refused
    return client
