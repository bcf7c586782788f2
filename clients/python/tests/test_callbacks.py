"""Co-processes ask the program that made the call."""

import asyncio

import pytest

import standin


def ask(method, **arguments):
    return {"method": method, "arguments": arguments}


def test_a_question_is_answered_in_the_thread_that_waits(service):
    callbacks = {"add": lambda a, b: a + b}
    with standin.connect(service.endpoint, callbacks=callbacks) as client:
        assert client.call("sdk.ask", ask("add", a=1, b=2))["answer"] == 3


def test_a_callback_may_make_calls_of_its_own(service):
    def nested(depth):
        if depth == 0:
            return client.call("chaos.always", id=1, nonce=7)
        # The only worker of that pool is at the outer question: this one goes elsewhere.
        return client.call("text.replace", text=str(depth), pattern="^", **{"with": "depth "})

    with standin.connect(service.endpoint, callbacks={"nested": nested}) as client:
        assert client.call("sdk.ask", ask("nested", depth=0))["answer"] == 7
        assert client.call("sdk.ask", ask("nested", depth=2))["answer"] == "depth 2"


def test_what_a_callback_raises_is_told_to_the_one_who_asked(service):
    def broken():
        raise ValueError("no such customer")

    with standin.connect(service.endpoint, callbacks={"broken": broken}) as client:
        heard = client.call("sdk.ask", ask("broken"))
        assert heard["code"] == "callback_failed"
        assert "no such customer" in heard["message"]
        heard = client.call("sdk.ask", ask("unknown"))
        assert "unknown" in heard["message"]


def test_progress_is_told(service):
    steps = []
    with standin.connect(service.endpoint, progress=True) as client:
        result = client.call("sdk.progress", steps=3, pause_ms=20, on_progress=steps.append)
    assert result == 3
    assert [step["step"] for step in steps] == [1, 2, 3]


def test_whoever_asks_for_progress_that_is_not_told_hears_so_at_once(service):
    with standin.connect(service.endpoint) as client:
        with pytest.raises(ValueError, match="progress=True"):
            client.call("sdk.progress", steps=1, pause_ms=0, on_progress=print)


def test_a_coroutine_answers_while_other_calls_go_on(service):
    async def slow(text):
        await asyncio.sleep(0.1)
        return text.upper()

    async def main():
        async with await standin.aio.connect(service.endpoint, callbacks={"slow": slow}) as client:
            asked = client.call("sdk.ask", ask("slow", text="ben"))
            heard, pong = await asyncio.gather(asked, client.call("standin.ping"))
            assert (heard["answer"], pong) == ("BEN", "pong")

    asyncio.run(main())


def test_a_thousand_questions_in_one_call_are_answered_in_the_thread_that_waits(service):
    with standin.connect(service.endpoint, callbacks={"price": lambda number: number}) as client:
        assert client.call("sdk.ask_many", {"method": "price", "count": 1000}) == 500_500


def test_many_questions_at_once_are_answered_in_their_order_and_one_that_fails_spoils_no_other(service):
    asked = []

    def price(number):
        asked.append(number)
        if number == 3:
            raise ValueError("not for sale")
        return number * 2

    with standin.connect(service.endpoint, callbacks={"price": price}) as client:
        heard = client.call("sdk.ask_all", {"method": "price", "count": 100})
    assert asked == list(range(1, 101))
    assert [one["answer"] for one in heard] == [None if number == 3 else number * 2 for number in asked]
    assert (heard[2]["code"], "not for sale" in heard[2]["message"]) == ("callback_failed", True)


def test_coroutines_answer_many_questions_at_once(service):
    async def price(number):
        await asyncio.sleep(0)
        return number

    async def main():
        async with await standin.aio.connect(service.endpoint, callbacks={"price": price}) as client:
            heard = await client.call("sdk.ask_all", {"method": "price", "count": 10})
            assert [one["answer"] for one in heard] == list(range(1, 11))

    asyncio.run(main())


def test_callbacks_nest_three_deep_in_one_thread(service):
    def deeper(depth):
        if depth == 0:
            return "the bottom"
        return client.call("sdk.ask", ask("deeper", depth=depth - 1))["answer"]

    with standin.connect(service.endpoint, callbacks={"deeper": deeper}) as client:
        assert client.call("sdk.ask", ask("deeper", depth=2))["answer"] == "the bottom"


def test_an_answer_that_is_no_messagepack_is_an_error_to_the_one_who_asked(service):
    with standin.connect(service.endpoint, callbacks={"odd": lambda: object()}) as client:
        heard = client.call("sdk.ask", ask("odd"))
        assert (heard["code"], "cannot be sent" in heard["message"]) == ("callback_failed", True)
        assert client.call("standin.ping") == "pong"
