//! Values between JSON, which people type and read, and MessagePack, which travels.
//!
//! What JSON has no word for is written as an object: bytes as `{"$bytes": "<base64>"}`, and an extension as
//! `{"$ext": <its type>, "$bytes": "<base64>"}`. A key that is no text is written as its JSON.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use rmpv::Value as Packed;
use serde_json::{Value, json};

/// The name under which bytes stand.
const BYTES: &str = "$bytes";

/// A JSON value as MessagePack.
pub(super) fn from_json(value: Value) -> Bytes {
    let mut out = Vec::new();
    rmpv::encode::write_value(&mut out, &pack(value)).expect("a Vec takes every byte");
    out.into()
}

/// A MessagePack value as JSON.
pub(super) fn to_json(bytes: &[u8]) -> Value {
    match rmpv::decode::read_value(&mut &bytes[..]) {
        Ok(value) => unpack(value),
        Err(_) => in_base64(bytes),
    }
}

/// The contents of a value that is a text or bytes, and whether it is a text.
pub(super) fn contents(bytes: &[u8]) -> Option<Contents> {
    match rmpv::decode::read_value(&mut &bytes[..]) {
        Ok(Packed::String(text)) => Some(Contents {
            is_text: text.is_str(),
            bytes: text.into_bytes(),
        }),
        Ok(Packed::Binary(bytes)) => Some(Contents {
            is_text: false,
            bytes,
        }),
        _ => None,
    }
}

/// A text or bytes.
pub(super) struct Contents {
    pub(super) is_text: bool,
    pub(super) bytes: Vec<u8>,
}

fn pack(value: Value) -> Packed {
    match value {
        Value::Null => Packed::Nil,
        Value::Bool(value) => value.into(),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(value), _) => value.into(),
            (None, Some(value)) => value.into(),
            (None, None) => number.as_f64().unwrap_or(f64::NAN).into(),
        },
        Value::String(text) => text.into(),
        Value::Array(items) => Packed::Array(items.into_iter().map(pack).collect()),
        Value::Object(entries) => {
            if let Some(Value::String(text)) = entries.get(BYTES)
                && entries.len() == 1
                && let Ok(bytes) = BASE64_STANDARD.decode(text)
            {
                return Packed::Binary(bytes);
            }
            Packed::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| (key.into(), pack(value)))
                    .collect(),
            )
        }
    }
}

fn unpack(value: Packed) -> Value {
    match value {
        Packed::Nil => Value::Null,
        Packed::Boolean(value) => value.into(),
        Packed::Integer(value) => match (value.as_u64(), value.as_i64()) {
            (Some(value), _) => value.into(),
            (None, value) => value.unwrap_or_default().into(),
        },
        Packed::F32(value) => f64::from(value).into(),
        Packed::F64(value) => value.into(),
        Packed::String(text) => match text.as_str() {
            Some(text) => text.into(),
            None => in_base64(text.as_bytes()),
        },
        Packed::Binary(bytes) => in_base64(&bytes),
        Packed::Array(items) => items.into_iter().map(unpack).collect(),
        Packed::Map(entries) => {
            let entries = entries.into_iter().map(|(key, value)| {
                let key = match unpack(key) {
                    Value::String(key) => key,
                    other => other.to_string(),
                };
                (key, unpack(value))
            });
            Value::Object(entries.collect())
        }
        Packed::Ext(kind, bytes) => json!({ "$ext": kind, BYTES: BASE64_STANDARD.encode(bytes) }),
    }
}

fn in_base64(bytes: &[u8]) -> Value {
    json!({ BYTES: BASE64_STANDARD.encode(bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_can_say_and_bytes_come_back_as_they_went() {
        let value = json!({
            "nothing": null, "yes": true, "large": u64::MAX, "small": i64::MIN, "half": 0.5,
            "list": [1, "two"], "bytes": { "$bytes": "/wA=" },
        });
        assert_eq!(to_json(&from_json(value.clone())), value);
        assert_eq!(
            &from_json(json!({ "$bytes": "/wA=" }))[..],
            b"\xc4\x02\xff\x00"
        );
    }

    #[test]
    fn what_is_no_text_is_shown_as_bytes_and_a_key_that_is_no_text_as_its_json() {
        assert_eq!(to_json(b"\xa1\xff"), json!({ "$bytes": "/w==" }));
        assert_eq!(to_json(b"\x81\x07\x01"), json!({ "7": 1 }));
        assert_eq!(
            to_json(b"\xd4\x05\x09"),
            json!({ "$ext": 5, "$bytes": "CQ==" })
        );
        // Half a value.
        assert_eq!(to_json(b"\x92\x01"), json!({ "$bytes": "kgE=" }));
    }
}
