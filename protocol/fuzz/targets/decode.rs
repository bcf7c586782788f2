//! The values that Standin itself looks into: meta, errors, manifests, arguments. No bytes make a decoder panic, and
//! what was understood can be written and understood again.

#![no_main]

#[path = "../../tests/wire/second_opinion.rs"]
mod second_opinion;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use standin_protocol::{
    self as protocol, ErrorAnswer, Limits, Meta, WorkerHello, WorkerMeta, value,
};

fuzz_target!(|input: &[u8]| {
    let bytes = Bytes::copy_from_slice(input);
    check_meta(&bytes);
    check_hello(&bytes);
    let _ = value::named_arguments(&bytes);
    let _ = value::read_unsigned(&bytes);
    let _ = value::read_bool(&bytes);
    let _ = protocol::read_text(&bytes);
    let answer = ErrorAnswer::decode(&bytes);
    assert!(!answer.code.is_empty());
    let _ = answer.to_string();
    if is_one_value(&bytes) {
        check_error(&bytes);
        check_items(&bytes);
    }
});

/// Whether a message could bring it.
fn is_one_value(bytes: &Bytes) -> bool {
    let message = [b"\x93\x02\xa1x", &bytes[..]].concat();
    second_opinion::check_against_rmpv(&message, Limits::default()) == Some(message.len())
}

fn check_meta(bytes: &Bytes) {
    if let Ok(meta) = Meta::decode(bytes) {
        assert_eq!(Meta::decode(&meta.encode().into()), Ok(meta));
    }
    if let Ok(meta) = WorkerMeta::decode(bytes) {
        let mut out = Vec::new();
        meta.encode_into(&mut out);
        assert_eq!(WorkerMeta::decode(&out), Ok(meta));
    }
}

fn check_hello(bytes: &Bytes) {
    let Ok(mut hello) = protocol::decode_exact::<WorkerHello>(bytes) else {
        return;
    };
    for method in &mut hello.methods {
        // Not a number becomes null in JSON, and a schema that is null is none.
        method.params = method.params.take().filter(|params| !params.is_null());
    }
    let again = protocol::decode_exact::<WorkerHello>(&protocol::encode(&hello));
    assert_eq!(again.expect("it was just written"), hello);
}

fn check_error(bytes: &Bytes) {
    let answer = ErrorAnswer::decode(bytes);
    let again = answer.encode();
    assert!(ErrorAnswer::is_full(&again));
    assert_eq!(ErrorAnswer::decode(&again), answer);
    // Whatever a strange worker said, its error can be carried to a client.
    if !ErrorAnswer::is_full(bytes) {
        assert!(value::nests_at_most(
            &again,
            3 + ErrorAnswer::DATA_DEPTH_MAX
        ));
    }
}

fn check_items(bytes: &Bytes) {
    if let Ok(items) = value::array_items(bytes) {
        assert!(bytes.ends_with(&items.concat()));
        assert!(items.iter().all(is_one_value));
    }
    if let Ok(entries) = value::map_entries(bytes) {
        assert!(entries.iter().all(|(_, value)| is_one_value(value)));
    }
    let _ = value::read_bytes(bytes);
    let levels = (0..=64).find(|levels| value::nests_at_most(bytes, *levels));
    assert!(levels.is_some_and(|levels| levels < 64));
}
