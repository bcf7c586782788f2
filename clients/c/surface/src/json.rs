//! JSON and values. Bytes, for which JSON has no word, are `{"$bytes": "<base64>"}`, as at the command line.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

use crate::{code::Code, failure::Failure, node::Node};

/// The name under which bytes stand.
pub(crate) const BYTES: &str = "$bytes";

/// What JSON says.
pub(crate) fn from_json(text: &[u8]) -> Result<Node, Failure> {
    let value: Value = serde_json::from_slice(text).map_err(|error| {
        let why = format!("The JSON cannot be read: {error}.");
        Failure::new(Code::BadArgument, why)
    })?;
    Ok(node(value))
}

fn node(value: Value) -> Node {
    match value {
        Value::Null => Node::Null,
        Value::Bool(value) => Node::Bool(value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => Node::Int(value),
            (None, Some(value)) => Node::Unsigned(value),
            (None, None) => Node::Number(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Node::Text(text),
        Value::Array(items) => Node::List(items.into_iter().map(node).collect()),
        Value::Object(entries) => {
            if entries.len() == 1
                && let Some(Value::String(text)) = entries.get(BYTES)
                && let Ok(bytes) = BASE64_STANDARD.decode(text)
            {
                return Node::Bytes(bytes);
            }
            let entries = entries.into_iter();
            Node::Map(entries.map(|(name, value)| (name, node(value))).collect())
        }
    }
}

/// Appends a text as JSON.
pub(crate) fn write_text(out: &mut String, text: &str) {
    out.push_str(&Value::from(text).to_string());
}

/// Appends bytes as JSON, and the type of an extension.
pub(crate) fn write_bytes(out: &mut String, extension: Option<i8>, bytes: &[u8]) {
    out.push('{');
    if let Some(kind) = extension {
        out.push_str(&format!("\"$ext\":{kind},"));
    }
    out.push_str("\"$bytes\":\"");
    BASE64_STANDARD.encode_string(bytes, out);
    out.push_str("\"}");
}

/// Appends a number as JSON, which has no infinities.
pub(crate) fn write_number(out: &mut String, number: f64) {
    out.push_str(&Value::from(number).to_string());
}
