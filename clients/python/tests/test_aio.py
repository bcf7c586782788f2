"""The asyncio client against a real service."""

import asyncio

import pytest
from conftest import eventually

import standin


def work(number, work_ms=0):
    return {"id": number, "nonce": number, "work_ms": work_ms}


def test_many_calls_at_once_are_answered(service):
    async def main():
        async with await standin.aio.connect(service.endpoint) as client:
            calls = [client.call("chaos.always", work(number, 5)) for number in range(50)]
            assert await asyncio.gather(*calls) == list(range(50))

    asyncio.run(main())


def test_nobody_notices_that_the_service_was_killed(service):
    async def main():
        async with await standin.aio.connect(service.endpoint) as client:
            calls = [asyncio.ensure_future(client.call("chaos.always", work(number, 50))) for number in range(20)]
            await asyncio.to_thread(eventually, "some have begun", lambda: service.begun(0) == 1)
            await asyncio.to_thread(service.kill)
            service.start()
            assert await asyncio.gather(*calls) == list(range(20))

    asyncio.run(main())


def test_a_task_that_is_cancelled_takes_its_call_back(service):
    async def main():
        async with await standin.aio.connect(service.endpoint) as client:
            waiting = asyncio.ensure_future(client.call("chaos.always", work(1, 60_000)))
            await asyncio.to_thread(eventually, "it has begun", lambda: service.begun(1) == 1)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert await client.call("chaos.always", work(2), timeout=30) == 2

    asyncio.run(main())


def test_a_call_has_its_time(service):
    async def main():
        async with await standin.aio.connect(service.endpoint) as client:
            service.kill()
            with pytest.raises(standin.DeadlineExceeded):
                await client.call("chaos.always", work(1), timeout=0.2)
            service.start()

    asyncio.run(main())
