//! Sessions that an earlier run of the service has left in the store: who comes back within the time gets his, and the
//! rest goes, a few at a time, so that nobody's commit waits for it.

use std::time::Instant;

use rusqlite::Connection;
use rustc_hash::FxHashSet;

use super::names::SessionToken;

/// So many go at once. One session's records are bounded by what it may keep unacknowledged.
const STEP: usize = 8;

/// The sessions, and until when they are waited for.
#[derive(Debug, Default)]
pub(super) struct Stale {
    left: FxHashSet<SessionToken>,
    until: Option<Instant>,
}

impl Stale {
    /// All that there are now. Called once, before any client is let in.
    pub(super) fn waiting_for(connection: &Connection, until: Instant) -> rusqlite::Result<Stale> {
        let mut statement = connection.prepare("SELECT token FROM sessions")?;
        let left = statement.query_map([], |row| row.get(0))?;
        Ok(Stale {
            left: left.collect::<rusqlite::Result<_>>()?,
            until: Some(until),
        })
    }

    /// Somebody asked for it, so whoever asked ends it.
    pub(super) fn claimed(&mut self, token: SessionToken) {
        self.left.remove(&token);
    }

    /// When the next ones go.
    pub(super) fn due(&self) -> Option<Instant> {
        self.until.filter(|_| !self.left.is_empty())
    }

    /// Those that go now.
    pub(super) fn take(&mut self, now: Instant) -> Vec<SessionToken> {
        if self.due().is_none_or(|due| now < due) {
            return Vec::new();
        }
        let taken: Vec<_> = self.left.iter().take(STEP).copied().collect();
        taken.iter().for_each(|token| {
            self.left.remove(token);
        });
        taken
    }
}
