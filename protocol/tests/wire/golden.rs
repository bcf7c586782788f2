//! Golden bytes: what each fixture means, and that the same meaning gives the same bytes.

mod errors;
mod meta;
mod requests;
mod responses;
mod worker;

use bytes::Bytes;
use standin_protocol::{Frame, Limits, Message, Splitter, WireError};

/// The one message of a stream, or how the stream was lost.
pub(super) fn decode(bytes: &[u8]) -> Result<Message, WireError> {
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
