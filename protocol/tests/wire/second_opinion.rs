//! What `rmpv`, which knows nothing of the scanner, sees in the same bytes. Shared with the fuzz targets.

use rmpv::Value;
use standin_protocol::{Limits, Progress, Scanner, WireError};

/// Panics where the scanner and `rmpv`, which knows nothing of it, disagree about the first value of `bytes`. The
/// length of the message, if there is a whole one.
pub(crate) fn check_against_rmpv(bytes: &[u8], limits: Limits) -> Option<usize> {
    let mut scanner = Scanner::new(limits);
    let ours = scanner.scan(bytes);
    let theirs = read_with_rmpv(bytes);
    match ours {
        Ok(Progress::End(length)) => {
            let (value, their_length) = theirs.expect("rmpv reads what the scanner accepts");
            assert_eq!(length, their_length, "where the message ends");
            assert!(length <= limits.message_size_max);
            assert!(depth(&value) <= limits.depth_max);
            check_elements(&bytes[..length], scanner.elements(), &value);
            return Some(length);
        }
        Ok(Progress::Need(needed)) => {
            assert!(needed > bytes.len(), "what is needed is not there yet");
            let found = theirs.map(|(_, length)| length);
            assert_eq!(found, None, "rmpv finds the end that the scanner waits for");
        }
        Err(WireError::NotAMessage { .. }) => assert!(!begins_like_a_message(bytes)),
        Err(WireError::ReservedByte { offset }) => assert_eq!(bytes[offset], 0xc1),
        Err(WireError::TooLarge { limit, .. }) => {
            assert!(theirs.is_none_or(|(_, length)| length > limit));
        }
        Err(WireError::TooDeep { limit }) => {
            assert!(theirs.is_none_or(|(value, _)| depth(&value) > limit));
        }
        Err(error @ WireError::EndInsideMessage { .. }) => panic!("no scanner says {error}"),
    }
    None
}

/// The first value and its length. `None`: it is not whole, or deeper than any of our limits.
fn read_with_rmpv(bytes: &[u8]) -> Option<(Value, usize)> {
    // Two for each level, and small enough for the stack of a test's thread.
    const DEPTH: u16 = 400;
    let mut rest = bytes;
    let value = rmpv::decode::read_value_with_max_depth(&mut rest, DEPTH.into()).ok()?;
    Some((value, bytes.len() - rest.len()))
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Map(entries) => {
            let deeper = |(key, value): &(Value, Value)| depth(key).max(depth(value));
            1 + entries.iter().map(deeper).max().unwrap_or(0)
        }
        _ => 0,
    }
}

fn check_elements(message: &[u8], elements: &[usize], value: &Value) {
    let items = value.as_array().expect("a message is an array");
    assert_eq!(items.len(), elements.len());
    let ends = elements[1..].iter().copied().chain([message.len()]);
    for (start, end) in elements.iter().copied().zip(ends) {
        let (_, length) = read_with_rmpv(&message[start..end]).expect("an element is a value");
        assert_eq!(start + length, end, "where an element ends");
    }
}

fn begins_like_a_message(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0x93..=0x95, ..] | [0xdc, 0, 3..=5, ..] | [0xdd, 0, 0, 0, 3..=5, ..]
    )
}
