//! The task that reads what the service says.

use std::sync::{Arc, Weak};

use standin_protocol::{Limits, Message};
use standin_transport::{Connection, MessageReader, ReadError};
use tokio::sync::oneshot;

use crate::{
    Client,
    connect::Inner,
    shared::{Ending, Shared},
};

/// The service has checked the size of what it passes on, against a limit that is its own to set; so this only
/// bounds what a broken service could do.
const MESSAGE_SIZE_MAX: usize = 1 << 30;

/// Reads until the connection ends. The client ends this task when it is dropped, which closes the connection.
pub(crate) async fn read(
    connection: Connection,
    shared: Arc<Shared>,
    client: oneshot::Receiver<Weak<Inner>>,
) {
    // However this task ends, nobody is left waiting.
    let mut on_end = OnEnd {
        shared,
        ending: Ending::GivenUp,
    };
    let limits = Limits {
        message_size_max: MESSAGE_SIZE_MAX,
        ..Limits::default()
    };
    let mut reader = MessageReader::new(connection, limits);
    let Ok(client) = client.await else { return };
    let mut messages = Vec::new();
    loop {
        match reader.read(&mut messages).await {
            Ok(()) => {}
            Err(ReadError::Closed) => {
                on_end.ending = Ending::Closed;
                return;
            }
            Err(ReadError::Wire(_) | ReadError::Broken(_)) => return,
        }
        for message in messages.drain(..) {
            received(&on_end.shared, &client, message);
        }
    }
}

fn received(shared: &Arc<Shared>, client: &Weak<Inner>, message: Message) {
    match message {
        Message::Response(response) => shared.answered(response.msgid, response.result),
        Message::Request(request) => {
            // If the last clone is going, this task is about to be ended.
            if let Some(client) = Client::upgrade(client) {
                shared.asked(client, request);
            }
        }
        Message::Notification(told) => shared.told(&told),
        Message::WrongRequest { msgid, error } => shared.respond(msgid, &Err(error)),
    }
}

struct OnEnd {
    shared: Arc<Shared>,
    ending: Ending,
}

impl Drop for OnEnd {
    fn drop(&mut self) {
        self.shared.lost(self.ending);
    }
}
