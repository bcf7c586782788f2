"""The client for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import sys
from typing import Any, Callable, Optional

from ._callbacks import Callback, Callbacks, answer, failure
from ._endpoint import HELLO_LIMIT, RESUME_LIMIT, Backoff, Way
from ._outbox import Request
from ._session import HelloRefused, Progress, Session, call_parts
from ._wire import Broken
from .errors import ConnectionLost, Outcome, ServiceError

# So many seconds one try to connect may take, and the last words of a client that is closed.
TRY_LIMIT = GOODBYE_LIMIT = 1.0

READ_MAX = 1 << 16

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Client:
    """A connection to a service, and the session that outlives it. Made by :func:`connect`."""

    def __init__(
        self, endpoint: Optional[str], name: str, callbacks: Optional[Callbacks], progress: bool, resume: float
    ) -> None:
        self._callbacks = callbacks
        self._session = Session(name, callbacks is not None, progress, resume)
        self._way, self._backoff = Way(endpoint), Backoff()
        self._loop = asyncio.get_running_loop()
        # There is something to write, and it is written; somebody waits for a connection.
        self._said, self._written, self._asked = asyncio.Event(), asyncio.Event(), asyncio.Event()
        # The first hello is answered, or will never be.
        self._opened = asyncio.Event()
        self._refused: Optional[ServiceError] = None
        self._timer: Optional[asyncio.TimerHandle] = None
        self._serving: set[asyncio.Task[None]] = set()
        self._keeper = self._loop.create_task(self._keep())

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
        params, meta = call_parts(arguments, named, key, idempotent)
        now = self._loop.time()
        deadline = None if timeout is None else now + timeout
        request = self._session.request(method, params, meta, deadline, now, on_progress)
        if not request.done:
            await self._wait(request)
        return request.value()

    async def batch(self, calls: list[tuple[str, dict[str, Any]]], *, timeout: Optional[float] = None) -> list[Any]:
        """Makes many calls in one round trip. Gives a result, or a ``ServiceError``, for each."""
        items = [[method, [arguments]] for method, arguments in calls]
        answers = await self.call("standin.batch", {"calls": items}, timeout=timeout)
        return [result if error is None else ServiceError(error) for error, result in answers]

    async def close(self) -> None:
        """Ends the session. Calls that are unanswered end with ``ConnectionLost``."""
        self._session.close()
        if self._session.outgoing and not self._keeper.done():
            self._written.clear()
            self._said.set()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._written.wait(), GOODBYE_LIMIT)
        tasks = {self._keeper, *self._serving} - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # -- calls

    async def _wait(self, request: Request) -> None:
        answered: asyncio.Future[None] = self._loop.create_future()
        request.on_done = lambda _: None if answered.done() else answered.set_result(None)
        due = self._session.expiry(request)
        if due is not None and (self._timer is None or due < self._timer.when()):
            self._wake_at(due)
        self._said.set()
        self._asked.set()
        try:
            await answered
        except asyncio.CancelledError:
            self._session.forget(request, self._loop.time())
            self._said.set()
            raise

    def _watch(self) -> None:
        """Ends the calls that have waited long enough, and comes back for the next one."""
        self._wake_at(self._session.expire(self._loop.time()))

    def _wake_at(self, when: Optional[float]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if when is None else self._loop.call_at(when, self._watch)

    # -- the connection

    async def _keep(self) -> None:
        """Connects, reads, and connects anew while somebody waits."""
        try:
            while not self._session.is_over:
                while self._opened.is_set() and not self._session.is_wanted:
                    self._asked.clear()
                    await self._asked.wait()
                await asyncio.sleep(max(0.0, self._backoff.due - self._loop.time()))
                self._backoff.tried(self._loop.time())
                streams = await self._connect()
                if streams is not None:
                    await self._talk(*streams)
        finally:
            # However this ends, nobody is left waiting.
            self._session.end()
            self._wake_at(None)
            self._opened.set()
            self._written.set()

    async def _connect(self) -> Optional[Streams]:
        last: Optional[OSError] = None
        for endpoint in self._way.endpoints():
            try:
                streams = await asyncio.wait_for(_open(endpoint), TRY_LIMIT)
            except asyncio.TimeoutError:
                last = OSError("it takes no connection")
            except OSError as error:
                last = error
            else:
                self._way.tries(endpoint)
                return streams
        self._session.trouble = self._way.not_running(last)
        return None

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from the hello to its end."""
        self._session.connected()
        self._said.set()
        writing = self._loop.create_task(self._write(writer))
        try:
            self._session.trouble = await self._read(reader)
        finally:
            writing.cancel()
            writer.transport.abort()
            if self._session.disconnected(self._loop.time()):
                self._backoff.was_fruitful()
            self._watch()

    async def _write(self, writer: asyncio.StreamWriter) -> None:
        # With nothing in between, what was not given to the system is known.
        writer.transport.set_write_buffer_limits(high=0)
        while True:
            while self._session.outgoing:
                chunk = self._session.outgoing.chunk()
                writer.write(chunk)
                if writer.transport.is_closing():
                    return
                self._session.outgoing.gave(len(chunk))
                try:
                    await writer.drain()
                except OSError:
                    return
            self._written.set()
            self._said.clear()
            await self._said.wait()

    async def _read(self, reader: asyncio.StreamReader) -> str:
        """Reads a connection to its end; why it has come, as far as that is known."""
        greeted_by = self._loop.time() + HELLO_LIMIT
        while True:
            was_ready = self._session.is_ready
            try:
                limit = None if was_ready else greeted_by - self._loop.time()
                data = await (reader.read(READ_MAX) if was_ready else asyncio.wait_for(reader.read(READ_MAX), limit))
            except asyncio.TimeoutError:
                return self._way.is_silent()
            except OSError:
                return self._way.closes()
            if not data:
                return self._way.closes()
            trouble = self._received(data)
            if trouble is not None:
                return trouble
            if self._session.is_ready and not was_ready:
                self._way.answered()
                self._opened.set()
                self._watch()

    def _received(self, data: bytes) -> Optional[str]:
        """What came; what is wrong with it."""
        try:
            self._session.received(data, self._loop.time())
        except HelloRefused as refused:
            if not self._opened.is_set():
                self._refused = refused.error
                self._session.end()
            return str(refused)
        except Broken as broken:
            return f"The service sent what is no message: {broken}"
        self._said.set()
        while self._session.events:
            event = self._session.events.popleft()
            if isinstance(event, Progress):
                event.tell()
            else:
                task = self._loop.create_task(self._answer(event))
                self._serving.add(task)
                task.add_done_callback(self._serving.discard)
        return "" if self._session.is_over and not self._session.outgoing else None

    # -- callbacks

    async def _answer(self, asked: Callback) -> None:
        questions = asked.questions()
        if questions is None:
            result, error = await self._result(asked)
        else:
            answers = [await self._result(question) for question in questions]
            result, error = [[refusal, answer] for answer, refusal in answers], None
        self._session.answer(asked, result, error)
        self._said.set()

    async def _result(self, asked: Callback) -> tuple[Any, Any]:
        result, error = answer(self._callbacks, asked)
        if inspect.isawaitable(result):
            try:
                result = await result
            except Exception as raised:  # noqa: BLE001 - whatever a program's function raises is an answer
                result, error = None, failure(raised)
        return result, error


async def _open(endpoint: str) -> Streams:
    if sys.platform == "win32":
        return await _open_pipe(endpoint)
    return await asyncio.open_unix_connection(endpoint)


async def _open_pipe(path: str) -> Streams:
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
    resume: float = RESUME_LIMIT,
) -> Client:
    """A client of the service at ``endpoint``, waited for ``timeout`` seconds; ``resume`` is how many a call without a
    time of its own waits for a lost connection. Callbacks may be coroutines."""
    client = Client(endpoint, name, callbacks, progress, resume)
    try:
        await asyncio.wait_for(client._opened.wait(), timeout)
        if client._refused is not None:
            raise client._refused
        if client._keeper.done():
            # It can only have failed.
            client._keeper.result()
    except asyncio.TimeoutError:
        trouble = client._session.trouble or client._way.is_silent()
        await client.close()
        raise ConnectionLost(f"{trouble}.", Outcome.NOT_EXECUTED) from None
    except BaseException:
        await client.close()
        raise
    return client
