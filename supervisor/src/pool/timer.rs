//! The one timer of a pool. The core says when it wants to be called; an armed timer that is early is left as it
//! is, because a look too many is cheaper than re-arming it for each request.

use std::time::Instant;

use ractor::ActorRef;

use super::PoolMessage;
use crate::clock;

/// What is armed.
#[derive(Debug, Default)]
pub(super) struct Timer {
    armed: Option<Instant>,
    /// Timers outlive what they were armed for; one of an older generation is stale.
    generation: u64,
}

impl Timer {
    /// Sees to it that the pool is called at `wanted` or earlier.
    pub(super) fn arm(&mut self, pool: &ActorRef<PoolMessage>, wanted: Option<Instant>) {
        let Some(wanted) = wanted else { return };
        if self.armed.is_some_and(|armed| armed <= wanted) {
            return;
        }
        self.armed = Some(wanted);
        self.generation += 1;
        let generation = self.generation;
        let pool = pool.clone();
        let delay = wanted.saturating_duration_since(clock::now());
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let _ = pool.cast(PoolMessage::TimePassed { generation });
        });
    }

    /// Whether this is the timer that was armed last.
    pub(super) fn fired(&mut self, generation: u64) -> bool {
        let current = generation == self.generation;
        if current {
            self.armed = None;
        }
        current
    }
}
