"""The calls that have no answer yet, each as it has to be said again should the connection be lost. It remembers and
decides; it sends nothing and has no clock."""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Iterator, Optional

from . import _wire
from .errors import ConnectionLost, DeadlineExceeded, Outcome, StandinError

# How much longer than its own time a call's answer is waited for while there is a connection: the service's word on
# what happened is better than a guess.
ANSWER_GRACE = 5.0


@dataclasses.dataclass
class Request:
    """A call that was made: unanswered, or with its answer."""

    msgid: int
    method: str
    params: bytes
    meta: dict[str, Any]
    #: When the caller's own time is up.
    deadline: Optional[float]
    on_progress: Optional[Callable[[Any], None]] = None
    #: How long a connection is waited for while there is none.
    expires: Optional[float] = None
    #: Where it ends among the bytes of the present connection; 0: it is not among them.
    end: int = 0
    #: Whether the service may have got it by a connection that is lost.
    is_given: bool = False
    #: The request that takes this one back, which is then not said again; and the one that this one takes back.
    taken_back_by: Optional[int] = None
    takes_back: Optional[int] = None
    done: bool = False
    result: Any = None
    error: Optional[StandinError] = None
    on_done: Optional[Callable[["Request"], None]] = None

    def outcome(self, given: Optional[int]) -> Outcome:
        """What is known if the service has got this connection's bytes up to ``given`` only, or, with ``None``, may get
        all of them."""
        is_given = self.is_given or (self.end > 0 and (given is None or self.end <= given))
        return Outcome.UNKNOWN if is_given else Outcome.NOT_EXECUTED

    def frame(self, now: float, ack: Optional[int], again: bool = False) -> bytes:
        """The message, with what is left of its time and an acknowledgement of what was answered before. ``again``: the
        service may have got it before."""
        meta = dict(self.meta)
        if again:
            meta["again"] = True
        if self.deadline is not None:
            meta["timeout_ms"] = max(1, int((self.deadline - now) * 1000))
        if ack is not None:
            meta["ack"] = ack
        return _wire.request(self.msgid, self.method, self.params, meta)

    def finish(self, result: Any, error: Optional[StandinError]) -> None:
        self.done, self.result, self.error = True, result, error
        if self.on_done is not None:
            self.on_done(self)

    def value(self) -> Any:
        """The answer, or the error."""
        if self.error is not None:
            raise self.error
        return self.result


class Outbox:
    """The open requests by their numbers, which grow by one; the hellos have some of them."""

    def __init__(self) -> None:
        self._open: dict[int, Request] = {}
        self._last_msgid = 0

    def __bool__(self) -> bool:
        return bool(self._open)

    def __iter__(self) -> Iterator[Request]:
        return iter(list(self._open.values()))

    def next_msgid(self) -> int:
        """The number that the next request will have. None is used twice."""
        return self._last_msgid + 1

    def use_msgid(self) -> int:
        """The same for a request that is never said again."""
        self._last_msgid += 1
        return self._last_msgid

    def insert(self, request: Request) -> None:
        """Takes the next request, which has the next number."""
        self._last_msgid = request.msgid
        self._open[request.msgid] = request

    def get(self, msgid: Any) -> Optional[Request]:
        return self._open.get(msgid)

    def answered_up_to(self) -> int:
        """Every number up to this one is answered, or nobody wants its answer any more."""
        return next(iter(self._open), self._last_msgid + 1) - 1

    def remove(self, msgid: int) -> Optional[Request]:
        """Takes one out that is over."""
        request = self._open.pop(msgid, None)
        if request is None:
            return None
        # What was taken back on a connection that is lost is not said again. Now that the service has been told to drop
        # it, or the time for that is up, nothing more comes of it.
        target = None if request.takes_back is None else self._open.get(request.takes_back)
        if target is not None and target.end == 0:
            del self._open[target.msgid]
        return request

    def end_all(self, given: Optional[int], reason: Callable[[Outcome], StandinError]) -> None:
        """All of it is over."""
        over, self._open = self._open, {}
        for request in over.values():
            request.finish(None, reason(request.outcome(given)))

    # -- the connection is lost, there is another, or there is none for too long

    def connection_lost(self, given: int, otherwise: float, was_fruitful: bool) -> None:
        """The service has got bytes up to ``given``, no more. Until there is another connection, each request waits for
        its own time, or until ``otherwise``; but a connection that was of no use makes no wait longer that began
        before."""
        for request in self:
            request.is_given |= 0 < request.end <= given
            request.end = 0
            if was_fruitful or request.expires is None:
                request.expires = otherwise if request.deadline is None else request.deadline
        for request in self:
            cancel = request.taken_back_by
            if cancel is None:
                continue
            # Messages arrive in order: where the request has not arrived, what takes it back has not either. Where that
            # was answered, nothing more is wanted of the service.
            if not request.is_given:
                self._open.pop(cancel, None)
            if cancel not in self._open:
                self._open.pop(request.msgid, None)

    def session_lost(self) -> None:
        """The service knows nothing of what was asked before. What it cannot have got is asked now, and so is what may
        be asked twice; of the rest nobody will ever know."""
        for request in self:
            may_run_twice = "key" in request.meta or request.meta.get("idempotent")
            is_taken_back = request.taken_back_by is not None or request.takes_back is not None
            if is_taken_back or (request.is_given and not may_run_twice):
                self._open.pop(request.msgid, None)
                sentence = f'"{request.method}" was interrupted. {Outcome.UNKNOWN.sentence}'
                request.finish(None, ConnectionLost(sentence))

    def say_again(self, now: float, say: Callable[[bytes], int]) -> None:
        """There is a connection again: all that is to be said on it, in the order of the numbers."""
        for request in self:
            if request.taken_back_by is None:
                # Without an acknowledgement, which is said before: so no message is longer than it was the first time,
                # when its length was checked.
                request.end = say(request.frame(now, None, request.is_given))

    def expire(self, now: float, is_connected: bool, reason: Callable[[Outcome], StandinError]) -> Optional[float]:
        """Ends those that have waited long enough; ``reason`` is for those that have no time of their own. Gives when
        the next one has."""
        for request in self:
            end = expiry(request, is_connected)
            if end is None or end > now or self.remove(request.msgid) is None:
                continue
            if request.deadline is None:
                request.finish(None, reason(request.outcome(0)))
            else:
                request.finish(None, _late(request, is_connected))
        ends = [expiry(request, is_connected) for request in self._open.values()]
        return min((end for end in ends if end is not None), default=None)


def expiry(request: Request, is_connected: bool) -> Optional[float]:
    """When that one has waited long enough."""
    if is_connected:
        return None if request.deadline is None else request.deadline + ANSWER_GRACE
    return request.expires


def _late(request: Request, is_connected: bool) -> DeadlineExceeded:
    outcome = request.outcome(None if is_connected else 0)
    where = "" if is_connected else ": there was no connection to Standin"
    return DeadlineExceeded(f'"{request.method}" was not answered in time{where}. {outcome.sentence}', outcome)
