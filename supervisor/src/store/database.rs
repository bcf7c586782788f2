//! The database as the writer uses it: many orders, one transaction.

use std::io;

use rusqlite::{Connection, ErrorCode, ffi};

use super::{
    apply::{self, Circumstances},
    log,
    question::Question,
    record::Durability,
    writer::Order,
};
use crate::clock;

/// What there was no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// What was to be written: there is nothing of it.
    Writing,
    /// The index of the log, which grows when what was to be written is in the log as a whole, and would be found in it.
    Index,
}

/// Whether something has failed for want of room. The library reports a full disk by a code of its own in most places,
/// and otherwise, like a quota, as any other failed operation. Of a flush that fails by it nobody knows what it kept.
pub(super) fn want_of_room(connection: &Connection, error: &rusqlite::Error) -> Option<Want> {
    let error = error.sqlite_error()?;
    if error.code == ErrorCode::DiskFull {
        return Some(Want::Writing);
    }
    let want = match error.extended_code {
        ffi::SQLITE_IOERR_WRITE => Want::Writing,
        ffi::SQLITE_CANTOPEN
        | ffi::SQLITE_IOERR_SHMOPEN
        | ffi::SQLITE_IOERR_SHMSIZE
        | ffi::SQLITE_IOERR_SHMMAP
        | ffi::SQLITE_IOERR_TRUNCATE => Want::Index,
        _ => return None,
    };
    let no_room = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
    no_room.contains(&system_error(connection)).then_some(want)
}

/// What the system said when something failed the last time.
fn system_error(connection: &Connection) -> io::ErrorKind {
    // SAFETY: the connection is open, and only the thread that holds this reference uses it.
    let number = unsafe { ffi::sqlite3_system_errno(connection.handle()) };
    io::Error::from_raw_os_error(number).kind()
}

/// The one connection that writes.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) connection: Connection,
    /// This run of the machine.
    boot: String,
    /// What the connection flushes for now.
    flushes_for: Option<Durability>,
}

impl Database {
    pub(super) fn new(connection: Connection, boot: String) -> Self {
        Self {
            connection,
            boot,
            flushes_for: None,
        }
    }

    /// One transaction that outlives that much; after an error there is nothing of it.
    pub(super) fn commit(
        &mut self,
        orders: &[Order],
        durability: Durability,
    ) -> rusqlite::Result<()> {
        self.flush_for(durability)?;
        self.begin()?;
        let done = self.apply_all(orders);
        self.undo_unless(done)
    }

    /// Takes back what was not done as a whole.
    fn undo_unless(&self, done: rusqlite::Result<()>) -> rusqlite::Result<()> {
        // Some errors have ended it already.
        if done.is_err() && !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        done
    }

    /// See [`log::begin`].
    pub(super) fn begin_log(&mut self) -> rusqlite::Result<()> {
        self.flush_for(Durability::Process)?;
        self.begin()?;
        let done = log::begin(&self.connection).and_then(|()| self.end());
        self.undo_unless(done)
    }

    /// Looks, and tells whoever asked.
    pub(super) fn answer(&self, question: Question) -> rusqlite::Result<()> {
        question.answer(&self.connection, &self.boot)
    }

    /// What there was no room for, if that is what has failed.
    pub(super) fn want_of_room(&self, error: &rusqlite::Error) -> Option<Want> {
        want_of_room(&self.connection, error)
    }

    fn apply_all(&self, orders: &[Order]) -> rusqlite::Result<()> {
        let circumstances = Circumstances {
            boot: &self.boot,
            at: clock::latest_unix_ms(),
        };
        for order in orders {
            apply::apply(&self.connection, &order.write, &circumstances)?;
        }
        self.end()
    }

    fn end(&self) -> rusqlite::Result<()> {
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// Somebody with a tool of their own may be writing; nothing is lost while that is waited for.
    fn begin(&self) -> rusqlite::Result<()> {
        loop {
            let mut begin = self.connection.prepare_cached("BEGIN IMMEDIATE")?;
            match begin.execute([]) {
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                    tracing::error!(
                        "another program holds the service's database; everything waits for it"
                    );
                }
                other => return other.map(|_| ()),
            }
        }
    }

    /// FULL flushes the log at each commit. NORMAL leaves that to the system, which the death of a process does not hurt.
    fn flush_for(&mut self, durability: Durability) -> rusqlite::Result<()> {
        if self.flushes_for != Some(durability) {
            self.connection.execute_batch(match durability {
                Durability::Process => "PRAGMA synchronous = NORMAL",
                Durability::Power => "PRAGMA synchronous = FULL",
            })?;
            self.flushes_for = Some(durability);
        }
        Ok(())
    }
}
