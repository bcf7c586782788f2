//! The thread that looks keys up, beside the one that writes: a look-up does not wait for what the others are flushing.
//!
//! It finds everything of which anybody was told that it is kept. Of a key on which something is on its way nobody asks:
//! whoever has to do with a call holds the claim to its key until the store has told them (`keys/claim.rs`).

use std::sync::{Arc, mpsc};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::{fatal::Fatal, names::KeyName, question, record::StoredKey};

/// What the thread is asked.
#[derive(Debug)]
pub(super) enum LookUp {
    Key {
        name: Arc<KeyName>,
        reply: oneshot::Sender<Option<StoredKey>>,
    },
    /// Nobody asks any more.
    Close,
}

/// What the thread holds.
pub(super) struct Reader {
    connection: Connection,
    queue: mpsc::Receiver<LookUp>,
    fatal: Fatal,
}

impl Reader {
    pub(super) fn new(connection: Connection, queue: mpsc::Receiver<LookUp>, fatal: Fatal) -> Self {
        Self {
            connection,
            queue,
            fatal,
        }
    }

    /// Serves until it is closed or nobody can reach it any more.
    pub(super) fn run(self) {
        let _watch = self.fatal.unless_returned();
        while let Ok(LookUp::Key { name, reply }) = self.queue.recv() {
            // Whoever asked may be gone.
            let _ = reply.send(self.key(&name));
        }
    }

    fn key(&self, name: &KeyName) -> Option<StoredKey> {
        loop {
            match question::key(&self.connection, name) {
                Ok(found) => return found,
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                    tracing::error!(
                        "another program holds the service's database; a call with a key waits for it"
                    );
                }
                Err(error) => self.fatal.end("it cannot be read", &error),
            }
        }
    }
}
