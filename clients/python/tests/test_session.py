"""The rules of a session, without a connection."""

import msgpack
import pytest

from standin._callbacks import Callback
from standin._session import Session
from standin.errors import ConnectionLost, DeadlineExceeded, Outcome, SessionMoved


def said(session):
    """What the client has said since. All of it is given to the system."""
    unpacker = msgpack.Unpacker(raw=False)
    while session.outgoing:
        chunk = session.outgoing.chunk()
        session.outgoing.gave(len(chunk))
        unpacker.feed(chunk)
    return list(unpacker)


def greet(session, *, resumed=False, token="t"):
    """Connects and answers the hello. Gives the hello and what was written after its answer."""
    session.connected()
    [hello] = said(session)
    answer = {"session": token, "resumed": resumed}
    session.received(msgpack.packb([1, hello[1], None, answer]), 0.0)
    return hello, said(session)


def ready():
    session = Session("test", callbacks=True, progress=False, resume=60.0)
    greet(session)
    return session


def ask(session, method="a.b", deadline=None, **meta):
    request = session.request(method, [{}], meta, deadline, 0.0)
    return request, said(session)


def answer(session, request, result="ok"):
    session.received(msgpack.packb([1, request.msgid, None, result]), 0.0)
    return said(session)


def test_the_first_message_is_a_hello_and_later_ones_name_the_session():
    session = Session("test", callbacks=False, progress=False, resume=60.0)
    hello, _ = greet(session, token="abc")
    assert hello[2] == "standin.hello"
    assert "session" not in hello[3][0]
    session.disconnected(0.0)
    hello, _ = greet(session, resumed=True, token="abc")
    assert hello[3][0]["session"] == "abc"


def test_what_is_unanswered_is_sent_again_with_the_same_number_and_answered_once():
    session = ready()
    first, _ = ask(session)
    second, _ = ask(session)
    answer(session, first, 1)
    session.disconnected(0.0)
    _, again = greet(session, resumed=True)
    assert again[0] == [2, "standin.ack", [first.msgid]], "it is told once more what was read"
    assert [message[1] for message in again[1:]] == [second.msgid]
    answer(session, second, 2)
    answer(session, second, 3)
    assert (first.value(), second.value()) == (1, 2)


def test_after_a_session_was_forgotten_only_what_may_run_twice_is_sent_again():
    session = ready()
    never, _ = ask(session)
    keyed, _ = ask(session, key="order-1")
    vouched, _ = ask(session, idempotent=True)
    session.disconnected(0.0)
    unwritten, data = ask(session)
    assert data == []
    _, again = greet(session, resumed=False, token="new")
    assert [message[1] for message in again] == [keyed.msgid, vouched.msgid, unwritten.msgid]
    with pytest.raises(ConnectionLost) as raised:
        never.value()
    assert raised.value.outcome is Outcome.UNKNOWN


def test_answers_are_acknowledged_beside_the_next_request():
    session = ready()
    first, _ = ask(session)
    answer(session, first)
    second, [message] = ask(session)
    assert message[4]["ack"] == first.msgid
    third, [message] = ask(session)
    assert len(message) == 4, "there is nothing new to say"
    answer(session, third)
    _, [message] = ask(session)
    assert len(message) == 4, "the second is still open"
    answer(session, second)
    _, [message] = ask(session)
    assert message[4]["ack"] == third.msgid


def test_many_answers_are_acknowledged_without_a_request():
    session = ready()
    requests = [ask(session)[0] for _ in range(70)]
    told = [message for request in requests for message in answer(session, request)]
    assert told[0][:2] == [2, "standin.ack"]


def test_a_call_is_not_waited_for_longer_than_it_has():
    session = ready()
    written, _ = ask(session, deadline=5.0)
    session.disconnected(0.0)
    unwritten, _ = ask(session, deadline=6.0)
    assert session.expire(0.0) == 5.0
    session.expire(7.0)
    with pytest.raises(DeadlineExceeded) as raised:
        written.value()
    assert raised.value.outcome is Outcome.UNKNOWN
    with pytest.raises(DeadlineExceeded) as raised:
        unwritten.value()
    assert raised.value.outcome is Outcome.NOT_EXECUTED


def test_a_session_that_was_moved_ends_its_calls_and_takes_no_more():
    session = ready()
    request, _ = ask(session)
    session.received(msgpack.packb([2, "session.moved", []]), 0.0)
    with pytest.raises(SessionMoved):
        request.value()
    with pytest.raises(SessionMoved):
        ask(session)[0].value()


def test_a_callback_of_a_connection_that_is_gone_gets_no_answer():
    session = ready()
    session.received(msgpack.packb([0, 7, "confirm", [{}]]), 0.0)
    asked = session.events.popleft()
    assert isinstance(asked, Callback)
    session.answer(asked, True, None)
    assert said(session) == [[1, 7, None, True]]
    session.disconnected(0.0)
    greet(session, resumed=True)
    session.answer(asked, True, None)
    assert said(session) == []


def test_without_a_session_a_lost_connection_ends_what_was_written():
    session = Session("test", callbacks=False, progress=False, resume=60.0)
    greet(session, token=None)
    request, _ = ask(session)
    session.disconnected(0.0)
    with pytest.raises(ConnectionLost):
        request.value()


def test_bytes_that_are_no_text_come_through():
    session = ready()
    request, _ = ask(session)
    session.received(b"\x94\x01" + msgpack.packb(request.msgid) + b"\xc0\xa2a\xff", 0.0)
    assert request.value().encode(errors="surrogateescape") == b"a\xff"
