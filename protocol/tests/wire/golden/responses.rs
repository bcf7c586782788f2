//! Responses and notifications.

use standin_protocol::{self as protocol, Message, Notification, Response};

use super::{
    Written::{self, Otherwise, So},
    bytes, check_all, check_written, decode, written,
};

type Place = &'static [u8];
type Answer = (u64, Result<Place, Place>, Written);

#[test]
fn a_response_means_what_its_bytes_say_and_is_written_the_same() {
    let table: [(&str, Answer); 11] = [
        ("text", (1, Ok(b"\xa4pong"), So)),
        ("nothing", (1, Ok(b"\xc0"), So)),
        ("array", (2, Ok(b"\x91\x82\xa5start\x00\xa3end\x03"), So)),
        ("msgid_0", (0, Ok(b"\xc3"), So)),
        ("msgid_largest", (u64::MAX, Ok(b"\xc3"), So)),
        (
            "error",
            (
                3,
                Err(b"\x93\x03\xbcThere is no method \"x\" here.\x82\xa4code\xb0method_not_found\xa7outcome\xacnot_executed"),
                So,
            ),
        ),
        // The result beside an error is given up.
        ("error_and_result", (3, Err(b"\xa4boom"), Otherwise)),
        ("error_false", (3, Err(b"\xc2"), So)),
        ("bare_words", (3, Err(b"\xa4boom"), So)),
        ("number_and_words", (3, Err(b"\x92\x00\xa4boom"), So)),
        (
            "batch",
            (
                4,
                Ok(b"\x92\x92\xc0\xa1a\x92\x93\x03\xaeThere is none.\x82\xa4code\xb0method_not_found\xa7outcome\xacnot_executed\xc0"),
                So,
            ),
        ),
    ];
    check_all(
        "responses",
        &table,
        |name, fixture, (msgid, result, how)| {
            let result = result.map(bytes).map_err(bytes);
            let frame = match &result {
                Ok(result) => protocol::response_ok(*msgid, result),
                Err(error) => protocol::response_error(*msgid, error),
            };
            let meaning = Response {
                msgid: *msgid,
                result,
            };
            assert_eq!(decode(fixture), Ok(Message::Response(meaning)), "{name}");
            check_written(name, &written(&frame), fixture, *how);
        },
    );
}

#[test]
fn a_notification_means_what_its_bytes_say_and_is_written_the_same() {
    let table: [(&str, (Place, Place, Written)); 7] = [
        (
            "progress_to_client",
            (
                b"request.progress",
                b"\x92\x05\x82\xa4done\x28\xa2of\x64",
                So,
            ),
        ),
        (
            "progress_from_worker",
            (
                b"request.progress",
                b"\x92\xcd\x03\x84\x82\xa4done\x28\xa2of\x64",
                So,
            ),
        ),
        ("cancel", (b"request.cancel", b"\x91\xcd\x03\x84", So)),
        ("drain", (b"worker.drain", b"\x90", So)),
        ("bare_map", (b"note", b"\x81\xa1a\x01", So)),
        ("nothing", (b"note", b"\xc0", So)),
        ("method_bin8", (b"note", b"\x90", Otherwise)),
    ];
    check_all(
        "notifications",
        &table,
        |name, fixture, (method, params, how)| {
            let (method, params) = (bytes(method), bytes(params));
            let frame = protocol::notification(&method, &params);
            let meaning = Notification { method, params };
            assert_eq!(
                decode(fixture),
                Ok(Message::Notification(meaning)),
                "{name}"
            );
            check_written(name, &written(&frame), fixture, *how);
        },
    );
}
