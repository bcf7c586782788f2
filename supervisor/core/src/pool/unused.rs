//! A pool that is there for one user ends when that user has had no need of it for a while.

use std::time::{Duration, Instant};

use super::{Effect, Mode, PoolCore};

/// A pool that was used so lately is not ended to make room for another: its user is most likely at work.
const MAKES_ROOM_AFTER: Duration = Duration::from_secs(10);

/// Since when nobody has needed the pool.
#[derive(Debug)]
pub(super) struct Unused {
    /// `None`: somebody needs it now.
    since: Option<Instant>,
}

impl Unused {
    pub(super) const fn new(now: Instant) -> Self {
        Self { since: Some(now) }
    }
}

impl<P> PoolCore<P> {
    /// Somebody else needs a pool, and there are as many as may be.
    pub(super) fn make_room(&mut self, now: Instant, effects: &mut Vec<Effect<P>>) {
        self.note_use(now);
        if self.unused_for(now) >= Some(MAKES_ROOM_AFTER) {
            self.retire(now, effects);
        }
    }

    /// Called after every event: ends a pool that nobody has needed for as long as it is set.
    pub(super) fn end_unused(&mut self, now: Instant, effects: &mut Vec<Effect<P>>) {
        let Some(limit) = self.settings.unused_max else {
            return;
        };
        self.note_use(now);
        if self.unused_for(now) >= Some(limit) {
            self.retire(now, effects);
        } else if let Some(since) = self.unused.since {
            self.wake_at(since + limit);
        }
    }

    fn note_use(&mut self, now: Instant) {
        if self.wanted || !self.requests.is_empty() || !self.attempts.is_empty() {
            self.unused.since = None;
        } else {
            self.unused.since.get_or_insert(now);
        }
    }

    fn unused_for(&self, now: Instant) -> Option<Duration> {
        let since = self.unused.since?;
        Some(now.saturating_duration_since(since))
    }

    /// Whoever asks from now on asks another pool.
    fn retire(&mut self, now: Instant, effects: &mut Vec<Effect<P>>) {
        if self.mode == Mode::Serving {
            self.stop(now + self.settings.stop_timeout);
            effects.push(Effect::Retired);
        }
    }
}

#[cfg(test)]
mod tests;
