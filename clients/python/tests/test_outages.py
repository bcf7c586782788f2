"""The connection is lost, or the service is away: what is said again, to whom, and who waits for how long."""

import time

import pytest
from fake import TOKEN, Fake, in_background

import standin
from standin import Outcome


def test_what_was_asked_of_one_service_is_never_asked_of_another(tmp_path, monkeypatch, connect):
    users, machines = Fake(tmp_path / "user"), Fake(tmp_path / "machine")
    monkeypatch.setattr("standin._endpoint.candidates", lambda endpoint: [users.path, machines.path])

    verdict = in_background(lambda: users.goes("mail.send"))
    client = connect(None)
    with pytest.raises(standin.DeadlineExceeded) as raised:
        client.call("mail.send", key="order-17", timeout=0.5)
    verdict.result()
    assert raised.value.outcome is Outcome.UNKNOWN
    assert not machines.somebody_connects()


def test_a_call_that_was_made_after_the_service_had_gone_is_made_when_its_session_is_forgotten(fake, connect):
    def second():
        peer = fake.greets(token="new")
        peer.answer(peer.asked("order"), "done")

    verdict = in_background(lambda: fake.loses("order", answered=True))
    client = connect(fake.path)
    client.call("order")
    verdict.result()
    verdict = in_background(second)
    # Not one byte of it has reached the service that is gone.
    assert client.call("order", timeout=20) == "done"
    verdict.result()


def test_what_may_have_been_got_before_says_that_it_is_said_again_and_nothing_else_does(fake, connect):
    def service():
        peer = fake.greets()
        assert "again" not in peer.asked("order")[4]
        peer.closes()
        fake.goes_away()

    verdict = in_background(service)
    client = connect(fake.path)
    order = client.start("order", timeout=20)
    verdict.result()
    with pytest.raises(standin.DeadlineExceeded):
        client.call("unsent", timeout=0.01)
    later = client.start("later", timeout=20)

    def is_back():
        peer = Fake(fake.path).resumed()
        for method, again in (("order", True), ("later", None)):
            request = peer.asked(method)
            assert request[4].get("again") is again
            peer.answer(request)

    verdict = in_background(is_back)
    order.wait()
    later.wait()
    verdict.result()


def test_a_service_that_loses_every_connection_is_not_asked_all_the_time(fake, connect):
    tries = []

    def service():
        fake.loses("order")
        while True:
            peer = fake.accept()
            hello = peer.next()
            if hello is None:
                return
            tries.append(hello)
            peer.welcome(hello, resumed=True)
            peer.next()
            peer.closes()

    verdict = in_background(service)
    client = connect(fake.path, resume=1.0)
    with pytest.raises(standin.ConnectionLost) as raised:
        client.call("order")
    assert raised.value.outcome is Outcome.UNKNOWN
    assert "closes the connection" in str(raised.value)
    fake.hears_nothing()
    verdict.result()
    # With the shortest pauses there are nine tries in the first second, and one more when the call is over.
    assert 2 <= len(tries) <= 10


def test_each_call_waits_for_its_own_time_however_long_others_do(fake, connect):
    verdict = in_background(lambda: fake.goes("order"))
    client = connect(fake.path, resume=0.2)
    long = client.start("order", timeout=60)
    verdict.result()
    start = time.monotonic()
    with pytest.raises(standin.ConnectionLost, match="could not be made again within 0.2 s") as raised:
        client.call("unsent")
    assert raised.value.outcome is Outcome.NOT_EXECUTED
    # One that comes later has time of its own, and one with a time of its own has that.
    with pytest.raises(standin.ConnectionLost):
        client.call("unsent")
    with pytest.raises(standin.DeadlineExceeded) as raised:
        client.call("unsent", timeout=0.4)
    assert raised.value.outcome is Outcome.NOT_EXECUTED
    assert time.monotonic() - start >= 0.8

    verdict = in_background(lambda: fake.is_back("order"))
    assert long.wait() == "done"
    verdict.result()


def test_whoever_waits_with_a_limit_of_his_own_ends_no_call(fake, connect):
    verdict = in_background(lambda: fake.goes("order"))
    client = connect(fake.path, resume=20.0)
    pending = client.start("order")
    verdict.result()
    for _ in range(3):
        with pytest.raises(Exception) as raised:
            pending.wait(0.05)
        assert "Timeout" in type(raised.value).__name__

    verdict = in_background(lambda: fake.is_back("order"))
    assert pending.wait() == "done"
    verdict.result()


def test_a_hello_that_is_refused_is_a_try_that_came_to_nothing(fake, connect):
    def service():
        fake.loses("order")
        peer = fake.accept()
        peer.refuse(peer.asked("standin.hello"), "overloaded")
        peer.closes()
        fake.goes_on("order")

    verdict = in_background(service)
    assert connect(fake.path).call("order") == "done"
    verdict.result()


def test_a_session_that_is_denied_is_given_up_for_a_new_one(fake, connect):
    def service():
        peer = fake.greets()
        never, keyed = peer.asked("never"), peer.asked("keyed")
        peer.closes()
        peer = fake.accept()
        hello = peer.asked("standin.hello")
        assert hello[3][0]["session"] == TOKEN
        peer.refuse(hello, "session_denied")
        peer.closes()
        peer = fake.accept()
        hello = peer.asked("standin.hello")
        assert "session" not in hello[3][0]
        peer.welcome(hello, token="new")
        again = peer.asked("keyed")
        assert again[1] == keyed[1] > never[1]
        peer.answer(again, "done")

    verdict = in_background(service)
    client = connect(fake.path)
    never, keyed = client.start("never"), client.start("keyed", key="1")
    with pytest.raises(standin.ConnectionLost) as raised:
        never.wait()
    assert raised.value.outcome is Outcome.UNKNOWN
    assert keyed.wait() == "done"
    verdict.result()


GARBAGE = [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xc1", b"\x90", b"\x94\x01", b"\x93\x01\x01\xc0"]


@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_stream_that_is_lost_is_a_connection_that_is_lost(fake, connect, garbage):
    def service():
        peer = fake.greets()
        peer.asked("order")
        peer.connection.sendall(garbage)
        peer.closes()
        fake.goes_on("order")

    verdict = in_background(service)
    assert connect(fake.path).call("order") == "done"
    verdict.result()


def test_a_function_that_fails_to_take_progress_loses_no_answer(fake, connect, caplog):
    def service():
        peer = fake.greets()
        order = peer.asked("order")
        for step in range(2):
            peer.send([2, "request.progress", [order[1], step]])
        peer.answer(order, "done")
        peer.answer(peer.asked("order"), "again")

    steps = []

    def on_progress(step):
        steps.append(step)
        raise ValueError("no such window")

    verdict = in_background(service)
    client = connect(fake.path, progress=True)
    assert client.call("order", on_progress=on_progress) == "done"
    assert client.call("order") == "again"
    assert steps == [0, 1]
    assert "no such window" in caplog.text
    verdict.result()


def test_when_the_session_has_moved_what_was_not_sent_was_not_executed(fake, connect):
    def service():
        peer = fake.greets()
        peer.asked("order")
        peer.send([2, "session.moved", []])
        assert peer.next() is None

    verdict = in_background(service)
    client = connect(fake.path)
    with pytest.raises(standin.SessionMoved) as raised:
        client.call("order")
    assert raised.value.outcome is Outcome.UNKNOWN
    verdict.result()
    with pytest.raises(standin.SessionMoved) as raised:
        client.call("order")
    assert raised.value.outcome is Outcome.NOT_EXECUTED
    assert not fake.somebody_connects()


def test_a_client_that_was_closed_takes_no_calls(fake, connect):
    verdict = in_background(lambda: fake.greets().asked("order"))
    client = connect(fake.path)
    pending = client.start("order")
    verdict.result()
    client.end()
    with pytest.raises(standin.ConnectionLost, match="was closed") as raised:
        pending.wait()
    assert raised.value.outcome is Outcome.UNKNOWN
    with pytest.raises(standin.ConnectionLost, match="was closed") as raised:
        client.call("order")
    assert raised.value.outcome is Outcome.NOT_EXECUTED
