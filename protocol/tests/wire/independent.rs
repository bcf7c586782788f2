//! `rmpv` knows nothing of the scanner, the encoder or Standin; it must see the same things in the same bytes.

use proptest::{collection::vec, prelude::*};
use rmpv::Value;
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, Limits, Meta, WorkerMeta};

use crate::{
    annotated::{FIXTURES, fixtures},
    any,
    golden::{bytes, written},
    second_opinion::check_against_rmpv,
};

const SMALL: Limits = Limits {
    message_size_max: 300,
    depth_max: 5,
};

#[test]
fn rmpv_sees_one_value_in_each_fixture_and_ends_it_at_the_same_place() {
    for (file, _) in FIXTURES {
        for fixture in fixtures(file) {
            // What stands in a message is wrapped into one.
            let message = match file {
                "errors" | "meta" | "wrong_meta" => {
                    [b"\x93\x02\xa4note", &fixture.bytes[..]].concat()
                }
                _ => fixture.bytes.to_vec(),
            };
            let whole = (file != "lost_streams").then_some(message.len());
            let found = check_against_rmpv(&message, Limits::default());
            // Some that end a stream are whole values, and only no message; others are not even that.
            assert!(
                found == whole || whole.is_none() && found == Some(message.len()),
                "{}",
                fixture.name
            );
            check_against_rmpv(&message, SMALL);
        }
    }
}

proptest! {
    #[test]
    fn rmpv_ends_every_message_at_the_same_place(sent in any::message()) {
        let length = sent.bytes.len();
        prop_assert_eq!(check_against_rmpv(&sent.bytes, Limits::default()), Some(length));
        let more = [sent.bytes, b"\x93\x02".to_vec()].concat();
        prop_assert_eq!(check_against_rmpv(&more, Limits::default()), Some(length));
        check_against_rmpv(&more, SMALL);
    }

    #[test]
    fn rmpv_sees_the_same_in_bytes_that_are_nearly_messages(bytes in any::nearly_messages()) {
        check_against_rmpv(&bytes, Limits::default());
        check_against_rmpv(&bytes, SMALL);
    }

    #[test]
    fn rmpv_sees_the_same_in_any_bytes(bytes in vec(any::<u8>(), 0..64), head in 0x92u8..0x97) {
        check_against_rmpv(&bytes, Limits::default());
        check_against_rmpv(&[vec![head], bytes].concat(), SMALL);
    }
}

fn packed(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    rmpv::encode::write_value(&mut out, value).expect("a Vec takes every byte");
    out
}

fn map(entries: Vec<(&str, Value)>) -> Value {
    let entries = entries
        .into_iter()
        .map(|(name, value)| (name.into(), value));
    Value::Map(entries.collect())
}

#[test]
fn rmpv_writes_the_same_bytes_for_the_same_messages() {
    for msgid in [
        0,
        1,
        127,
        128,
        255,
        256,
        65_535,
        65_536,
        u64::from(u32::MAX),
        1 << 32,
        u64::MAX,
    ] {
        let params = Value::Array(vec![map(vec![("text", "Grüße".into())])]);
        let worker = WorkerMeta {
            timeout_ms: msgid,
            session: msgid,
            user: "anna".to_owned(),
            number: 3,
            job: None,
            so_far: None,
        };
        let write = |out: &mut Vec<u8>| worker.encode_into(out);
        let ours = protocol::request(msgid, b"text.find", &packed(&params).into(), Some(&write));
        let meta = map(vec![
            ("timeout_ms", msgid.into()),
            ("session", msgid.into()),
            ("user", "anna".into()),
            ("number", 3.into()),
        ]);
        let theirs = Value::Array(vec![
            0.into(),
            msgid.into(),
            "text.find".into(),
            params,
            meta,
        ]);
        assert_eq!(written(&ours), packed(&theirs));

        let ours = protocol::response_ok(msgid, &bytes(b"\xa4pong"));
        let theirs = Value::Array(vec![1.into(), msgid.into(), Value::Nil, "pong".into()]);
        assert_eq!(written(&ours), packed(&theirs));

        let meta = Meta {
            key: Some(bytes(b"k")),
            timeout_ms: Some(msgid.max(1)),
            idempotent: true,
            again: true,
            ack: Some(msgid),
            trace: Some(bytes(&[b't'; 55])),
        };
        let theirs = map(vec![
            ("key", "k".into()),
            ("timeout_ms", msgid.max(1).into()),
            ("idempotent", true.into()),
            ("again", true.into()),
            ("ack", msgid.into()),
            ("trace", "t".repeat(55).into()),
        ]);
        assert_eq!(meta.encode(), packed(&theirs));
    }
    for code in ErrorCode::ALL {
        let words = "x".repeat(code.number() as usize * 20);
        let ours = ErrorAnswer::new(*code, words.clone())
            .with_retry_after_ms(70_000)
            .with_data(bytes(b"\x01"));
        let details = map(vec![
            ("code", code.name().into()),
            ("outcome", code.usual_outcome().name().into()),
            ("retry_after_ms", 70_000.into()),
            ("data", 1.into()),
        ]);
        let theirs = Value::Array(vec![code.number().into(), words.into(), details]);
        assert_eq!(ours.encode(), packed(&theirs));
        let ours = protocol::response_error(5, &ours.encode());
        let theirs = Value::Array(vec![1.into(), 5.into(), theirs, Value::Nil]);
        assert_eq!(written(&ours), packed(&theirs));
    }
    let ours = protocol::notification(b"worker.drain", &bytes(b"\x90"));
    let theirs = Value::Array(vec![
        2.into(),
        "worker.drain".into(),
        Value::Array(Vec::new()),
    ]);
    assert_eq!(written(&ours), packed(&theirs));
}
