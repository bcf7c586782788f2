//! The three messages of MsgPack-RPC, with `params` and `result` left as bytes.

use bytes::Bytes;

use crate::{ErrorAnswer, ErrorCode, WireError, decode::Reader};

/// `[0, msgid, method, params]` or `[0, msgid, method, params, meta]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The sender's number for this request.
    pub msgid: u64,
    /// The name of the method, as bytes: it may come as str or bin, and is compared, never shown unchecked.
    pub method: Bytes,
    /// One whole MessagePack value: an array, or a bare map.
    pub params: Bytes,
    /// One whole MessagePack map, if there was one.
    pub meta: Option<Bytes>,
}

/// `[1, msgid, error, result]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The number of the request that this answers.
    pub msgid: u64,
    /// The result as one whole value, or the error place as one whole value.
    pub result: Result<Bytes, Bytes>,
}

/// `[2, method, params]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// What is told.
    pub method: Bytes,
    /// One whole MessagePack value.
    pub params: Bytes,
}

/// One message, its outer shape understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Somebody asks.
    Request(Request),
    /// Somebody answers.
    Response(Response),
    /// Somebody tells.
    Notification(Notification),
    /// A request that has an id but is otherwise wrong: it gets an error answer, and the stream goes on.
    WrongRequest {
        /// The id to answer to.
        msgid: u64,
        /// The answer.
        error: ErrorAnswer,
    },
}

const WRONG_KIND: WireError = WireError::NotAMessage {
    reason: "the first element is 0, 1 or 2, with four or five, four, or three elements in all",
};

impl Message {
    /// Understands a whole message. `elements` are the offsets that the scanner found.
    ///
    /// # Errors
    /// The outer shape is wrong, and the stream is lost.
    pub fn decode(bytes: &Bytes, elements: &[usize]) -> Result<Message, WireError> {
        let kind = Reader::new(&bytes[elements[0]..])
            .unsigned()
            .map_err(|_| WRONG_KIND)?;
        let element = |index: usize| {
            let end = elements.get(index + 1).copied().unwrap_or(bytes.len());
            bytes.slice(elements[index]..end)
        };
        match (kind, elements.len()) {
            (0, count) => {
                let msgid = read_msgid(&bytes[elements[1]..])?;
                Ok(match read_request(element, msgid, count) {
                    Ok(request) => Message::Request(request),
                    Err(why) => Message::WrongRequest {
                        msgid,
                        error: ErrorAnswer::new(ErrorCode::InvalidRequest, why),
                    },
                })
            }
            (1, 4) => {
                let msgid = read_msgid(&bytes[elements[1]..])?;
                let result = if bytes[elements[2]] == NIL_MARKER {
                    Ok(element(3))
                } else {
                    Err(element(2))
                };
                Ok(Message::Response(Response { msgid, result }))
            }
            (2, 3) => {
                let method = text_of(&element(1)).ok_or(WireError::NotAMessage {
                    reason: "a notification's method is a text",
                })?;
                Ok(Message::Notification(Notification {
                    method,
                    params: element(2),
                }))
            }
            _ => Err(WRONG_KIND),
        }
    }
}

const NIL_MARKER: u8 = 0xc0;

fn read_msgid(bytes: &[u8]) -> Result<u64, WireError> {
    Reader::new(bytes)
        .unsigned()
        .map_err(|_| WireError::NotAMessage {
            reason: "a msgid is a whole number of 0 or more",
        })
}

fn read_request(
    element: impl Fn(usize) -> Bytes,
    msgid: u64,
    count: usize,
) -> Result<Request, &'static str> {
    if count < 4 {
        return Err(
            "A request has four elements, or five: 0, its number, the method, the parameters.",
        );
    }
    let method = text_of(&element(2)).ok_or("The name of a method must be a text.")?;
    let params = element(3);
    if !matches!(params[0], 0x80..=0x9f | 0xdc..=0xdf) {
        return Err("The parameters must be an array, or one map of named arguments.");
    }
    let meta = (count == 5)
        .then(|| element(4))
        .filter(|meta| meta[0] != NIL_MARKER);
    if meta
        .as_ref()
        .is_some_and(|meta| !matches!(meta[0], 0x80..=0x8f | 0xde | 0xdf))
    {
        return Err("The fifth element of a request, where there is one, must be a map.");
    }
    Ok(Request {
        msgid,
        method,
        params,
        meta,
    })
}

fn text_of(value: &Bytes) -> Option<Bytes> {
    Reader::new(value)
        .text()
        .ok()
        .map(|text| value.slice_ref(text))
}
