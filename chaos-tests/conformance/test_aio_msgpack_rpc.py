"""aio-msgpack-rpc: its client as a client, its server as the side that answers questions, and as a worker."""

import asyncio

import pytest
from aio_msgpack_rpc.error import RPCResponseError
from both_ways import connect


def run(endpoint, work, handler=None):
    async def main():
        client = await connect(endpoint, handler)
        try:
            return await asyncio.wait_for(work(client), 60)
        finally:
            client.close()

    return asyncio.run(main())


def test_ids_begin_at_zero(endpoint):
    async def work(client):
        assert client._next_msgid == 0
        return await client.call("standin.ping")

    assert run(endpoint, work) == "pong"


def test_calls_overlap_and_each_gets_its_own_answer(endpoint):
    async def work(client):
        return await asyncio.gather(*(client.call("sdk.give_back", number) for number in range(200)))

    assert run(endpoint, work) == list(range(200))


def test_an_error_is_told_whole(endpoint):
    async def work(client):
        with pytest.raises(RPCResponseError) as caught:
            await client.call("no.such.method")
        number, sentence, rest = caught.value.args[0]
        assert (number, rest["code"]) == (3, "method_not_found")
        assert "no.such.method" in sentence
        return await client.call("standin.ping")

    assert run(endpoint, work) == "pong"


def test_an_answer_that_comes_too_late_for_it_does_no_harm(endpoint):
    async def work(client):
        slow = client.call("sdk.progress", {"steps": 1, "pause_ms": 300}, timeout=0.05)
        with pytest.raises(asyncio.TimeoutError):
            await slow
        assert await client.call("sdk.progress", {"steps": 2, "pause_ms": 300}) == 2
        return await client.call("standin.ping")

    assert run(endpoint, work) == "pong"


class Shop:
    """Any attribute is a method, and a coroutine will do."""

    async def price(self, arguments):
        await asyncio.sleep(0)
        return arguments["number"] * 2

    def broken(self, arguments):
        raise ValueError("no such customer")


def test_any_attribute_answers_questions_and_an_exception_is_its_text(endpoint):
    async def work(client):
        await client.call("standin.hello", {"callbacks": True})
        asked = {"method": "price", "arguments": {"number": 21}}
        assert (await client.call("sdk.ask", asked))["answer"] == 42
        heard = await client.call("sdk.ask", {"method": "broken", "arguments": {}})
        assert (heard["code"], heard["message"]) == ("callback_failed", "no such customer")
        heard = await client.call("sdk.ask", {"method": "nothing", "arguments": {}})
        assert "no attribute" in heard["message"]
        heard = await client.call("sdk.ask_all", {"method": "price", "count": 30})
        return [one["answer"] for one in heard]

    assert run(endpoint, work, Shop()) == [number * 2 for number in range(1, 31)]


def test_its_server_is_a_worker_once_meta_is_cut_off(endpoint):
    async def work(client):
        assert await client.call("aio_upper", {"text": "grüße"}) == "GRÜSSE"
        with pytest.raises(RPCResponseError) as caught:
            await client.call("aio_fail", {})
        number, sentence, rest = caught.value.args[0]
        # A bare text becomes an error of the full shape on its way.
        assert (number, sentence) == (1000, "It is broken.")
        return rest["code"], rest["outcome"]

    assert run(endpoint, work) == ("worker_error", "executed")
