//! A session's hold on its client: the connection it has now.

use std::sync::Arc;

use ractor::ActorRef;
use standin_core::quota::Place;
use standin_protocol::Frame;
use standin_transport::{MessageWriter, occasional_writer};
use tokio::task::JoinHandle;

use super::{
    SessionMessage,
    reading::{Credit, Reading},
};
use crate::{sessions::Newcomer, tasks};

/// One connection. Dropped, it closes once what was said is written.
pub(super) struct Link {
    writer: MessageWriter,
    credit: Arc<Credit>,
    reading: JoinHandle<()>,
    place: Place,
}

impl Link {
    /// Takes over a connection: what was said there first is in the mailbox when this returns, and the rest follows.
    pub(super) fn start(newcomer: Newcomer, session: &ActorRef<SessionMessage>) -> Link {
        let Newcomer {
            number: epoch,
            connection,
            reader,
            messages,
            broken,
            place,
            ..
        } = newcomer;
        let writer = occasional_writer(connection);
        let credit = Arc::new(Credit::new());
        credit.first();
        let _ = session.cast(SessionMessage::Received(epoch, messages));
        let reading = Reading::new(
            reader,
            writer.clone(),
            session.clone(),
            Arc::clone(&credit),
            epoch,
        );
        let session = session.clone();
        let reading = tasks::or_when_it_panics(reading.run(broken), move || {
            let _ = session.cast(SessionMessage::ConnectionEnded(epoch, None));
        });
        let reading = tokio::spawn(reading);
        Link {
            writer,
            credit,
            reading,
            place,
        }
    }

    /// Whether its user had as many connections as may be when it came.
    pub(super) fn is_beyond(&self) -> bool {
        !self.place.is_within()
    }

    pub(super) fn send(&self, frame: Frame) {
        self.writer.send(frame);
    }

    /// Bytes that the client has not read.
    pub(super) fn unread(&self) -> usize {
        self.writer.queued_bytes()
    }

    /// A batch of messages was handled.
    pub(super) fn handled(&self) {
        self.credit.give_back();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.reading.abort();
    }
}
