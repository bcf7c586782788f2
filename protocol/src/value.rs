//! Taking a value apart without decoding what is in it: the service looks into its own methods' arguments only, and
//! passes on the rest as bytes.

use bytes::Bytes;

use crate::{WireError, decode::Reader};

/// The elements of an array, each as one whole value.
///
/// # Errors
/// The value is not an array.
pub fn array_items(value: &Bytes) -> Result<Vec<Bytes>, WireError> {
    let mut reader = Reader::new(value);
    let count = reader.array()?;
    // The count is a claim; the items that really follow are what is allocated for.
    let mut items = Vec::with_capacity(count.min(64) as usize);
    for _ in 0..count {
        items.push(value.slice_ref(reader.value()?));
    }
    Ok(items)
}

/// The entries of a map whose keys are texts.
///
/// # Errors
/// The value is not such a map.
pub fn map_entries(value: &Bytes) -> Result<Vec<(Bytes, Bytes)>, WireError> {
    let mut reader = Reader::new(value);
    let count = reader.map()?;
    let mut entries = Vec::with_capacity(count.min(64) as usize);
    for _ in 0..count {
        let name = value.slice_ref(reader.text()?);
        entries.push((name, value.slice_ref(reader.value()?)));
    }
    Ok(entries)
}

/// The one map of named arguments, as the methods of the service take it: `[{...}]`, a bare `{...}`, or nothing, which
/// may also be written as `[nil]`.
///
/// # Errors
/// The parameters are of another shape.
pub fn named_arguments(params: &Bytes) -> Result<Vec<(Bytes, Bytes)>, WireError> {
    if let Ok(entries) = map_entries(params) {
        return Ok(entries);
    }
    match array_items(params)?.as_slice() {
        [] => Ok(Vec::new()),
        [nothing] if nothing[..] == crate::NIL[..] => Ok(Vec::new()),
        [map] => map_entries(map),
        _ => Err(WireError::NotAMessage {
            reason: "one map of named arguments was expected",
        }),
    }
}

/// A whole number of 0 or more that stands alone in `value`.
#[must_use]
pub fn read_unsigned(value: &[u8]) -> Option<u64> {
    Reader::new(value).unsigned().ok()
}

/// True or false that stands alone in `value`.
#[must_use]
pub fn read_bool(value: &[u8]) -> Option<bool> {
    Reader::new(value).boolean().ok()
}

/// The contents of a str or bin that stands alone in `value`, whatever its bytes are.
#[must_use]
pub fn read_bytes(value: &Bytes) -> Option<Bytes> {
    Reader::new(value)
        .text()
        .ok()
        .map(|text| value.slice_ref(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_come_as_a_map_in_an_array_a_bare_map_or_not_at_all() {
        for (bytes, count) in [
            (b"\x91\x81\xa1a\x01".as_slice(), 1),
            (b"\x81\xa1a\x92\x01\x02", 1),
            (b"\x90", 0),
            (b"\x91\x80", 0),
            (b"\x91\xc0", 0),
        ] {
            let params = Bytes::copy_from_slice(bytes);
            assert_eq!(
                named_arguments(&params).map(|entries| entries.len()),
                Ok(count)
            );
        }
        assert!(named_arguments(&Bytes::from_static(b"\x91\x01")).is_err());
        assert!(named_arguments(&Bytes::from_static(b"\x92\x80\x80")).is_err());
    }
}
