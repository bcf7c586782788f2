"""What can go wrong with a call, and what is known about its effect then."""

from __future__ import annotations

import enum
from typing import Any, Optional


class Outcome(str, enum.Enum):
    """What is known about the effect of a call."""

    NOT_EXECUTED = "not_executed"  # It certainly did not happen; trying again is safe.
    EXECUTED = "executed"  # It happened.
    UNKNOWN = "unknown"  # It may have happened.

    def __str__(self) -> str:
        return self.value

    @property
    def sentence(self) -> str:
        """The same as the end of what a person reads."""
        return {
            Outcome.NOT_EXECUTED: "The call was not executed.",
            Outcome.EXECUTED: "The call was executed.",
            Outcome.UNKNOWN: "Whether the call was executed is not known.",
        }[self]


class StandinError(Exception):
    """Every error of this package. ``outcome`` says what is known about the effect."""

    code = "error"
    outcome = Outcome.UNKNOWN


class ServiceError(StandinError):
    """The service, or a co-process, answered with an error. ``str(error)`` is fit for a message box.

    ``number`` and ``code`` name it, ``retry_after_ms`` says when trying again makes sense, ``data`` is the rest.
    """

    def __init__(self, error: Any) -> None:
        self.number, self.message, rest = _parts(error)
        self.code: str = str(rest.get("code", "worker_error"))
        try:
            self.outcome = Outcome(rest.get("outcome", "unknown"))
        except ValueError:
            self.outcome = Outcome.UNKNOWN
        self.retry_after_ms: Optional[int] = rest.get("retry_after_ms")
        self.data: Any = rest.get("data")
        super().__init__(self.message)


class ConnectionLost(StandinError):
    """There is no connection (any more), and none came for as long as was waited."""

    def __init__(self, message: str, outcome: Outcome = Outcome.UNKNOWN) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.code = "outcome_unknown" if outcome is Outcome.UNKNOWN else "connection_lost"


class SessionMoved(StandinError):
    """Another connection has taken the session over."""

    code = "session_moved"

    def __init__(self, message: str, outcome: Outcome = Outcome.UNKNOWN) -> None:
        super().__init__(message)
        self.outcome = outcome


class DeadlineExceeded(StandinError):
    """The call's time was up before there was an answer."""

    code = "deadline_exceeded"

    def __init__(self, message: str, outcome: Outcome = Outcome.UNKNOWN) -> None:
        super().__init__(message)
        self.outcome = outcome


class MessageTooLarge(StandinError):
    """The call is larger, or nested deeper, than the service takes. It was not sent."""

    code = "message_too_large"
    outcome = Outcome.NOT_EXECUTED


def _parts(error: Any) -> tuple[int, str, dict[str, Any]]:
    """The three parts of an error answer, whatever shape it has."""
    if isinstance(error, (list, tuple)) and len(error) >= 2 and isinstance(error[0], int):
        rest = error[2] if len(error) > 2 and isinstance(error[2], dict) else {}
        return error[0], str(error[1]), rest
    return 1000, str(error), {}
