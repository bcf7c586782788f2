"""A worker that asks the program that called it what it was told to ask, and gives back what it heard. Needs only msgpack."""

import os
import socket

import msgpack

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


methods = [{"name": "facts.ask", "replay": "never", "doc": "Asks the program that called."}]
send([0, 0, "worker.hello", [{"token": os.environ["STANDIN_WORKER_TOKEN"], "name": "facts", "methods": methods}]])
if refused := receive()[2]:
    raise SystemExit(f"the service refused this worker: {refused}")
while True:
    message = receive()
    if message[:2] == [2, "worker.drain"]:
        break
    if message[0] == 0:
        attempt, arguments = message[1], message[3][0]
        send([0, attempt, "client.call", [attempt, arguments["method"], [arguments["arguments"]]]])
        while (heard := receive())[0] != 1:
            pass
        error, result = heard[2:]
        send([1, attempt, None, {"error": error[1] if error else None, "result": result}])
