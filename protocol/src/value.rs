//! Taking a value apart without decoding what is in it: the service looks into its own methods' arguments only, and
//! passes on the rest as bytes.

use bytes::Bytes;

use crate::{WireError, decode::Reader};

/// Items of an array and entries of a map that are taken apart at most. An item may be one byte on the wire and is
/// twenty times that in memory, so without a bound a message of 16 MiB could ask for half a gigabyte. Nothing that is
/// taken apart here has more than a few thousand.
pub const ITEMS_MAX: u64 = 1 << 16;

const TOO_MANY: WireError = WireError::NotAMessage {
    reason: "more items than are taken apart",
};

/// The elements of an array, each as one whole value.
///
/// # Errors
/// The value is not an array, or has more than [`ITEMS_MAX`] elements.
pub fn array_items(value: &Bytes) -> Result<Vec<Bytes>, WireError> {
    let mut reader = Reader::new(value);
    let count = reader.array()?;
    if count > ITEMS_MAX {
        return Err(TOO_MANY);
    }
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
/// The value is not such a map, or has more than [`ITEMS_MAX`] entries.
pub fn map_entries(value: &Bytes) -> Result<Vec<(Bytes, Bytes)>, WireError> {
    let mut reader = Reader::new(value);
    let count = reader.map()?;
    if count > ITEMS_MAX {
        return Err(TOO_MANY);
    }
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

/// Whether arrays and maps nest at most `levels` deep in the one value that stands in `value`: who puts a value into
/// another must know that the whole can still be read.
#[must_use]
pub fn nests_at_most(value: &[u8], levels: usize) -> bool {
    Reader::new(value).nests_at_most(levels).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_of_millions_of_items_is_refused_before_they_are_looked_at() {
        let head = |marker: u8, count: u32| [&[marker][..], &count.to_be_bytes()].concat();
        let many = |marker, count, item: &[u8]| {
            Bytes::from([head(marker, count), item.repeat(count as usize)].concat())
        };
        let limit = ITEMS_MAX as u32;
        assert!(array_items(&many(0xdd, limit, b"\xc0")).is_ok_and(|items| items.len() == 1 << 16));
        assert_eq!(array_items(&many(0xdd, limit + 1, b"\xc0")), Err(TOO_MANY));
        assert_eq!(
            map_entries(&many(0xdf, limit + 1, b"\xa0\xc0")),
            Err(TOO_MANY)
        );
    }

    #[test]
    fn nesting_is_counted_from_the_value_itself() {
        for (bytes, levels) in [
            (b"\x01".as_slice(), 0),
            (b"\xa3abc", 0),
            (b"\x90", 1),
            (b"\x80", 1),
            (b"\x92\x91\x01\x01", 2),
            (b"\x93\x01\x90\x81\xa1a\x91\xc0", 3),
        ] {
            assert!(nests_at_most(bytes, levels), "{bytes:02x?}");
            assert!(
                levels == 0 || !nests_at_most(bytes, levels - 1),
                "{bytes:02x?}"
            );
        }
        assert!(!nests_at_most(b"\x92\x01", 9), "half a value");
    }

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
