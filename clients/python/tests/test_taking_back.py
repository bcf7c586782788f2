"""What nobody wants any more is not sent; what takes it back is."""

import concurrent.futures
import threading

import pytest
from fake import LIMIT, Asyncio, Blocking, in_background

import standin


def test_a_task_that_is_cancelled_while_the_service_is_away_sends_nothing(fake):
    verdict = in_background(lambda: fake.goes("order", answered=True))
    client = Asyncio(fake.path)
    client.call("order")
    verdict.result()
    pending = client.start("mail.send")
    pending.cancel()
    with pytest.raises(concurrent.futures.CancelledError):
        pending.wait()
    verdict = in_background(lambda: fake.is_back("later"))
    assert client.call("later") == "done"
    verdict.result()
    client.close()


def test_a_task_that_is_cancelled_and_lost_is_taken_back_and_not_said_again(fake):
    def service():
        peer = fake.greets()
        order = peer.asked("order")
        asked.set()
        taken_back = peer.asked("standin.cancel")
        assert taken_back[3] == [{"msgid": order[1]}]
        peer.closes()
        peer = fake.resumed()
        again = peer.asked("standin.cancel")
        assert again[1] == taken_back[1]
        peer.answer(again)
        return peer

    def goes_on(peer):
        peer.answer(peer.asked("later"))
        latest = peer.asked("latest")
        # Nothing is open before it.
        assert latest[4]["ack"] == latest[1] - 1
        peer.answer(latest)

    asked = threading.Event()
    verdict = in_background(service)
    client = Asyncio(fake.path)
    pending = client.start("order")
    assert asked.wait(LIMIT)
    pending.cancel()
    peer = verdict.result()
    verdict = in_background(lambda: goes_on(peer))
    client.call("later")
    client.call("latest")
    verdict.result()
    client.close()


def test_a_call_that_is_taken_back_before_it_was_sent_is_answered_and_not_sent(fake):
    verdict = in_background(lambda: fake.goes("order", answered=True))
    client = Blocking(fake.path)
    client.call("order")
    verdict.result()
    # It notices now that nobody is there.
    with pytest.raises(standin.DeadlineExceeded):
        client.call("order", timeout=0.01)
    pending = client.start("mail.send")
    pending.cancel()
    with pytest.raises(standin.ServiceError) as raised:
        pending.wait()
    assert (raised.value.code, raised.value.outcome) == ("cancelled", standin.Outcome.NOT_EXECUTED)
    verdict = in_background(lambda: fake.is_back("later"))
    assert client.call("later") == "done"
    verdict.result()
    client.close()


def test_a_call_that_was_interrupted_in_the_program_is_taken_back(fake):
    def service():
        peer = fake.greets()
        order = peer.asked("order")
        peer.send([0, 1, "interrupt", [{}]])
        taken_back = peer.asked("standin.cancel")
        assert taken_back[3] == [{"msgid": order[1]}]
        peer.answer(peer.asked("later"), "done")

    def interrupt():
        raise KeyboardInterrupt

    verdict = in_background(service)
    client = standin.connect(fake.path, callbacks={"interrupt": interrupt})
    with pytest.raises(KeyboardInterrupt):
        client.call("order")
    assert client.call("later") == "done"
    verdict.result()
    client.close()
