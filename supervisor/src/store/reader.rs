//! The thread that looks keys up, beside the one that writes: a look-up does not wait for what the others are flushing.
//!
//! It finds everything of which anybody was told that it is kept. Of a key on which something is on its way nobody asks:
//! whoever has to do with a call holds the claim to its key until the store has told them (`keys/claim.rs`).

use std::{
    fmt,
    sync::{Arc, mpsc},
};

use rusqlite::{Connection, ErrorCode};

use super::{
    fatal::Fatal,
    names::KeyName,
    question,
    record::{Refusal, StoredKey},
};
use crate::failpoint;

/// What the thread is asked.
#[derive(Debug)]
pub(super) enum LookUp {
    Key(KeyLookUp),
    /// Nobody asks any more.
    Close,
}

/// Which key, and who hears of it. One that is dropped is answered as well: the store is closed.
pub(super) struct KeyLookUp {
    name: Arc<KeyName>,
    then: Option<Then>,
}

type Then = Box<dyn FnOnce(Result<Option<StoredKey>, Refusal>) + Send>;

impl KeyLookUp {
    pub(super) fn new(name: Arc<KeyName>, then: Then) -> Self {
        let then = Some(then);
        Self { name, then }
    }

    fn answer(mut self, found: Option<StoredKey>) {
        if let Some(then) = self.then.take() {
            then(Ok(found));
        }
    }
}

impl Drop for KeyLookUp {
    fn drop(&mut self) {
        if let Some(then) = self.then.take() {
            then(Err(Refusal::Closed));
        }
    }
}

impl fmt::Debug for KeyLookUp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(formatter)
    }
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
        while let Ok(LookUp::Key(first)) = self.queue.recv() {
            failpoint::pass("store_looks", "");
            let found = self.key(&first.name);
            first.answer(found);
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
