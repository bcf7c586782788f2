//! The reading side of a connection: a task that casts what came to the session, and no faster than the session and
//! the client keep up.

use std::{sync::Arc, time::Duration};

use ractor::ActorRef;
use standin_protocol::{Limits, WireError};
use standin_transport::{Connection, MessageReader, MessageWriter, ReadError};
use tokio::sync::Semaphore;

use super::SessionMessage;

/// Batches that may lie in the session's mailbox. A mailbox has no limit of its own.
const BATCHES_MAX: usize = 16;

/// Answers that may wait for a client that does not read them, in bytes. Above it nothing more is read from that
/// client; the rest of the world does not notice.
const UNREAD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How often a client that does not read its answers is looked after.
const UNREAD_PAUSE: Duration = Duration::from_millis(5);

/// Why a stream that was not just closed is over.
pub(crate) enum BrokenStream {
    /// What came was no message.
    Wire(WireError),
    /// The connection broke.
    Broken(std::io::Error),
}

/// How many batches may still be cast.
pub(super) struct Credit(Semaphore);

impl Credit {
    pub(super) fn new() -> Self {
        Self(Semaphore::new(BATCHES_MAX))
    }

    /// A batch was handled.
    pub(super) fn give_back(&self) {
        self.0.add_permits(1);
    }

    async fn take(&self) {
        // The semaphore is never closed.
        if let Ok(permit) = self.0.acquire().await {
            permit.forget();
        }
    }
}

/// What a reading task works with.
pub(super) struct Stream {
    pub(super) connection: Connection,
    pub(super) limits: Limits,
    pub(super) writer: MessageWriter,
}

pub(super) async fn read(stream: Stream, session: ActorRef<SessionMessage>, credit: Arc<Credit>) {
    let Stream {
        connection,
        limits,
        writer,
    } = stream;
    let mut reader = MessageReader::new(connection, limits);
    let why = loop {
        let mut messages = Vec::new();
        match reader.read(&mut messages).await {
            Ok(()) => {}
            Err(ReadError::Closed) => break None,
            Err(ReadError::Wire(error)) => break Some(BrokenStream::Wire(error)),
            Err(ReadError::Broken(error)) => break Some(BrokenStream::Broken(error)),
        }
        credit.take().await;
        if session.cast(SessionMessage::Received(messages)).is_err() {
            return;
        }
        while writer.queued_bytes() > UNREAD_BYTES_MAX && !writer.is_closed() {
            tokio::time::sleep(UNREAD_PAUSE).await;
        }
    };
    let _ = session.cast(SessionMessage::ConnectionEnded(why));
}
