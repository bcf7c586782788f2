"""The blocking client against a real service."""

import threading

import pytest
from conftest import eventually

import standin


def work(number, work_ms=0):
    return {"id": number, "nonce": number, "work_ms": work_ms}


def test_a_call_is_answered(service):
    with standin.connect(service.endpoint) as client:
        assert client.call("standin.ping") == "pong"
        assert client.call("text.replace", text="a-b", pattern="-", **{"with": "+"}) == "a+b"


def test_an_error_says_what_is_known_in_a_sentence(service):
    with standin.connect(service.endpoint) as client:
        with pytest.raises(standin.ServiceError) as raised:
            client.call("no.such")
        assert raised.value.code == "method_not_found"
        assert raised.value.outcome is standin.Outcome.NOT_EXECUTED
        assert "no.such" in str(raised.value)
        assert f"{raised.value.outcome}" == "not_executed"


def test_an_argument_may_be_called_like_one_of_the_client(service):
    with standin.connect(service.endpoint) as client:
        job = client.call("job.submit", method="chaos.always", params=[work(1)], key="job-1")
        assert client.call("job.wait", job, timeout=30)["state"] == "done"
        assert client.call("job.result", job) == 1


def test_several_calls_are_in_flight(service):
    with standin.connect(service.endpoint) as client:
        pending = [client.start("chaos.always", work(number, 20)) for number in range(8)]
        assert [call.wait() for call in pending] == list(range(8))


def test_a_batch_gives_an_answer_or_an_error_for_each_call(service):
    with standin.connect(service.endpoint) as client:
        first, second = client.batch([("chaos.always", work(1)), ("no.such", {})])
        assert first == 1
        assert isinstance(second, standin.ServiceError)


def test_nobody_notices_that_the_service_was_killed(service):
    with standin.connect(service.endpoint) as client:
        assert client.call("chaos.never", work(1)) == 1
        running = client.start("chaos.always", work(2, 400))
        eventually("it has begun", lambda: service.begun(2) == 1)
        service.kill()
        service.start()
        assert running.wait() == 2
        assert client.call("chaos.never", work(3)) == 3
        assert (service.begun(1), service.begun(2), service.begun(3)) == (1, 2, 1)


def test_what_must_not_run_twice_is_told_to_be_unknown(service):
    with standin.connect(service.endpoint) as client:
        running = client.start("chaos.never", work(1, 60_000))
        eventually("it has begun", lambda: service.begun(1) == 1)
        service.kill()
        service.start()
        with pytest.raises(standin.ServiceError) as raised:
            running.wait()
        assert raised.value.code == "outcome_unknown"
        assert service.begun(1) == 1


def test_a_call_that_is_made_while_the_service_is_away_is_answered_when_it_is_back(service):
    with standin.connect(service.endpoint) as client:
        service.kill()
        timer = threading.Timer(0.3, service.start)
        timer.start()
        assert client.call("chaos.never", work(1), timeout=30) == 1
        timer.join()


def test_a_call_has_its_time_even_when_the_service_is_away(service):
    with standin.connect(service.endpoint) as client:
        service.kill()
        with pytest.raises(standin.DeadlineExceeded):
            client.call("chaos.always", work(1), timeout=0.2)
        service.start()


def test_a_service_that_is_not_there_is_told_in_a_sentence(tmp_path):
    with pytest.raises(standin.ConnectionLost, match="not running"):
        standin.connect(str(tmp_path / "nobody"), timeout=0.1)
