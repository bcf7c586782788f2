//! The write-ahead log: when what is in it goes into the database.
//!
//! SQLite would do that in the middle of some commit. Here it is done when nobody waits, or when the log has grown so
//! much that a start after a crash would notice; and its result is looked at.

use std::time::Duration;

use rusqlite::Connection;

use super::schema;

/// A log of this size is emptied even though somebody waits. It is read through when the service starts after a crash.
const SIZE_MAX: usize = 16 << 20;

/// While something keeps the log from being emptied (a backup reads), it is tried again after as much more.
const MORE: usize = 8 << 20;

/// One that holds so much was not begun anew when it was empty, since somebody read.
const LENGTH_MAX: usize = 2 * SIZE_MAX;

/// Nobody wants anything for so long: time for it.
const IDLE: Duration = Duration::from_millis(500);

/// A page and its head in the log.
const FRAME: usize = 4096 + 24;

/// About as many pages as a small write touches.
const PAGES_OF_A_WRITE: usize = 2;

/// A quarter of the database may be free pages, and some in any case: they are used again soon.
const FREE_PART: usize = 4;
const FREE_MIN: usize = 2048;

/// So many pages are given back at once, which takes some milliseconds.
const SHRINK_PAGES: usize = 512;

/// What is known of the log.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// About what has been written to it and is not in the database yet.
    size: usize,
    /// Emptied when it is larger.
    limit: usize,
    /// Somebody who read was in the way, the last time.
    hindered: bool,
}

impl Log {
    pub(super) fn new() -> Log {
        // What the last run has left in it is in there still.
        Log {
            size: FRAME,
            limit: SIZE_MAX,
            hindered: false,
        }
    }

    /// `writes` were committed, which hold `bytes` in all.
    pub(super) fn has_grown(&mut self, writes: usize, bytes: usize) {
        self.size += writes * PAGES_OF_A_WRITE * FRAME + bytes;
    }

    /// How long to wait for work before it is emptied; `None`: there is nothing in it.
    pub(super) fn patience(&self) -> Option<Duration> {
        (self.size > 0).then_some(IDLE)
    }

    pub(super) fn is_large(&self) -> bool {
        self.size > self.limit
    }

    /// Whether nobody of this service should read while it is emptied: there would be somebody each time.
    pub(super) fn was_hindered(&self) -> bool {
        self.hindered
    }

    /// Moves what is in it into the database, as far as readers allow.
    pub(super) fn empty(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let text = "PRAGMA wal_checkpoint(PASSIVE)";
        let (busy, frames, moved) = connection.query_row(text, [], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, i64>(2)?,
            ))
        })?;
        let is_empty = busy == 0 && moved >= frames;
        self.hindered = !is_empty || frames.max(0) as usize * FRAME > LENGTH_MAX;
        if is_empty {
            self.size = 0;
            self.limit = SIZE_MAX;
        } else {
            tracing::debug!(frames, moved, "somebody reads, so the log is not empty yet");
            self.limit = self.size + MORE;
        }
        Ok(())
    }
}

/// Writes the first page of a new log, whose head is flushed before: the library wants to be sure of it even where a
/// commit is not flushed. While nobody waits for that, it costs nobody anything.
pub(super) fn begin(connection: &Connection) -> rusqlite::Result<()> {
    // It says what it said before, and is written all the same.
    connection.pragma_update(None, "user_version", schema::VERSION)
}

/// Gives some free pages back to the disk, if there are more than are kept for the next writes. Tells how many.
pub(super) fn shrink(connection: &Connection) -> rusqlite::Result<usize> {
    let number = |text: &str| {
        let number = connection.query_row(text, [], |row| row.get::<_, u32>(0));
        number.map(|number| number as usize)
    };
    let free = number("PRAGMA freelist_count")?;
    let kept = (number("PRAGMA page_count")? / FREE_PART).max(FREE_MIN);
    let pages = free.saturating_sub(kept).min(SHRINK_PAGES);
    if pages > 0 {
        // Each step of the statement gives one page back.
        let mut steps = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut steps = steps.query([])?;
        while steps.next()?.is_some() {}
    }
    Ok(pages)
}
