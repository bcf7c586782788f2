"""A worker that asks the program that called it what it was told to ask, and gives back what it heard. Needs only msgpack."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "chaos-tests" / "conformance"))
from asking import Worker  # noqa: E402

worker = Worker("facts", [{"name": "facts.ask", "replay": "never", "doc": "Asks the program that called."}])
for attempt, arguments in worker.calls():
    error, result = worker.ask(attempt, arguments["method"], arguments["arguments"])
    worker.answer(attempt, {"error": error[1] if error else None, "result": result})
