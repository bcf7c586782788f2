//! The threads that read beside the one that writes: a look does not wait for what the others are flushing, nor do they
//! wait for it.
//!
//! There is one for what is found by its name, a key or a job, and one for what takes longer: lists and counts. Each finds
//! everything of which anybody was told that it is kept. Of a key on which something is on its way nobody asks: whoever
//! has to do with a call holds the claim to its key until the store has told them (`keys/claim.rs`). Of a job whoever asks
//! sees what was on record when they asked. Who must see what is handed in and not yet kept asks the writer instead.
//!
//! Each look is one statement, and with that one view of the database, and ends soon: while one lasts, the log is not
//! emptied as a whole.

mod gate;

use std::{
    fmt,
    marker::PhantomData,
    path::Path,
    sync::{Arc, mpsc},
    thread::JoinHandle,
};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

pub(super) use self::gate::Gate;
use super::{
    fatal::Fatal,
    open::{self, StoreError},
    record::Refusal,
    thread,
};
use crate::failpoint;

/// Both threads.
#[derive(Debug)]
pub(super) struct Readers {
    handle: ReadersHandle,
    threads: [JoinHandle<()>; 2],
}

/// The ways to them. Without a limit: each look belongs to a call, or to somebody who asks and waits.
#[derive(Debug, Clone)]
pub(super) struct ReadersHandle {
    /// For what is found by its name.
    pub(super) names: ReaderHandle,
    /// For what may take longer.
    pub(super) lists: ReaderHandle,
}

impl Readers {
    /// Starts them over a database that is ready. The writer holds `gate` when nobody is to read.
    pub(super) fn start(
        file: &Path,
        gate: &Arc<Gate>,
        fatal: &Fatal,
    ) -> Result<Readers, StoreError> {
        let start = |name: &str, place: &'static str| {
            let (queue, looks) = mpsc::channel();
            let reader = Reader {
                connection: open::reader(file)?,
                looks,
                gate: Arc::clone(gate),
                fatal: fatal.clone(),
                place,
            };
            let thread = thread(name, move || reader.run())?;
            Ok((ReaderHandle { queue }, thread))
        };
        let (names, of_names) = start("standin-names", "store_looks")?;
        let (lists, of_lists) = start("standin-lists", "store_lists")?;
        Ok(Readers {
            handle: ReadersHandle { names, lists },
            threads: [of_names, of_lists],
        })
    }

    /// What is given to those who ask.
    pub(super) fn handle(&self) -> ReadersHandle {
        self.handle.clone()
    }

    /// Answers what was asked so far; who asks later is told that the store is closed. It blocks.
    pub(super) fn close(self) {
        for reader in [&self.handle.names, &self.handle.lists] {
            let _ = reader.queue.send(Message::Close);
        }
        for thread in self.threads {
            // A panic in there has ended the process.
            let _ = thread.join();
        }
    }
}

/// The way to one of them. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct ReaderHandle {
    queue: mpsc::Sender<Message>,
}

impl ReaderHandle {
    /// Looks; more than once, if the database was held by another program. `then` runs on the thread that looks (or here,
    /// when the store is closed) and must only hand on what it hears.
    pub(super) fn look<T: 'static>(
        &self,
        look: impl Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
        then: impl FnOnce(Result<T, Refusal>) + Send + 'static,
    ) {
        let mut asker = Asker::new(then);
        let look = move |connection: &Connection| {
            let found = look(connection)?;
            asker.tell(Ok(found));
            Ok(())
        };
        // What is not taken is answered when it is dropped.
        let _ = self.queue.send(Message::Look(LookUp(Box::new(look))));
    }

    /// Looks, and comes back with what was found.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        look: impl Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.look(look, |found| {
            // Whoever asked may be gone.
            let _ = reply.send(found);
        });
        answer.await.unwrap_or(Err(Refusal::Closed))
    }
}

/// What a thread is told.
#[derive(Debug)]
enum Message {
    Look(LookUp),
    /// Nobody asks any more.
    Close,
}

/// What looks, and tells whoever asked. One that is dropped has told them that the store is closed.
struct LookUp(Box<LookFn>);

type LookFn = dyn FnMut(&Connection) -> rusqlite::Result<()> + Send;

impl fmt::Debug for LookUp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LookUp")
    }
}

/// Who is told, once.
struct Asker<T, Then: FnOnce(Result<T, Refusal>)> {
    then: Option<Then>,
    what: PhantomData<fn(T)>,
}

impl<T, Then: FnOnce(Result<T, Refusal>)> Asker<T, Then> {
    fn new(then: Then) -> Self {
        Self {
            then: Some(then),
            what: PhantomData,
        }
    }

    fn tell(&mut self, found: Result<T, Refusal>) {
        if let Some(then) = self.then.take() {
            then(found);
        }
    }
}

impl<T, Then: FnOnce(Result<T, Refusal>)> Drop for Asker<T, Then> {
    fn drop(&mut self) {
        self.tell(Err(Refusal::Closed));
    }
}

/// What a thread holds.
struct Reader {
    connection: Connection,
    looks: mpsc::Receiver<Message>,
    gate: Arc<Gate>,
    fatal: Fatal,
    /// Where it can be made to fail.
    place: &'static str,
}

impl Reader {
    /// Serves until it is closed or nobody can reach it any more.
    fn run(self) {
        let _watch = self.fatal.unless_returned();
        while let Ok(Message::Look(look)) = self.looks.recv() {
            failpoint::pass(self.place, "");
            self.serve(look);
        }
    }

    fn serve(&self, mut look: LookUp) {
        loop {
            let _reading = self.gate.enter();
            match (look.0)(&self.connection) {
                Ok(()) => return,
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                    tracing::error!(
                        "another program holds the service's database; whoever wants to read waits for it"
                    );
                }
                Err(error) => self.fatal.end("it cannot be read", &error),
            }
        }
    }
}
