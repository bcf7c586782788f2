"""aio-msgpack-rpc has a client and a server, but neither can be both on one connection: this is the missing piece."""

import asyncio

from aio_msgpack_rpc import Client, Server


class BothWays(Client):
    """Sends requests, and serves those of the other side by the attributes of `handler`."""

    def __init__(self, reader, writer, handler, **options):
        super().__init__(reader, writer, **options)
        self._server = Server(handler)
        self._serving = set()
        # The client itself reads only while a request of its own is open.
        self._receiver_task = self._loop.create_task(self._receive())

    async def _receive(self):
        while data := await self._reader.read(65536):
            self._unpacker.feed(data)
            for message in self._unpacker:
                self._on_recv(message)

    async def ended(self):
        """Returns when the other side has closed the connection."""
        await self._receiver_task

    def _on_recv(self, message):
        if message[0] == 1:
            return super()._on_recv(message)
        # The service sends a worker its calls with a fifth element, `meta`, which this server could not unpack.
        work = self._server._handle_request(message[:4] if message[0] == 0 else message, self._writer)
        task = self._loop.create_task(work)
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)


async def connect(path, handler=None):
    reader, writer = await asyncio.open_unix_connection(path)
    loop = asyncio.get_running_loop()
    return Client(reader, writer, loop=loop) if handler is None else BothWays(reader, writer, handler, loop=loop)
