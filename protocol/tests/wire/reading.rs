//! Reads a stream as the transport does, in pieces of any size. Shared with the fuzz targets.

use rmpv::Value;
use standin_protocol::{
    self as protocol, Frame, Limits, Message, Progress, Scanner, Splitter, WireError,
};

/// What a stream gave: its messages, and how it ended.
#[derive(Debug, PartialEq)]
pub(crate) struct Read {
    pub(crate) messages: Vec<Message>,
    pub(crate) end: Result<(), WireError>,
}

/// Reads the stream in pieces of these sizes, again and again from the first. Where the splitter offers room, a piece
/// goes there and must fit without growing it; elsewhere it is pushed.
pub(crate) fn read_in_pieces(stream: &[u8], sizes: &[usize], limits: Limits) -> Read {
    let mut splitter = Splitter::new(limits);
    let mut messages = Vec::new();
    let mut sizes = sizes.iter().cycle();
    let mut rest = stream;
    loop {
        loop {
            match splitter.next_message() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => {
                    let again = splitter.next_message();
                    assert_eq!(again, Err(error.clone()), "a lost stream stays lost");
                    let end = Err(error);
                    return Read { messages, end };
                }
            }
        }
        if rest.is_empty() {
            let end = splitter.end();
            return Read { messages, end };
        }
        let size = (*sizes.next().unwrap_or(&usize::MAX)).clamp(1, rest.len());
        let piece;
        match splitter.room() {
            Some(room) => {
                let free = room.capacity() - room.len();
                assert!(free > 0, "room that is offered is there");
                (piece, rest) = rest.split_at(size.min(free));
                room.extend_from_slice(piece);
            }
            None => {
                (piece, rest) = rest.split_at(size);
                splitter.push(piece);
            }
        }
    }
}

/// How the encoder writes a message that was read; a wrong request is written by nobody.
pub(crate) fn write_again(message: &Message) -> Option<Frame> {
    Some(match message {
        Message::Request(request) => {
            let write = |out: &mut Vec<u8>| {
                out.extend_from_slice(request.meta.as_deref().unwrap_or_default());
            };
            let meta = request.meta.is_some();
            let meta = meta.then_some(&write as protocol::WriteMeta<'_>);
            protocol::request(request.msgid, &request.method, &request.params, meta)
        }
        Message::Response(response) => match &response.result {
            Ok(result) => protocol::response_ok(response.msgid, result),
            Err(error) => protocol::response_error(response.msgid, error),
        },
        Message::Notification(told) => protocol::notification(&told.method, &told.params),
        Message::WrongRequest { .. } => return None,
    })
}

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
