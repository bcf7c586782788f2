//! Sessions that are left in the store and have nobody who would end them: those of an earlier run of the service, and those
//! whose actors have failed. Who comes back within the time gets his, and the rest goes, a few at a time, so that nobody's
//! commit waits for it.

use std::time::Instant;

use rusqlite::Connection;
use rustc_hash::FxHashMap;

use super::names::SessionToken;

/// So many go at once. One session's records are bounded by what it may keep unacknowledged.
const STEP: usize = 8;

/// The sessions, and until when each is waited for.
#[derive(Debug, Default)]
pub(super) struct Stale {
    left: FxHashMap<SessionToken, Instant>,
    /// None of them goes before that.
    due: Option<Instant>,
}

impl Stale {
    /// All that there are now, of which nobody has one.
    pub(super) fn wait_for_all(
        &mut self,
        connection: &Connection,
        until: Instant,
    ) -> rusqlite::Result<()> {
        let mut statement = connection.prepare("SELECT token FROM sessions")?;
        let tokens = statement.query_map([], |row| row.get(0))?;
        for token in tokens {
            self.wait_for(token?, until);
        }
        Ok(())
    }

    /// This one, which nobody has any more.
    pub(super) fn wait_for(&mut self, token: SessionToken, until: Instant) {
        self.left.insert(token, until);
        self.due = Some(self.due.map_or(until, |due| due.min(until)));
    }

    /// Somebody asked for it, so whoever asked ends it.
    pub(super) fn claimed(&mut self, token: SessionToken) {
        self.left.remove(&token);
    }

    /// When to look for those that go.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.filter(|_| !self.left.is_empty())
    }

    /// Those that go now.
    pub(super) fn take(&mut self, now: Instant) -> Vec<SessionToken> {
        if self.due().is_none_or(|due| now < due) {
            return Vec::new();
        }
        let late = self.left.iter().filter(|(_, until)| **until <= now);
        let taken: Vec<_> = late.map(|(token, _)| *token).take(STEP).collect();
        for token in &taken {
            self.left.remove(token);
        }
        if taken.len() < STEP {
            self.due = self.left.values().min().copied();
        }
        taken
    }
}
