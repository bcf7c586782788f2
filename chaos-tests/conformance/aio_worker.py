"""A worker whose MsgPack-RPC is that of aio-msgpack-rpc, which nobody here wrote."""

import asyncio
import os

from both_ways import connect


class Methods:
    """Each attribute is a method."""

    def __init__(self):
        self.ended = asyncio.Event()

    def aio_upper(self, arguments):
        return arguments["text"].upper()

    def aio_fail(self, arguments):
        raise ValueError("It is broken.")

    def __getattr__(self, name):
        if name == "worker.drain":
            return self.ended.set
        raise AttributeError(name)


async def main():
    methods = Methods()
    service = await connect(os.environ["STANDIN_WORKER_ENDPOINT"], methods)
    offered = [{"name": name, "replay": "always"} for name in ("aio_upper", "aio_fail")]
    hello = {"token": os.environ["STANDIN_WORKER_TOKEN"], "name": "aio", "methods": offered}
    await service.call("worker.hello", hello)
    ends = [asyncio.create_task(end) for end in (methods.ended.wait(), service.ended())]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)


asyncio.run(main())
