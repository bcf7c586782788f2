//! The ways a byte stream can stop being MsgPack-RPC. After any of these the stream is lost: nobody can say where
//! the next message would begin.

/// Why a stream cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The message is, or says it will be, larger than allowed. `msgid` is there when the head was already read.
    #[error("a message is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit that was passed, in bytes.
        limit: usize,
        /// The request's id, if it was a request and the id had been read.
        msgid: Option<u64>,
    },
    /// Arrays and maps nest deeper than allowed.
    #[error("a message nests deeper than the limit of {limit} levels")]
    TooDeep {
        /// The limit that was passed.
        limit: usize,
    },
    /// The byte 0xc1, which MessagePack never uses.
    #[error("byte {offset} of a message is 0xc1, which is never used in MessagePack")]
    ReservedByte {
        /// Where in the message.
        offset: usize,
    },
    /// Well-formed MessagePack, but no message of MsgPack-RPC.
    #[error("not a MsgPack-RPC message: {reason}")]
    NotAMessage {
        /// What was wrong, in words.
        reason: &'static str,
    },
    /// The stream ended with part of a message unread.
    #[error("the stream ended inside a message, after {length} bytes of it")]
    EndInsideMessage {
        /// How much of the message had come.
        length: usize,
    },
}
