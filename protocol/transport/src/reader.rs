//! Messages from a connection.

use std::io;

use standin_protocol::{Limits, Message, Splitter, WireError};

use crate::Connection;

/// Why no more messages come.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The other end has closed, between two messages.
    #[error("the connection was closed")]
    Closed,
    /// What came was no message; the stream is lost.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[source] io::Error),
}

/// Room is made at once for so many messages that have come together.
const FORESEEN_MAX: usize = 64;

/// Reads messages. It holds no buffer while it waits between two of them.
#[derive(Debug)]
pub struct MessageReader {
    connection: Connection,
    splitter: Splitter,
    /// What ends the stream, told after the messages that came before it.
    failed: Option<WireError>,
}

impl MessageReader {
    /// A reader at the start of a stream.
    #[must_use]
    pub fn new(connection: Connection, limits: Limits) -> Self {
        Self {
            connection,
            splitter: Splitter::new(limits),
            failed: None,
        }
    }

    /// Waits for at least one message and appends all that have come.
    ///
    /// It is safe to drop the future: nothing that was read is lost.
    ///
    /// # Errors
    /// See [`ReadError`]. After an error there is nothing more to read.
    pub async fn read(&mut self, into: &mut Vec<Message>) -> Result<(), ReadError> {
        if let Some(error) = self.failed.take() {
            return Err(error.into());
        }
        let before = into.len();
        loop {
            loop {
                match self.splitter.next_message() {
                    Ok(Some(message)) => {
                        if into.len() == into.capacity() {
                            into.reserve(self.splitter.more_like_it(FORESEEN_MAX));
                        }
                        into.push(message);
                    }
                    Ok(None) => break,
                    Err(error) if into.len() == before => return Err(error.into()),
                    Err(error) => {
                        self.failed = Some(error);
                        return Ok(());
                    }
                }
            }
            if into.len() > before {
                return Ok(());
            }
            let read = match self.splitter.room() {
                Some(room) => self.connection.read_into(room).await,
                None => self.connection.read_bytes().await.map(|bytes| {
                    let count = bytes.len();
                    self.splitter.give(bytes);
                    count
                }),
            };
            match read {
                Ok(0) => {
                    self.splitter.end()?;
                    return Err(ReadError::Closed);
                }
                Ok(_) => {}
                // The other end vanished without ceremony: its process was killed.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Err(ReadError::Closed);
                }
                Err(error) => return Err(ReadError::Broken(error)),
            }
        }
    }
}
