//! The oddities of MsgPack-RPC clients, byte by byte. What real ones do is tried in `.ci/conformance`.

use std::path::Path;

use chaos_tests::{
    raw_client::{RawClient, code, map},
    under_test::{UnderTest, sdk_pool},
};
use rmpv::Value;

fn service() -> UnderTest {
    let program = Path::new(env!("CARGO_BIN_EXE_chaos-tests"));
    let under_test = UnderTest::serve(program, |folder| sdk_pool("sdk", program, folder, ""));
    // It is there, and its worker knows its methods.
    let client = under_test.client();
    let echoed: String = client
        .call("sdk.echo", &serde_json::json!({ "text": "here" }))
        .expect("it answers");
    assert_eq!(echoed, "here");
    under_test
}

fn connect(under_test: &UnderTest) -> RawClient {
    RawClient::connect(&under_test.endpoint())
}

/// `[0, msgid, method, params]`, with a head of the msgid's own choice.
fn request(msgid: &[u8], method: &[u8], params: &[u8]) -> Vec<u8> {
    [b"\x94\x00".as_slice(), msgid, method, params].concat()
}

const PING: &[u8] = b"\xacstandin.ping";

fn pings(client: &mut RawClient) {
    client.ask(900, "standin.ping", map([]));
    let pong = client.answer(900).expect("the connection goes on");
    assert_eq!(pong, "pong".into());
}

#[test]
fn ids_may_begin_at_zero_or_two_and_have_any_width() {
    let under_test = service();
    let mut client = connect(&under_test);
    for (head, msgid) in [
        (b"\x00".as_slice(), 0),
        (b"\x02", 2),
        (b"\xcc\x03", 3),
        (b"\xcd\x00\x04", 4),
        (b"\xce\xff\xff\xff\xff", u64::from(u32::MAX)),
        (b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", u64::MAX),
        // An encoder that knows signed numbers only.
        (b"\xd0\x05", 5),
        (b"\xd3\x00\x00\x00\x00\x00\x00\x00\x06", 6),
        // And one that begins anew.
        (b"\x00", 0),
    ] {
        client.send_bytes(&request(head, PING, b"\x90"));
        assert_eq!(client.answer(msgid).expect("it answers"), "pong".into());
    }
}

#[test]
fn names_and_texts_may_come_as_bin() {
    let under_test = service();
    let mut client = connect(&under_test);
    client.send_bytes(&request(b"\x01", b"\xc4\x0cstandin.ping", b"\x90"));
    assert_eq!(client.answer(1).expect("it answers"), "pong".into());
    let arguments = b"\x91\x81\xc4\x04text\xc4\x02as";
    client.send_bytes(&request(b"\x02", b"\xc4\x08sdk.echo", arguments));
    assert_eq!(client.answer(2).expect("it answers"), "as".into());
    // A bare map, and no map at all, are arguments too.
    client.send_bytes(&request(b"\x03", b"\xa8sdk.echo", b"\x81\xa4text\xa2so"));
    assert_eq!(client.answer(3).expect("it answers"), "so".into());
    client.send_bytes(&request(b"\x04", PING, b"\x91\xc0"));
    assert_eq!(client.answer(4).expect("it answers"), "pong".into());
}

#[test]
fn a_text_that_is_no_utf8_is_kept_as_bytes_in_calls_results_questions_and_answers() {
    let under_test = service();
    let mut client = connect(&under_test);
    let strange = b"\xa2\xff\xfe";
    let given = [b"\x91".as_slice(), strange].concat();
    client.send_bytes(&request(b"\x01", b"\xadsdk.give_back", &given));
    let result = client.answer(1).expect("it answers");
    assert!(
        matches!(result, Value::String(_)),
        "{result} is a str still"
    );
    assert_eq!(result.as_slice(), Some(b"\xff\xfe".as_slice()));

    client.ask(2, "standin.hello", map([("callbacks", true.into())]));
    client.answer(2).expect("it is welcome");
    let question = [b"\x92\xa4take".as_slice(), &given].concat();
    client.send_bytes(&request(b"\x03", b"\xabsdk.pass_on", &question));
    let asked = client.message().expect("the connection lives");
    assert_eq!(asked[3][0].as_slice(), Some(b"\xff\xfe".as_slice()));
    let id = asked[1].as_u64().expect("a number") as u8;
    client.send_bytes(&[&[0x94, 0x01, id, 0xc0], strange.as_slice()].concat());
    let result = client.answer(3).expect("it answers");
    assert_eq!(result.as_slice(), Some(b"\xff\xfe".as_slice()));
}

#[test]
fn a_response_to_nothing_is_dropped() {
    let under_test = service();
    let mut client = connect(&under_test);
    client.send_bytes(b"\x94\x01\x00\xc0\x07");
    client.send_bytes(b"\x94\x01\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xa5wrong\xc0");
    pings(&mut client);
}

#[test]
fn a_wrong_method_arity_or_argument_is_answered_and_the_connection_goes_on() {
    let under_test = service();
    let mut client = connect(&under_test);
    for (message, expected) in [
        (
            request(b"\x01", b"\xa7no.such", b"\x90"),
            "method_not_found",
        ),
        // Three elements, and a method that is a number.
        (b"\x93\x00\x01\xacstandin.ping".to_vec(), "invalid_request"),
        (request(b"\x01", b"\x07", b"\x90"), "invalid_request"),
        (request(b"\x01", PING, b"\x07"), "invalid_request"),
        (request(b"\x01", PING, b"\x92\x01\x02"), "invalid_params"),
        (request(b"\x01", b"\xa8sdk.echo", b"\x90"), "invalid_params"),
        (
            request(b"\x01", b"\xa8sdk.echo", b"\x91\x81\xa4text\x07"),
            "invalid_params",
        ),
    ] {
        client.send_bytes(&message);
        let error = client.answer(1).expect_err("it is wrong");
        assert_eq!(code(&error), expected, "{message:02x?}");
        pings(&mut client);
    }
}

#[test]
fn a_bad_outer_frame_closes_the_connection_and_no_other() {
    let under_test = service();
    let mut other = connect(&under_test);
    for (what, bytes) in [
        ("no array", b"\x81\x00\x01".as_slice()),
        ("two elements", b"\x92\x00\x01"),
        ("six elements", b"\x96\x00\x01\xa1a\x90\x80\x80"),
        ("a fourth kind", b"\x94\x03\x01\xa1a\x90"),
        ("a msgid that is a text", b"\x94\x00\xa1a\xa1a\x90"),
        ("a response of three elements", b"\x93\x01\x01\xc0"),
        ("what is never used", b"\xc1"),
    ] {
        let mut client = connect(&under_test);
        client.send_bytes(bytes);
        assert_eq!(client.message(), None, "{what}");
        pings(&mut other);
    }
}

#[test]
fn responses_have_four_elements_and_errors_a_number_then_a_sentence() {
    let under_test = service();
    let mut client = connect(&under_test);
    for (msgid, method, arguments) in [
        (1, "standin.ping", map([])),
        (2, "no.such", map([])),
        (3, "sdk.echo", map([])),
        (4, "sdk.fail", map([])),
        (5, "sdk.echo", map([("text", "so".into())])),
    ] {
        client.ask(msgid, method, arguments);
        let message = client.message().expect("the connection lives");
        let parts = message.as_array().expect("it is an array");
        assert_eq!(parts.len(), 4, "{message}");
        assert!(
            parts[2].is_nil() != parts[3].is_nil(),
            "{message}: one of both"
        );
        if !parts[2].is_nil() {
            assert!(parts[2][0].is_u64() && parts[2][1].is_str(), "{message}");
            assert_ne!(parts[2][1], Value::from(""));
        }
    }
}
