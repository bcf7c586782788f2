//! Requests, whole and wrong, and what ends a stream.

use standin_protocol::{self as protocol, ErrorCode, Message, Outcome, Request, WireError};

use super::{
    Written::{self, Otherwise, So},
    bytes, check_all, check_written, decode, written,
};

struct Expected {
    msgid: u64,
    method: &'static [u8],
    params: &'static [u8],
    meta: Option<&'static [u8]>,
    written: Written,
}

const fn request(msgid: u64, method: &'static [u8], params: &'static [u8]) -> Expected {
    Expected {
        msgid,
        method,
        params,
        meta: None,
        written: So,
    }
}

const fn ping(msgid: u64, written: Written) -> Expected {
    Expected {
        written,
        ..request(msgid, b"standin.ping", b"\x90")
    }
}

const EVERY_KIND: &[u8] = b"\xdc\x00\x1a\xc0\xc3\xc2\x7f\xcc\xc8\xcd\xea\x60\xce\x80\x00\x00\x00\xcf\x80\x00\x00\x00\
    \x00\x00\x00\x00\xe0\xd0\x9c\xd1\x8a\xd0\xd2\x80\x00\x00\x00\xd3\x80\x00\x00\x00\x00\x00\x00\x00\xca\x3f\xc0\x00\
    \x00\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00\xa4text\xc4\x02\x00\xff\xd4\x01\xaa\xd5\x01\xaa\xbb\xd6\xff\x00\x00\x00\
    \x00\xd7\x01\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xd8\x01\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\
    \xaa\xc7\x03\x01\xaa\xbb\xcc\xc8\x00\x01\x01\xaa\xc9\x00\x00\x00\x00\x01\x81\x01\xb5a key that is no text";

const FIND: &[u8] = b"\x82\xa4text\xa7one two\xa7pattern\xa6[a-z]+";

#[test]
fn a_request_means_what_its_bytes_say_and_is_written_the_same() {
    let find_in_array = [b"\x91", FIND].concat();
    let find_in_array: &'static [u8] = find_in_array.leak();
    let table = [
        ("plain", ping(1, So)),
        ("named_arguments", request(2, b"text.find", find_in_array)),
        ("bare_map", request(3, b"text.find", FIND)),
        (
            "several_arguments",
            request(4, b"sum", b"\x93\x01\xfe\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"),
        ),
        (
            "meta_full",
            Expected {
                meta: Some(b"\x85\xa3key\xa7order-1\xaatimeout_ms\xcd\x05\xdc\xaaidempotent\xc3\xa3ack\x09\xa5trace\xd9\x37\
                    00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                ..request(5, b"mail.send", b"\x91\x81\xa2to\xa3bob")
            },
        ),
        (
            "meta_empty",
            Expected {
                meta: Some(b"\x80"),
                ..ping(6, So)
            },
        ),
        ("meta_nil", ping(7, Otherwise)),
        ("msgid_0", ping(0, So)),
        ("msgid_127", ping(127, So)),
        ("msgid_128", ping(128, So)),
        ("msgid_65536", ping(65_536, So)),
        ("msgid_4294967296", ping(1 << 32, So)),
        ("msgid_largest", ping(u64::MAX, So)),
        ("msgid_wider_than_needed", ping(5, Otherwise)),
        ("msgid_signed", ping(5, Otherwise)),
        ("method_str8", ping(1, Otherwise)),
        ("method_raw16", ping(1, Otherwise)),
        ("method_str32", ping(1, Otherwise)),
        ("method_bin8", ping(1, Otherwise)),
        ("method_bin16", ping(1, Otherwise)),
        ("method_bin32", ping(1, Otherwise)),
        ("method_not_utf8", request(1, b"gr\xfc\xdfe", b"\x90")),
        (
            "wide_heads",
            Expected {
                meta: Some(b"\xde\x00\x01\xd9\x0aidempotent\xc3"),
                written: Otherwise,
                ..request(
                    1,
                    b"text.find",
                    b"\xdc\x00\x01\xdf\x00\x00\x00\x01\xda\x00\x04text\xc6\x00\x00\x00\x02\xff\x00",
                )
            },
        ),
        ("every_kind", request(9, b"echo", EVERY_KIND)),
        (
            "hello",
            request(
                1,
                b"standin.hello",
                b"\x91\x83\xa6client\xa6orders\xa9callbacks\xc3\xa8progress\xc3",
            ),
        ),
        (
            "batch",
            request(
                2,
                b"standin.batch",
                b"\x91\x81\xa5calls\x92\x92\xa9text.find\x91\x82\xa4text\xa2ab\xa7pattern\xa1b\
                    \x93\xacconfig.parse\x81\xa4text\xa3a=1\x81\xaatimeout_ms\xcd\x01\xf4",
            ),
        ),
        ("cancel", request(3, b"standin.cancel", b"\x91\x81\xa5msgid\x02")),
    ];
    check_all("requests", &table, |name, fixture, expected| {
        let meaning = Request {
            msgid: expected.msgid,
            method: bytes(expected.method),
            params: bytes(expected.params),
            meta: expected.meta.map(bytes),
        };
        assert_eq!(decode(fixture), Ok(Message::Request(meaning)), "{name}");
        let meta = expected.meta;
        let write = |out: &mut Vec<u8>| out.extend_from_slice(meta.unwrap_or_default());
        let frame = protocol::request(
            expected.msgid,
            expected.method,
            &bytes(expected.params),
            meta.is_some().then_some(&write as protocol::WriteMeta<'_>),
        );
        check_written(name, &written(&frame), fixture, expected.written);
    });
}

#[test]
fn a_wrong_request_is_answered_and_the_stream_goes_on() {
    let (method, params, meta) = (
        "The name of a method must be a text.",
        "The parameters must be an array, or one map of named arguments.",
        "The fifth element of a request, where there is one, must be a map.",
    );
    let arity = "A request has four elements, or five: 0, its number, the method, the parameters.";
    let table = [
        ("three_elements", arity),
        ("method_number", method),
        ("method_nil", method),
        ("method_array", method),
        ("params_nil", params),
        ("params_text", params),
        ("params_number", params),
        ("params_bin", params),
        ("meta_array", meta),
        ("meta_text", meta),
        ("meta_true", meta),
    ];
    check_all("wrong_requests", &table, |name, fixture, why| {
        let mut splitter = protocol::Splitter::new(protocol::Limits::default());
        splitter.push(&[fixture, &b"\x93\x02\xa4note\x90"[..]].concat());
        let Ok(Some(Message::WrongRequest { msgid, error })) = splitter.next_message() else {
            panic!("{name} is a wrong request");
        };
        assert_eq!((msgid, error.message.as_str()), (7, *why), "{name}");
        assert_eq!(error.service_code(), Some(ErrorCode::InvalidRequest));
        assert_eq!(error.outcome, Outcome::NotExecuted);
        let next = splitter.next_message();
        assert!(matches!(next, Ok(Some(Message::Notification(_)))), "{name}");
    });
}

#[test]
fn what_is_no_message_ends_the_stream_and_says_why() {
    let limit = protocol::Limits::default().message_size_max;
    let no_message = |reason| WireError::NotAMessage { reason };
    let too_large = |msgid| WireError::TooLarge { limit, msgid };
    let array = no_message("a message is an array of three to five");
    let kind = no_message(
        "the first element is 0, 1 or 2, with four or five, four, or three elements in all",
    );
    let msgid = no_message("a msgid is a whole number of 0 or more");
    let table = [
        ("text", array.clone()),
        ("map", array.clone()),
        ("number", array.clone()),
        ("array_of_two", array.clone()),
        ("array_of_six", array),
        ("kind_3", kind.clone()),
        ("kind_negative", kind.clone()),
        ("kind_text", kind.clone()),
        ("msgid_negative", msgid.clone()),
        ("msgid_text", msgid.clone()),
        ("msgid_nil", msgid.clone()),
        ("msgid_float", msgid),
        ("response_of_three", kind.clone()),
        ("response_of_five", kind.clone()),
        ("notification_of_four", kind),
        (
            "notification_without_name",
            no_message("a notification's method is a text"),
        ),
        ("reserved_byte", WireError::ReservedByte { offset: 4 }),
        ("too_deep", WireError::TooDeep { limit: 64 }),
        ("too_large_text", too_large(Some(7))),
        ("too_large_method", too_large(Some(7))),
        ("too_large_count", too_large(Some(7))),
        ("too_large_map", too_large(Some(7))),
        ("too_large_ext", too_large(None)),
        ("too_large_response", too_large(None)),
    ];
    check_all("lost_streams", &table, |name, fixture, why| {
        assert_eq!(decode(fixture), Err(why.clone()), "{name}");
    });
}
