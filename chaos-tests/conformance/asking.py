"""A worker, written by hand, that asks the program that called it. Needs only ``msgpack``, and takes one call at a time."""

import os
import socket

import msgpack


class Worker:
    """The connection to the service that started this process."""

    def __init__(self, name, methods):
        self.pipe = socket.socket(socket.AF_UNIX)
        self.pipe.connect(os.environ["STANDIN_WORKER_ENDPOINT"])
        self.unpacker = msgpack.Unpacker()
        hello = {"token": os.environ["STANDIN_WORKER_TOKEN"], "name": name, "methods": methods}
        self.send([0, 0, "worker.hello", [hello]])
        if refused := self.receive()[2]:
            raise SystemExit(f"the service refused this worker: {refused}")

    def send(self, message):
        self.pipe.sendall(msgpack.packb(message))

    def receive(self):
        while True:
            for message in self.unpacker:
                return message
            data = self.pipe.recv(65536)
            if not data:
                raise SystemExit("the service is gone")
            self.unpacker.feed(data)

    def calls(self):
        """Each call that comes: its attempt, and its arguments. Ends when the service wants no more."""
        while (message := self.receive())[:2] != [2, "worker.drain"]:
            if message[0] == 0:
                yield message[1], message[3][0]

    def ask(self, attempt, method, arguments):
        """The error and the answer of the program; one of them is None."""
        self.send([0, attempt, "client.call", [attempt, method, [arguments]]])
        while (message := self.receive())[0] != 1:
            pass
        return message[2], message[3]

    def answer(self, attempt, result):
        self.send([1, attempt, None, result])
