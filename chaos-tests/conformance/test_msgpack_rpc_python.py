"""msgpack-rpc-python: the encoding from before there was bin, over TCP, which is all that it can do."""

import socket
import threading

import msgpackrpc
import pytest
from msgpackrpc.error import RPCError


def pump(source, target):
    """Bytes one way, until either end is gone."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


@pytest.fixture
def port(endpoint):
    """A port of this machine that leads to the service, for one client."""
    listener = socket.create_server(("127.0.0.1", 0))

    def relay():
        theirs, _ = listener.accept()
        ours = socket.socket(socket.AF_UNIX)
        ours.connect(endpoint)
        ways = [threading.Thread(target=pump, args=pair, daemon=True) for pair in ((theirs, ours), (ours, theirs))]
        for way in ways:
            way.start()
        for way in ways:
            way.join()
        theirs.close()
        ours.close()

    threading.Thread(target=relay, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


@pytest.fixture
def client(port):
    client = msgpackrpc.Client(msgpackrpc.Address("127.0.0.1", port), timeout=30)
    yield client
    client.close()


def test_ids_begin_at_zero_and_texts_come_as_bytes(client):
    assert client.call("standin.ping") == b"pong"


def test_bytes_that_it_sends_as_str_are_kept_as_they_are(client):
    # An encoder of the old kind writes `a2 ff fe` for these: a str that is no UTF-8.
    assert client.call("sdk.give_back", b"\xff\xfe") == b"\xff\xfe"
    assert client.call("text.decode", {"bytes": b"\xfc", "codepage": "1252"}) == "ü".encode()


def test_an_error_is_raised_with_its_number_and_its_sentence(client):
    with pytest.raises(RPCError) as caught:
        client.call("no.such.method")
    number, sentence, rest = caught.value.args[0]
    assert (number, rest[b"code"]) == (3, b"method_not_found")
    assert b"no.such.method" in sentence
    assert client.call("standin.ping") == b"pong"


def test_several_calls_are_on_their_way_at_once(client):
    pending = [client.call_async("sdk.give_back", number) for number in range(100)]
    assert [future.get() for future in reversed(pending)] == list(reversed(range(100)))


def test_a_notification_that_nobody_knows_is_passed_over(client):
    client.notify("nobody.listens", 1, 2)
    assert client.call("standin.ping") == b"pong"
