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

    /// Whether there is no room, be it on the disk or in the part of it that this user may fill.
    pub(super) fn is_full(&self, error: &rusqlite::Error) -> bool {
        match error.sqlite_error() {
            Some(error) if error.code == ErrorCode::DiskFull => true,
            // The library reports a quota as any other failed write. Of a flush that fails by it nobody knows what it kept.
            Some(error) if error.extended_code == ffi::SQLITE_IOERR_WRITE => {
                self.system_error() == io::ErrorKind::QuotaExceeded
            }
            _ => false,
        }
    }

    /// What the system said when something failed the last time.
    fn system_error(&self) -> io::ErrorKind {
        // SAFETY: the connection is open, and only this thread uses it.
        let number = unsafe { ffi::sqlite3_system_errno(self.connection.handle()) };
        io::Error::from_raw_os_error(number).kind()
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
