//! Values between JSON, which people type and read, and MessagePack, which travels.
//!
//! What JSON has no word for is written as an object of one entry: bytes as `{"$bytes": "<hex>"}`.

use bytes::Bytes;
use serde_json::{Map, Value, json};

/// One map of named arguments as parameters.
pub(super) fn params(arguments: &Map<String, Value>) -> Bytes {
    standin_protocol::encode(&[arguments])
}

/// A MessagePack value as JSON.
pub(super) fn to_json(bytes: &[u8]) -> Value {
    match rmpv::decode::read_value(&mut &bytes[..]) {
        Ok(value) => convert(value),
        Err(_) => json!({ "$bytes": hex(bytes) }),
    }
}

fn convert(value: rmpv::Value) -> Value {
    match value {
        rmpv::Value::Nil => Value::Null,
        rmpv::Value::Boolean(value) => value.into(),
        rmpv::Value::Integer(value) => match (value.as_u64(), value.as_i64()) {
            (Some(value), _) => value.into(),
            (None, value) => value.unwrap_or_default().into(),
        },
        rmpv::Value::F32(value) => f64::from(value).into(),
        rmpv::Value::F64(value) => value.into(),
        rmpv::Value::String(text) => match text.as_str() {
            Some(text) => text.into(),
            None => json!({ "$bytes": hex(text.as_bytes()) }),
        },
        rmpv::Value::Binary(bytes) => json!({ "$bytes": hex(&bytes) }),
        rmpv::Value::Array(items) => items.into_iter().map(convert).collect(),
        rmpv::Value::Map(entries) => {
            let entries = entries.into_iter().map(|(key, value)| {
                let key = match convert(key) {
                    Value::String(key) => key,
                    other => other.to_string(),
                };
                (key, convert(value))
            });
            Value::Object(entries.collect())
        }
        rmpv::Value::Ext(kind, bytes) => json!({ "$ext": kind, "$bytes": hex(&bytes) }),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
