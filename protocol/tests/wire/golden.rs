//! Golden bytes: what each fixture means, and that the same meaning gives the same bytes.

mod errors;
mod meta;
mod requests;
mod responses;
mod worker;

use bytes::Bytes;
use standin_protocol::{Frame, Limits, Message, Splitter, WireError};

use crate::annotated::fixtures;

/// The one message of a stream, or how the stream was lost.
pub(crate) fn decode(bytes: &[u8]) -> Result<Message, WireError> {
    let mut splitter = Splitter::new(Limits::default());
    splitter.push(bytes);
    let message = splitter.next_message()?.expect("the message is whole");
    splitter.end().expect("nothing is left over");
    Ok(message)
}

/// The bytes of a frame as they go into the pipe.
pub(crate) fn written(frame: &Frame) -> Vec<u8> {
    frame.pieces().concat()
}

/// Whether writing a meaning gives the fixture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// It is how we write it.
    So,
    /// Others may write it so, and we understand it.
    Otherwise,
}

/// Holds what we write against the fixture.
pub(super) fn check_written(name: &str, written: &[u8], fixture: &[u8], how: Written) {
    match how {
        Written::So => assert_eq!(written, fixture, "{name}"),
        Written::Otherwise => assert_ne!(written, fixture, "{name}"),
    }
}

pub(crate) fn bytes(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

/// Holds a table against a file: every fixture is in the table, in the same order, and satisfies its entry.
pub(super) fn check_all<T>(file: &str, table: &[(&str, T)], check: impl Fn(&str, &Bytes, &T)) {
    let fixtures = fixtures(file);
    let names: Vec<&str> = fixtures.iter().map(|fixture| &*fixture.name).collect();
    let listed: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, listed, "every fixture of {file} is checked");
    for (fixture, (name, expected)) in fixtures.iter().zip(table) {
        check(name, &fixture.bytes, expected);
    }
}
