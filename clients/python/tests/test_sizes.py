"""Large messages, too large ones, and many of them."""

import pytest
from fake import in_background

import standin
from standin import Outcome


def nested(levels):
    value = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"text": "x" * 1000}, "bytes long and the service takes 1000"), ({"text": nested(6)}, "more than the 8 levels")],
)
def test_what_the_service_does_not_take_is_refused_here_and_the_connection_goes_on(fake, connect, arguments, words):
    def service():
        peer = fake.greets(limits={"message_size_max": 1000, "depth_max": 8})
        for _ in range(2):
            echo = peer.asked("echo")
            peer.answer(echo, echo[3][0]["text"])

    verdict = in_background(service)
    client = connect(fake.path)
    with pytest.raises(standin.StandinError, match=words) as raised:
        client.call("echo", **arguments)
    assert (raised.value.code, raised.value.outcome) == ("message_too_large", Outcome.NOT_EXECUTED)
    # There is room left for what stands beside it if it has to be said again.
    for fits in ("x" * 970, nested(5)):
        assert client.call("echo", text=fits) == fits
    verdict.result()


def test_what_contains_itself_is_too_deep(fake, connect):
    verdict = in_background(lambda: fake.greets(limits={"depth_max": 64}))
    client = connect(fake.path)
    endless = []
    endless += [endless, endless]
    with pytest.raises(standin.MessageTooLarge):
        client.call("echo", text=endless)
    verdict.result()


def test_the_real_limits_are_the_ones_that_are_checked(service, connect):
    client = connect(service.endpoint)
    replace = {"pattern": "-", "with": "+"}
    # The message is an array, in it are the parameters, in them the arguments: 61 levels are left.
    with pytest.raises(standin.ServiceError) as raised:
        client.call("text.replace", {**replace, "text": nested(61)})
    assert raised.value.code == "invalid_params"
    for refused in (nested(62), "x" * (16 << 20)):
        with pytest.raises(standin.MessageTooLarge):
            client.call("text.replace", {**replace, "text": refused})
    assert client.call("text.replace", {**replace, "text": "a-b"}) == "a+b"


def test_an_answer_to_a_question_that_is_too_large_becomes_an_error_that_says_so(fake, connect):
    def service():
        peer = fake.greets(limits={"message_size_max": 1000, "depth_max": 8})
        order = peer.asked("order")
        answers = []
        for number, method in enumerate(("large", "deep")):
            peer.send([0, number, method, [{}]])
            answers.append(peer.next())
        peer.answer(order)
        return answers

    verdict = in_background(service)
    callbacks = {"large": lambda: "x" * 1000, "deep": lambda: nested(8)}
    connect(fake.path, callbacks=callbacks).call("order")
    for answer in verdict.result():
        assert answer[2][2] == {"code": "message_too_large", "outcome": "executed"}


def test_many_calls_are_started_before_the_first_answer_is_waited_for(fake, connect):
    def service():
        peer = fake.greets()
        for _ in range(1000):
            echo = peer.asked("echo")
            # It reads nothing more until this is read.
            peer.answer(echo, echo[3][0]["text"])

    verdict = in_background(service)
    client = connect(fake.path)
    text = "x" * 10_000
    pending = [client.start("echo", text=text, timeout=120) for _ in range(1000)]
    assert all(call.wait() == text for call in pending)
    verdict.result()


def test_a_service_that_takes_nothing_does_not_hold_the_one_who_starts_a_call(fake, connect):
    verdict = in_background(fake.greets)
    client = connect(fake.path)
    peer = verdict.result()
    pending = client.start("order", text="x" * (8 << 20), timeout=0.2)
    fake.goes_away()
    peer.closes()
    # Its last byte was never given to the system.
    with pytest.raises(standin.DeadlineExceeded) as raised:
        pending.wait()
    assert raised.value.outcome is Outcome.NOT_EXECUTED
