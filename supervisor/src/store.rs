//! The store: the one database of the service, the one thread that writes to it, and two that read beside it.
//!
//! It owns the file `standin.db` in the state folder and keeps what must be known after a death of the service: the fate
//! of calls that must not run twice, sessions, keys. It decides nothing: sessions, pools and keys tell it what is to be
//! kept, and hear when that is so. Everybody holds a [`StoreHandle`]; whoever opened the [`Store`] closes it.
//!
//! What is handed in is committed in the order in which it was handed in, together with everything else that waits. An
//! error of the disk ends the process (see [`Fatal`]): after one, nobody can say what a later flush has kept.

mod apply;
mod backup;
mod database;
mod disk;
mod fatal;
mod gather;
mod instances;
mod jobs;
mod log;
mod measure;
mod names;
mod open;
mod question;
mod reader;
mod record;
mod schema;
mod stale;
mod suspect;
mod sweep;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    path::Path,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

pub use self::measure::{Writers, writes as measured_writes};
pub(crate) use self::{
    backup::{BackupError, back_up},
    instances::Interrupted,
    jobs::{
        JobCounts, JobName, JobPage, JobRow, JobState, JobWrite, LeasedJob, NewJob, Recovered,
        Stored, Submitted,
    },
    names::{Fingerprint, KeyName, RecordName, SessionToken},
    open::StoreError,
    record::{
        Begun, By, Durability, Evidence, RecordState, Refusal, StoredKey, StoredSession, Write,
    },
    sweep::OldestKey,
};
use self::{
    database::Database,
    disk::Disk,
    fatal::Fatal,
    question::{Look, Question},
    reader::{Gate, Readers, ReadersHandle},
    writer::{Message, Order, Writer},
};
use crate::clock;

/// The store itself: the threads, and what reaches them.
#[derive(Debug)]
pub(crate) struct Store {
    handle: StoreHandle,
    writer: JoinHandle<()>,
    readers: Readers,
    left: Vec<String>,
    earlier_runs: u64,
    interrupted: Option<Interrupted>,
}

/// What everybody holds. Cloning it is cheap.
#[derive(Debug, Clone)]
pub(crate) struct StoreHandle {
    /// Without a limit: each write belongs to a call, a session or a job that was admitted already.
    queue: mpsc::Sender<Message>,
    readers: ReadersHandle,
}

impl Store {
    /// Opens the database in `folder`, and makes one where there is none, for the run of the service that is called
    /// `instance`. `boot` names the run of the machine; it is told what the last run of the service has called its own.
    ///
    /// # Errors
    /// The folder or the database cannot be used; what is kept in it is as it was.
    pub(crate) fn open(
        folder: &Path,
        boot: impl Fn(Option<&str>) -> String,
        instance: &str,
    ) -> Result<Store, StoreError> {
        let ((connection, begun), disk) = match begin(folder, &boot, instance) {
            Err(error) if error.is_for_want_of_room() && disk::give_up_ballast(folder) => {
                tracing::error!(
                    "the disk of the state folder `{}` is full; nothing new is taken that must be recorded, until there is room",
                    folder.display()
                );
                let begun = begin(folder, &boot, instance)?;
                (begun, Disk::full(folder, clock::now()))
            }
            begun => (begun?, Disk::new(folder, clock::now())),
        };
        let database = Database::new(connection, begun.boot);
        Ok(Store {
            left: begun.left,
            earlier_runs: begun.earlier,
            interrupted: begun.interrupted,
            ..Store::start(folder, database, disk)?
        })
    }

    fn start(folder: &Path, database: Database, disk: Disk) -> Result<Store, StoreError> {
        let (queue, orders) = mpsc::channel();
        let (fatal, gate) = (Fatal::new(folder), Arc::new(Gate::default()));
        let readers = Readers::start(&folder.join(open::FILE), &gate, &fatal)?;
        let writer = Writer::new(database, orders, disk, gate, fatal);
        Ok(Store {
            handle: StoreHandle {
                queue,
                readers: readers.handle(),
            },
            writer: thread("standin-store", move || writer.run())?,
            readers,
            left: Vec::new(),
            earlier_runs: 0,
            interrupted: None,
        })
    }

    /// Earlier runs of the service whose processes may still be alive. Nothing may be answered from the store before they
    /// are gone; then each is told to it as [`Write::InstanceGone`].
    pub(crate) fn left(&self) -> &[String] {
        &self.left
    }

    /// How many runs of the service this database has seen before this one.
    pub(crate) fn earlier_runs(&self) -> u64 {
        self.earlier_runs
    }

    /// What the run before this one has left, if nobody had asked it to stop.
    pub(crate) fn interrupted(&self) -> Option<Interrupted> {
        self.interrupted
    }

    /// What is given to those who use it.
    pub(crate) fn handle(&self) -> StoreHandle {
        self.handle.clone()
    }

    /// Commits what was handed in so far and closes the database. What comes later is refused. It blocks.
    pub(crate) fn close(self) {
        // The writer's connection is the last one: that empties the log and takes it away.
        self.readers.close();
        let _ = self.handle.queue.send(Message::Close);
        // A panic in there has ended the process.
        let _ = self.writer.join();
    }
}

impl StoreHandle {
    /// Nobody has any session: they are left by an earlier run, or whoever had them has failed. From now on they are waited
    /// for; those that nobody has asked for by then end.
    pub(crate) fn wait_for_sessions(&self, linger: Duration) {
        let _ = self.queue.send(Message::WaitForSessions(linger));
    }

    /// The same for one session.
    pub(crate) fn wait_for_session(&self, token: SessionToken, linger: Duration) {
        let _ = self.queue.send(Message::WaitForSession(token, linger));
    }

    /// Hands in a write. `then` runs on the store's thread after the commit (or here, when the store is closed) and must
    /// only hand on what it hears: everybody else's commits wait for it.
    pub(crate) fn write(
        &self,
        write: Write,
        durability: Durability,
        then: impl FnOnce(Result<(), Refusal>) + Send + 'static,
    ) {
        self.hand_in(Order {
            write,
            durability,
            then: Some(Box::new(then)),
        });
    }

    /// Hands in a write that nobody waits for. Whatever is handed in or asked after it comes after it.
    pub(crate) fn post(&self, write: Write) {
        self.hand_in(Order {
            write,
            durability: Durability::Process,
            then: None,
        });
    }

    /// A session and what is recorded of it. Nothing when it is unknown, has ended, or is of an earlier run of the
    /// machine: its records were never flushed, so that they prove nothing after one.
    pub(crate) async fn load_session(
        &self,
        token: SessionToken,
    ) -> Result<Option<StoredSession>, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.ask(Question::Session { token, reply });
        answer.await.map_err(|_| Refusal::Closed)
    }

    /// Comes back when everything that was handed in so far is committed, and whoever waited for it was told.
    pub(crate) async fn settle(&self) {
        let _ = self.look(|_| Ok(())).await;
    }

    /// Looks up what is recorded of a key. What was handed in and is not told to be kept yet may be missing. `then` runs
    /// on the thread that looks (or here, when the store is closed) and must only hand on what it hears.
    pub(crate) fn look_up_key(
        &self,
        name: Arc<KeyName>,
        then: impl FnOnce(Result<Option<StoredKey>, Refusal>) + Send + 'static,
    ) {
        let look = move |connection: &Connection| question::key(connection, &name);
        self.readers.names.look(look, then);
    }

    /// The first key with that number or a later one that still has its answer.
    pub(crate) async fn oldest_key(&self, from: i64) -> Result<Option<OldestKey>, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.ask(Question::OldestKey { from, reply });
        answer.await.map_err(|_| Refusal::Closed)
    }

    /// What `look` finds, after the commit of everything that was handed in before.
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        let look = move |connection: &Connection| {
            let _ = reply.send(look(connection)?);
            Ok(())
        };
        self.ask(Question::Look(Look(Box::new(look))));
        answer.await.map_err(|_| Refusal::Closed)
    }

    fn hand_in(&self, order: Order) {
        if let Err(mpsc::SendError(Message::Write(order))) = self.queue.send(Message::Write(order))
        {
            order.answer(Err(Refusal::Closed));
        }
    }

    /// Answered after the commit of everything that was handed in before. A store that is closed drops the question,
    /// which answers it.
    fn ask(&self, question: Question) {
        let _ = self.queue.send(Message::Ask(question));
    }
}

/// The database with this run noted in it, and the runs that are left.
fn begin(
    folder: &Path,
    boot: impl Fn(Option<&str>) -> String,
    instance: &str,
) -> Result<(Connection, instances::Begun), StoreError> {
    let mut connection = open::database(folder)?;
    match instances::begin(&mut connection, boot, instance) {
        Ok(begun) => Ok((connection, begun)),
        Err(source) => {
            let file = folder.join(open::FILE);
            Err(open::trouble(&connection, "write", &file, source))
        }
    }
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(work).map_err(StoreError::Thread)
}
