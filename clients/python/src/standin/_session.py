"""One session, without a connection, a clock or a thread of its own: bytes and time in, bytes and events out.

It says hello, knows which requests are unanswered and what is to be sent. The two clients, blocking and asyncio, own a
connection each and do what this says.
"""

from __future__ import annotations

import collections
import dataclasses
import logging
from typing import Any, Callable, Optional, Union

from ._callbacks import Callback
from ._outbox import Outbox, Request, expiry
from ._wire import Incoming, Limits, Outgoing, pack
from .errors import (
    ConnectionLost,
    MessageTooLarge,
    Outcome,
    ServiceError,
    SessionMoved,
    StandinError,
)

# The service may have to keep so many answers, and so many bytes that were read, before it is told that they have come.
ANSWERS_MAX, BYTES_MAX = 64, 1 << 20

# A connection that has lasted so many seconds was of use, even if nothing was answered by it: it is not one of those
# that are lost as soon as they are made.
STEADY = 1.0

# So many bytes longer is a request, at most, when it says that it was sent before.
AGAIN_LENGTH = 8

# So many seconds a request that takes another one back is worth being said.
TAKE_BACK_LIMIT = 5.0

log = logging.getLogger("standin")


@dataclasses.dataclass
class Progress:
    """A call is getting on."""

    request: Request
    what: Any

    def tell(self) -> None:
        """What the program's function raises has nothing to do with the call, and is no reason to lose its answer."""
        if self.request.on_progress is not None:
            try:
                self.request.on_progress(self.what)
            except Exception:
                log.exception('on_progress of "%s" failed', self.request.method)


Event = Union[Callback, Progress]


class HelloRefused(Exception):
    """The service answered the hello with an error."""

    def __init__(self, answer: Any) -> None:
        self.error = ServiceError(answer)
        super().__init__(str(self.error))


class Session:
    """The state of a session over all its connections. ``resume`` is how many seconds a call without a time of its own
    waits for a lost connection."""

    def __init__(self, name: str, callbacks: bool, progress: bool, resume: float) -> None:
        self._hello = {
            "client": name,
            "callbacks": callbacks,
            "callback_batches": callbacks,
            "progress": progress,
        }
        self._resume = resume
        self._open = Outbox()
        self._token: Optional[str] = None
        self._hello_msgid: Optional[int] = None
        self._connection = 0
        self._limits = Limits()
        self._incoming = Incoming()
        #: What is to be written on the present connection.
        self.outgoing = Outgoing()
        #: What has come and is to be looked at by the program.
        self.events: collections.deque[Event] = collections.deque()
        #: Why the last try to connect came to nothing.
        self.trouble = ""
        self.is_ready = False
        self._over: Optional[Callable[[Outcome], StandinError]] = None
        self._has_answered, self._ready_since = False, 0.0
        self._acked, self._answers, self._bytes = 0, 0, 0

    @property
    def is_over(self) -> bool:
        """There will be no connection any more."""
        return self._over is not None

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits for an answer."""
        return bool(self._open)

    # -- the connection

    def connected(self) -> None:
        """A connection is there: the first thing to be said on it is the hello."""
        self._connection += 1
        self._incoming, self.outgoing = Incoming(), Outgoing()
        self._hello_msgid = self._open.use_msgid()
        arguments = dict(self._hello)
        if self._token is not None:
            arguments["session"] = self._token
        self.outgoing.say(pack([0, self._hello_msgid, "standin.hello", [arguments]]))

    def disconnected(self, now: float) -> bool:
        """The connection is gone, and what was not given to the system will not be. Whether it was of any use."""
        was_ready, self.is_ready, self._hello_msgid = self.is_ready, False, None
        given, self.outgoing = self.outgoing.given, Outgoing()
        if not was_ready:
            return False
        was_fruitful = self._has_answered or now - self._ready_since >= STEADY
        if self._token is None:
            # Without a session, nothing goes on.
            self._open.end_all(given, _lost)
        else:
            self._open.connection_lost(given, now + self._resume, was_fruitful)
        return was_fruitful

    def received(self, data: bytes, now: float) -> None:
        """What came. ``Broken`` and ``HelloRefused`` are the end of the connection."""
        self._bytes += len(data)
        for message in self._incoming.messages(data):
            if message[0] == 1:
                self._response(message[1], message[2], message[3], now)
            elif message[0] == 0:
                params = message[3] if isinstance(message[3], list) else [message[3]]
                self.events.append(Callback(self._connection, message[1], str(message[2]), params))
            else:
                self._told(message[1], message[2])
        if self._answers >= ANSWERS_MAX or self._bytes > BYTES_MAX:
            self._acknowledge()

    # -- calls

    def request(
        self,
        method: str,
        params: list[Any],
        meta: dict[str, Any],
        deadline: Optional[float],
        now: float,
        on_progress: Optional[Callable[[Any], None]] = None,
    ) -> Request:
        """Makes a call, which is said at once if there is a connection. ``MessageTooLarge`` if it is not made."""
        if on_progress is not None and not self._hello["progress"]:
            raise ValueError("progress is told only to a client that was made with progress=True")
        self._limits.check_depth("The call", params)
        request = Request(self._open.next_msgid(), method, pack(params), meta, deadline, on_progress)
        if self._over is not None:
            request.finish(None, self._over(Outcome.NOT_EXECUTED))
            return request
        floor = self._open.answered_up_to()
        ack = floor if self.is_ready and self._token is not None and floor > self._acked else None
        frame = request.frame(now, ack)
        # As long as it comes to, should it have to be said again.
        self._limits.check_size("The call", len(frame) + AGAIN_LENGTH)
        self._open.insert(request)
        if self.is_ready:
            if ack is not None:
                self._acknowledged(ack)
            request.end = self.outgoing.say(frame)
        else:
            request.expires = now + self._resume if deadline is None else deadline
        return request

    def answer(self, callback: Callback, result: Any, error: Any) -> None:
        """Answers a callback; one of a connection that is gone gets no answer."""
        if callback.connection != self._connection or not self.is_ready:
            return
        try:
            self._limits.check_depth("The program's answer", result)
            frame = pack([1, callback.msgid, error, result])
            self._limits.check_size("The program's answer", len(frame))
        except MessageTooLarge as unfit:
            rest = {"code": unfit.code, "outcome": Outcome.EXECUTED.value}
            frame = pack([1, callback.msgid, [5, str(unfit), rest], None])
        except (TypeError, ValueError, OverflowError) as unfit:
            sentence = f"The program's answer cannot be sent: {unfit}."
            frame = pack([1, callback.msgid, [1000, sentence, {"code": "callback_error", "outcome": "unknown"}], None])
        self.outgoing.say(frame)

    def forget(self, request: Request, now: float) -> None:
        """Nobody waits for this one any more. The service is asked to take it back, if it may have it."""
        if self._open.get(request.msgid) is not request or request.taken_back_by is not None:
            return
        request.on_done, request.on_progress = None, None
        if _is_unsent(request):
            self._open.remove(request.msgid)
            return
        cancel = self.request("standin.cancel", [{"msgid": request.msgid}], {}, now + TAKE_BACK_LIMIT, now)
        cancel.takes_back, request.taken_back_by = request.msgid, cancel.msgid

    def take_back(self, request: Request) -> bool:
        """Ends one that the service does not have yet. ``False``: it has, or may have."""
        if not request.done and _is_unsent(request):
            self._open.remove(request.msgid)
            sentence = "The call was taken back before it was sent."
            rest = {"code": "cancelled", "outcome": Outcome.NOT_EXECUTED.value}
            request.finish(None, ServiceError([8, sentence, rest]))
        return request.done

    def expire(self, now: float) -> Optional[float]:
        """Ends the calls that have waited long enough. Gives when the next one has."""

        def not_resumed(outcome: Outcome) -> StandinError:
            sentence = f"The connection to Standin was lost and could not be made again within {self._resume:g} s"
            reason = f" ({self.trouble})" if self.trouble else ""
            return ConnectionLost(f"{sentence}{reason}. {outcome.sentence}", outcome)

        return self._open.expire(now, self.is_ready, not_resumed)

    def expiry(self, request: Request) -> Optional[float]:
        """The same of one that was just made."""
        return expiry(request, self.is_ready)

    def close(self) -> None:
        """The program will not come back: the service need keep nothing, and give up what is open."""
        if self.is_ready and self._token is not None:
            self.outgoing.say(pack([2, "standin.goodbye", []]))
        self.end(_closed)

    def end(self, reason: Optional[Callable[[Outcome], StandinError]] = None) -> None:
        """There will be no connection any more, and everybody who waits is told so."""
        if self._over is None:
            self._over = reason or _lost
            self._token = None
            self._open.end_all(None, self._over)

    # -- inside

    def _response(self, msgid: int, error: Any, result: Any, now: float) -> None:
        if msgid == self._hello_msgid:
            self._greeted(error, result, now)
            return
        self._has_answered = True
        self._answers += 1
        request = self._open.remove(msgid)
        if request is not None:
            request.finish(result, None if error is None else ServiceError(error))

    def _greeted(self, error: Any, said: Any, now: float) -> None:
        self._hello_msgid = None
        if error is not None:
            refused = HelloRefused(error)
            if refused.error.code == "session_denied":
                # The service will have nothing of this session: the next try asks for a new one.
                self._token = None
            raise refused
        # A service that says less is an older or a foreign one: it keeps no sessions and refuses what is too large
        # itself.
        said = said if isinstance(said, dict) else {}
        self._token = said.get("session")
        self._limits = Limits(said.get("limits"))
        if not said.get("resumed") or self._token is None:
            self._open.session_lost()
            # What was answered before is nothing to a new session.
            self._acknowledged(self._open.answered_up_to())
        else:
            # What was said of it on the lost connection may not have arrived.
            self._acked = 0
        self.is_ready, self._has_answered, self._ready_since = True, False, now
        self._acknowledge()
        self._open.say_again(now, self.outgoing.say)

    def _told(self, method: Any, params: Any) -> None:
        if method == "session.moved":
            self.end(_moved)
            self.outgoing = Outgoing()
        elif method == "request.progress" and isinstance(params, list) and len(params) == 2:
            request = self._open.get(params[0]) if isinstance(params[0], int) else None
            if request is not None:
                self.events.append(Progress(request, params[1]))

    def _acknowledge(self) -> None:
        """Says that all answers so far were read."""
        floor = self._open.answered_up_to()
        if self.is_ready and self._token is not None and floor > self._acked:
            self._acknowledged(floor)
            self.outgoing.say(pack([2, "standin.ack", [floor]]))

    def _acknowledged(self, floor: int) -> None:
        self._acked, self._answers, self._bytes = floor, 0, 0


def _is_unsent(request: Request) -> bool:
    """The service cannot have got it, and will not before there is another connection."""
    return request.end == 0 and not request.is_given


def _lost(outcome: Outcome) -> StandinError:
    return ConnectionLost(f"The connection to Standin was lost before the answer came. {outcome.sentence}", outcome)


def _moved(outcome: Outcome) -> StandinError:
    sentence = "A newer connection has taken over this program's session with Standin."
    return SessionMoved(f"{sentence} {outcome.sentence}", outcome)


def _closed(outcome: Outcome) -> StandinError:
    return ConnectionLost(f"The client was closed before the answer came. {outcome.sentence}", outcome)


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
