"""A worker that writes letters, and asks the program that called it about the customers. Needs only ``msgpack``."""

import os
import socket
import time

import msgpack

#: Where it writes down what it asks, and how many seconds it takes over a question, so that somebody can be killed.
ASKED = os.environ["LETTERS_ASKED"]
PAUSE = float(os.environ["LETTERS_PAUSE"])

pipe = socket.socket(socket.AF_UNIX)
pipe.connect(os.environ["STANDIN_WORKER_ENDPOINT"])
unpacker = msgpack.Unpacker()


def send(message):
    pipe.sendall(msgpack.packb(message))


def receive():
    while True:
        for message in unpacker:
            return message
        data = pipe.recv(65536)
        if not data:
            raise SystemExit("the service is gone")
        unpacker.feed(data)


def ask(attempt, method, arguments):
    """The program's answer, or its error. One call at a time: the next answer is this one."""
    time.sleep(PAUSE)
    with open(ASKED, "a") as asked:
        asked.write(f"{os.getpid()}\n")
    send([0, attempt, "client.call", [attempt, method, [arguments]]])
    while True:
        message = receive()
        if message[0] == 1:
            return message[2], message[3]


def write_one(attempt, number):
    error, customer = ask(attempt, "customer.read", {"number": number})
    if error is not None:
        return f"Nobody has the number {number}: {error[1]}"
    error, near = ask(attempt, "customer.neighbours", {"city": customer["city"]})
    if error is not None:
        return f"Nobody knows {customer['city']}: {error[1]}"
    owes = f"You owe {customer['owes']:.2f}" if customer["owes"] > 0 else "You owe nothing"
    return f"Dear {customer['name']}. {owes}. In {near['city']} live: {', '.join(near['names'])}."


hello = {
    "token": os.environ["STANDIN_WORKER_TOKEN"],
    "name": "letters",
    "version": "1",
    "concurrency": 1,
    "methods": [{"name": "letters.write", "replay": "always", "doc": "Writes letters to customers."}],
}
send([0, 0, "worker.hello", [hello]])
refused = receive()[2]
if refused:
    raise SystemExit(f"the service refused this worker: {refused}")
while True:
    message = receive()
    if message[:2] == [2, "worker.drain"]:
        break
    if message[0] == 0:
        _, attempt, _, params, _ = message
        letters = [write_one(attempt, number) for number in params[0]["numbers"]]
        if params[0].get("odd"):
            letters.append(str(ask(attempt, "what.is.this", {})[0][1]))
        send([1, attempt, None, letters])
