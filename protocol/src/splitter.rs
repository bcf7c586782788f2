//! Cuts a byte stream into messages.

use bytes::{Bytes, BytesMut};

use crate::{Limits, Message, Progress, Scanner, WireError};

/// How much room is made at a time for a message that is still growing. A claimed length is never trusted with
/// more: the room doubles as the bytes really come.
const GROWTH_MIN: usize = 64 * 1024;

/// Bytes in, messages out. It holds no memory while it holds no part of a message.
#[derive(Debug)]
pub struct Splitter {
    buffer: BytesMut,
    scanner: Scanner,
    needed: usize,
    /// The length of the message that was cut off last.
    last: usize,
    /// Why the stream is lost, once it is.
    failed: Option<WireError>,
}

impl Splitter {
    /// A splitter at the start of a stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            buffer: BytesMut::new(),
            scanner: Scanner::new(limits),
            needed: 0,
            last: 0,
            failed: None,
        }
    }

    /// Takes bytes that were read elsewhere.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Takes bytes that were read elsewhere, without a copy if nothing has been begun.
    pub fn give(&mut self, bytes: BytesMut) {
        if self.buffer.is_empty() {
            self.buffer = bytes;
        } else {
            self.buffer.extend_from_slice(&bytes);
        }
    }

    /// Where to read into, when part of a large message is here already: the bytes then need no copy. `None` while
    /// nothing large is on its way; read elsewhere and [`give`](Self::give).
    pub fn room(&mut self) -> Option<&mut BytesMut> {
        let missing = self.needed.saturating_sub(self.buffer.len());
        if self.buffer.is_empty() || missing < GROWTH_MIN / 16 {
            return None;
        }
        let growth = missing.min(self.buffer.len().max(GROWTH_MIN));
        self.buffer.reserve(growth);
        Some(&mut self.buffer)
    }

    /// The next whole message, or `None` when more bytes are needed.
    ///
    /// # Errors
    /// The stream is lost: close it. Every later call gives the same error, whatever comes behind.
    pub fn next_message(&mut self) -> Result<Option<Message>, WireError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let next = self.cut();
        if let Err(error) = &next {
            self.failed = Some(error.clone());
        }
        next
    }

    fn cut(&mut self) -> Result<Option<Message>, WireError> {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
            return Ok(None);
        }
        match self.scanner.scan(&self.buffer)? {
            Progress::Need(needed) => {
                self.needed = needed;
                Ok(None)
            }
            Progress::End(end) => {
                let bytes: Bytes = self.buffer.split_to(end).freeze();
                let message = Message::decode(&bytes, self.scanner.elements())?;
                self.scanner.reset();
                self.needed = 0;
                self.last = end;
                Ok(Some(message))
            }
        }
    }

    /// How many messages there are, the last one included, if those behind it are as long; at least one, at most so many.
    #[must_use]
    pub fn more_like_it(&self, max: usize) -> usize {
        (1 + self.buffer.len() / self.last.max(1)).min(max)
    }

    /// What the end of the stream means here.
    ///
    /// # Errors
    /// Part of a message had come.
    pub fn end(&self) -> Result<(), WireError> {
        match self.buffer.len() {
            0 => Ok(()),
            length => Err(WireError::EndInsideMessage { length }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_came_together_are_foreseen_and_never_more_than_may_be() {
        let mut splitter = Splitter::new(Limits::default());
        let ping = b"\x94\x00\x01\xadstandin.ping!\x90";
        splitter.push(&ping.repeat(10));
        for left in (1..=10).rev() {
            let message = splitter.next_message().expect("it is a message");
            assert!(message.is_some());
            assert_eq!(splitter.more_like_it(64), left);
            assert_eq!(splitter.more_like_it(4), left.min(4));
        }
        assert_eq!(splitter.next_message(), Ok(None));
        assert_eq!(splitter.more_like_it(64), 1);
    }
}
