//! The reading side of a connection: a task that casts what came to the session, and no faster than the session and
//! the client keep up.

use std::{sync::Arc, time::Duration};

use ractor::ActorRef;
use standin_protocol::WireError;
use standin_transport::{MessageReader, MessageWriter, ReadError};
use tokio::sync::Semaphore;

use super::SessionMessage;
use crate::failpoint;

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

    /// The first batch was read by somebody else.
    pub(super) fn first(&self) {
        self.0.forget_permits(1);
    }

    /// A batch was handled.
    pub(super) fn give_back(&self) {
        self.0.add_permits(1);
    }

    async fn take(&self) {
        if let Ok(permit) = self.0.try_acquire() {
            return permit.forget();
        }
        // Boxed, so that no session has a place for what rarely is. The semaphore is never closed.
        if let Ok(permit) = Box::pin(self.0.acquire()).await {
            permit.forget();
        }
    }
}

/// A reading task.
pub(super) struct Reading {
    reader: MessageReader,
    /// Looked at for what the client has not read; nothing is written here.
    writer: MessageWriter,
    session: ActorRef<SessionMessage>,
    credit: Arc<Credit>,
    /// The number of the connection.
    epoch: u64,
}

impl Reading {
    pub(super) fn new(
        reader: MessageReader,
        writer: MessageWriter,
        session: ActorRef<SessionMessage>,
        credit: Arc<Credit>,
        epoch: u64,
    ) -> Self {
        Self {
            reader,
            writer,
            session,
            credit,
            epoch,
        }
    }

    /// Reads until the stream ends. `broken`: it has ended already.
    #[expect(
        clippy::manual_async_fn,
        reason = "an async fn would have room for everything twice, and every idle session keeps this"
    )]
    pub(super) fn run(
        mut self,
        broken: Option<Box<BrokenStream>>,
    ) -> impl Future<Output = ()> + Send {
        async move { self.read(broken).await }
    }

    async fn read(&mut self, broken: Option<Box<BrokenStream>>) {
        let why = loop {
            if broken.is_some() {
                break broken;
            }
            let mut messages = Vec::new();
            match self.reader.read(&mut messages).await {
                Ok(()) => {}
                Err(ReadError::Closed) => break None,
                Err(ReadError::Wire(error)) => break Some(Box::new(BrokenStream::Wire(error))),
                Err(ReadError::Broken(error)) => break Some(Box::new(BrokenStream::Broken(error))),
            }
            failpoint::pass("reading", "");
            self.credit.take().await;
            let received = SessionMessage::Received(self.epoch, messages);
            if self.session.cast(received).is_err() {
                return;
            }
            while self.writer.queued_bytes() > UNREAD_BYTES_MAX && !self.writer.is_closed() {
                // Boxed, so that no session has a place for what rarely is.
                Box::pin(tokio::time::sleep(UNREAD_PAUSE)).await;
            }
        };
        let ended = SessionMessage::ConnectionEnded(self.epoch, why);
        let _ = self.session.cast(ended);
    }
}
