"""Co-processes ask the program that called them."""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Mapping, Optional, Union

from .errors import StandinError

#: Answers the questions of co-processes: by method, or one function of method and arguments.
Callbacks = Union[Mapping[str, Callable[..., Any]], Callable[[str, list[Any]], Any]]

# By this name the service asks many questions at once; the answer is a list of [error, result].
BATCH = "client.batch"


@dataclasses.dataclass
class Callback:
    """A co-process asks this program something, in the course of one of its calls."""

    connection: int
    msgid: int
    method: str
    params: list[Any]

    def questions(self) -> Optional[list["Callback"]]:
        """What is asked, if it is many questions in one: to be answered in their order."""
        if self.method != BATCH or not all(_is_question(one) for one in self.params):
            return None
        return [dataclasses.replace(self, method=str(method), params=params) for method, params in self.params]


def _is_question(one: Any) -> bool:
    return isinstance(one, list) and len(one) == 2 and isinstance(one[1], list)


def answer(callbacks: Optional[Callbacks], asked: Callback) -> tuple[Any, Any]:
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
    except Exception as error:  # noqa: BLE001 - whatever a program's function raises is an answer
        return None, failure(error)


def failure(error: Exception) -> list[Any]:
    """The same as it stands on the wire."""
    if isinstance(error, StandinError):
        return [1000, str(error), {"code": error.code, "outcome": error.outcome.value}]
    return [1000, f"{type(error).__name__}: {error}", {"code": "callback_error", "outcome": "unknown"}]
