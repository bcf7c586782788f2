//! Reads a stream as the transport does, in pieces of any size. Shared with the fuzz targets.

use standin_protocol::{self as protocol, Frame, Limits, Message, Splitter, WireError};

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
