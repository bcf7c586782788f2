"""A worker that writes letters, and asks the program that called it about the customers. Needs only ``msgpack``."""

import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "chaos-tests" / "conformance"))
from asking import Worker  # noqa: E402

#: Where it writes down what it asks, and how many seconds it takes over a question, so that somebody can be killed.
ASKED = os.environ["LETTERS_ASKED"]
PAUSE = float(os.environ["LETTERS_PAUSE"])


def ask(attempt, method, arguments):
    """The program's error, or its answer."""
    time.sleep(PAUSE)
    with open(ASKED, "a") as asked:
        asked.write(f"{os.getpid()}\n")
    return worker.ask(attempt, method, arguments)


def write_one(attempt, number):
    error, customer = ask(attempt, "customer.read", {"number": number})
    if error is not None:
        return f"Nobody has the number {number}: {error[1]}"
    error, near = ask(attempt, "customer.neighbours", {"city": customer["city"]})
    if error is not None:
        return f"Nobody knows {customer['city']}: {error[1]}"
    owes = f"You owe {customer['owes']:.2f}" if customer["owes"] > 0 else "You owe nothing"
    return f"Dear {customer['name']}. {owes}. In {near['city']} live: {', '.join(near['names'])}."


worker = Worker("letters", [{"name": "letters.write", "replay": "always", "doc": "Writes letters to customers."}])
for attempt, arguments in worker.calls():
    letters = [write_one(attempt, number) for number in arguments["numbers"]]
    if arguments.get("odd"):
        letters.append(str(ask(attempt, "what.is.this", {})[0][1]))
    worker.answer(attempt, letters)
