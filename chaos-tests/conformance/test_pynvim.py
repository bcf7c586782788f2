"""pynvim: one thread, greenlets, and questions answered while its own call is pending."""

import pynvim.msgpack_rpc as rpc
import pytest


@pytest.fixture
def session(endpoint):
    session = rpc.socket_session(endpoint)
    yield session
    session.close()


def with_callbacks(session, answer, work):
    """Runs `work` while questions are answered by `answer`, as a plugin host does."""
    results = []

    def on_setup():
        session.request("standin.hello", {"client": "pynvim", "callbacks": True})
        results.append(work())
        session.stop()

    session.run(answer, lambda name, args: None, on_setup)
    return results[0]


def test_a_notification_may_come_before_anything_else(session):
    # `nvim_set_client_info` went out when the session was made.
    assert session.request("standin.ping") == "pong"


def test_str_stays_str_and_bytes_stay_bytes(session):
    for value in ["Grüße", b"\xff\x00", {"text": "a", "bytes": b"a"}]:
        assert session.request("sdk.give_back", value) == value


def test_a_name_may_be_bytes(session):
    assert session.request(b"standin.ping") == "pong"


def test_an_error_can_be_indexed_and_its_second_part_is_the_sentence(session):
    with pytest.raises(Exception, match='There is no method "no.such.method" here') as caught:
        session.request("no.such.method")
    assert caught.type is Exception
    # The whole error, for whoever wants to know more.
    session.error_wrapper = lambda error: KeyError(error)
    with pytest.raises(KeyError) as caught:
        session.request("sdk.echo", {"text": 7})
    number, sentence, rest = caught.value.args[0]
    assert (number, rest["code"], rest["outcome"]) == (4, "invalid_params", "not_executed")
    assert "text" in sentence


def test_a_question_is_answered_while_its_own_call_is_pending(session):
    asked = []

    def answer(name, args):
        asked.append((name, args))
        return args[0]["number"] + 1

    def work():
        return session.request("sdk.ask", {"method": "more", "arguments": {"number": 41}})["answer"]

    assert with_callbacks(session, answer, work) == 42
    assert asked == [("more", [{"number": 41}])]


def test_a_worker_in_lisp_asks_and_adds_up(session):
    prices = {"hammer": 12.5, "Nägel": 2}

    def answer(name, args):
        assert name == "price"
        return prices[args[0]["article"]]

    def work():
        return session.request("lisp.total", {"articles": list(prices)})

    assert with_callbacks(session, answer, work) == 14.5


def test_a_thousand_questions_are_answered_within_one_call(session):
    def work():
        return session.request("sdk.ask_many", {"method": "more", "count": 1000})

    assert with_callbacks(session, lambda name, args: args[0]["number"], work) == 500_500


def test_a_batch_of_questions_comes_one_after_the_other(session):
    open_now = []

    def answer(name, args):
        assert not open_now, "a second question came before the first was answered"
        open_now.append(args)
        # A call of its own, during which everything that comes is served.
        assert session.request("standin.ping") == "pong"
        open_now.pop()
        return args[0]["number"]

    def work():
        return session.request("sdk.ask_all", {"method": "more", "count": 20})

    heard = with_callbacks(session, answer, work)
    assert [one["answer"] for one in heard] == list(range(1, 21))


def test_calls_and_questions_nest_three_deep(session):
    def answer(name, args):
        depth = args[0]["depth"]
        if depth == 0:
            return "the bottom"
        question = {"method": "deeper", "arguments": {"depth": depth - 1}}
        return session.request("sdk.ask", question)["answer"]

    def work():
        return session.request("sdk.ask", {"method": "deeper", "arguments": {"depth": 2}})["answer"]

    assert with_callbacks(session, answer, work) == "the bottom"


def test_an_error_that_is_a_bare_text_reaches_the_worker_as_its_sentence(session):
    def answer(name, args):
        raise ValueError("no such customer")

    def work():
        return session.request("sdk.ask", {"method": "broken", "arguments": {}})

    heard = with_callbacks(session, answer, work)
    assert heard["code"] == "callback_failed"
    assert "no such customer" in heard["message"]


def test_a_response_to_nothing_is_dropped(session):
    # pynvim answers with the number 0 whatever it does not understand.
    session._async_session._msgpack_stream.send([1, 0, "Received invalid message", None])
    session._async_session._msgpack_stream.send([1, 4711, None, "late"])
    assert session.request("standin.ping") == "pong"
