"""A client that cannot be had says why, in a sentence."""

import pytest
from fake import in_background

import standin
from standin import Outcome


def test_a_service_that_closes_every_connection_is_not_asked_all_the_time_and_told_of(fake, connect):
    hellos = []

    def service():
        while True:
            peer = fake.accept()
            hello = peer.next()
            if hello is None:
                return
            hellos.append(hello)
            peer.closes()

    verdict = in_background(service)
    with pytest.raises(standin.ConnectionLost, match="closes the connection") as raised:
        connect(fake.path, timeout=1.0)
    assert raised.value.outcome is Outcome.NOT_EXECUTED
    fake.hears_nothing()
    verdict.result()
    assert 2 <= len(hellos) <= 9


def test_a_service_that_does_not_answer_is_told_of(fake, connect):
    with pytest.raises(standin.ConnectionLost, match="takes connections but does not answer"):
        connect(fake.path, timeout=0.1)


def test_a_service_that_refuses_the_hello_is_told_of_in_its_own_words(fake, connect):
    def service():
        peer = fake.accept()
        peer.refuse(peer.asked("standin.hello"), "access_denied")

    verdict = in_background(service)
    with pytest.raises(standin.ServiceError, match="It will not") as raised:
        connect(fake.path)
    assert raised.value.code == "access_denied"
    verdict.result()


def test_a_service_that_closes_at_first_is_waited_for(fake, connect):
    def service():
        fake.accept().closes()
        peer = fake.greets()
        peer.answer(peer.asked("order"), "done")

    verdict = in_background(service)
    assert connect(fake.path).call("order") == "done"
    verdict.result()


def test_a_name_that_is_none_is_told_of_at_once(connect):
    with pytest.raises(UnicodeEncodeError):
        connect("\ud800", timeout=20)
