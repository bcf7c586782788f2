//! Encoding and decoding of the few values that have a Rust type.

use crate::decode::Reader;

/// A value as MessagePack, structs as maps with named fields.
///
/// # Panics
/// If the type cannot be written as MessagePack, which is a fault of the type and shows in its first test.
#[must_use]
pub fn encode<T: serde::Serialize + ?Sized>(value: &T) -> bytes::Bytes {
    rmp_serde::to_vec_named(value)
        .expect("the type can be written as MessagePack")
        .into()
}

/// A value from MessagePack that must be consumed to its last byte; the usual reader lets trailing bytes pass.
///
/// # Errors
/// What did not fit, in the words of the decoder.
pub fn decode_exact<T: serde::de::DeserializeOwned>(
    bytes: &[u8],
) -> Result<T, rmp_serde::decode::Error> {
    let mut decoder = rmp_serde::Deserializer::new(bytes);
    let value = T::deserialize(&mut decoder)?;
    if decoder.get_ref().is_empty() {
        Ok(value)
    } else {
        Err(serde::de::Error::custom(
            "bytes are left over behind the value",
        ))
    }
}

/// The text of a str or bin that is valid UTF-8 and stands alone in `bytes`.
#[must_use]
pub fn read_text(bytes: &[u8]) -> Option<&str> {
    let mut reader = Reader::new(bytes);
    let text = reader.text().ok()?;
    if reader.is_at_end() {
        std::str::from_utf8(text).ok()
    } else {
        None
    }
}
