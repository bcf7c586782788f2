//! Bytes as an argument or in a result: bin on the wire, or str from encoders that know nothing else.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Bytes that are nobody's text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Binary(#[serde(with = "serde_bytes")] pub Vec<u8>);

impl JsonSchema for Binary {
    fn schema_name() -> Cow<'static, str> {
        "Binary".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "contentEncoding": "binary" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_as_bin_or_as_str() {
        for wire in [b"\xc4\x02hi".as_slice(), b"\xa2hi"] {
            let read: Binary = standin_protocol::decode_exact(wire).unwrap();
            assert_eq!(read, Binary(b"hi".to_vec()));
        }
        let written = standin_protocol::encode(&Binary(b"\xff".to_vec()));
        assert_eq!(&written[..], b"\xc4\x01\xff");
    }
}
