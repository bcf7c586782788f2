//! Pools that have no process to give a job to: somebody has stopped them, or nothing starts there.
//!
//! What they refuse has not failed, for nobody has tried it. It waits without a new try, and so do all others that
//! would go there, but for one now and then by which it is seen whether the pool is back. By user, since a pool may
//! be each user's own.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rustc_hash::FxHashMap;

use super::LaneName;
use crate::JobId;

/// The first look comes after this, each further one after twice the time.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// So much later than the pool a job begins at most. More looks would cost flushes of the disk, through a whole weekend.
const LOOK_MAX: Duration = Duration::from_secs(30);

/// Pools that somebody's jobs were refused by, and by which none was answered since.
#[derive(Debug, Default)]
pub(super) struct Away(FxHashMap<(Arc<str>, Arc<str>), Looks>);

#[derive(Debug)]
struct Looks {
    count: u32,
    next: Instant,
    /// The job by which is seen whether it is back.
    out: Option<JobId>,
}

fn key(lane: &LaneName, pool: &Arc<str>) -> (Arc<str>, Arc<str>) {
    (Arc::clone(&lane.user), Arc::clone(pool))
}

impl Away {
    /// The pool has refused a job.
    pub(super) fn refused(&mut self, lane: &LaneName, pool: &Arc<str>, now: Instant) {
        let first = Looks {
            count: 0,
            next: now,
            out: None,
        };
        let looks = self.0.entry(key(lane, pool)).or_insert(first);
        // Those that were begun together are one look.
        if looks.next <= now {
            let pause = FIRST_LOOK.saturating_mul(1 << looks.count.min(16));
            looks.next = now + pause.min(LOOK_MAX);
            looks.count += 1;
        }
    }

    /// The pool has answered for a job.
    pub(super) fn answered(&mut self, lane: &LaneName, pool: &Arc<str>) {
        self.0.remove(&key(lane, pool));
    }

    /// Pools have come, or come back.
    pub(super) fn look_now(&mut self, now: Instant) {
        for looks in self.0.values_mut() {
            looks.next = looks.next.min(now);
        }
    }

    pub(super) fn admits(&self, lane: &LaneName, pool: &Arc<str>, now: Instant) -> bool {
        let looks = self.0.get(&key(lane, pool));
        looks.is_none_or(|looks| looks.out.is_none() && looks.next <= now)
    }

    /// The job is given to that pool.
    pub(super) fn begun(&mut self, lane: &LaneName, pool: &Arc<str>, job: JobId) {
        if let Some(looks) = self.0.get_mut(&key(lane, pool)) {
            looks.out = Some(job);
        }
    }

    /// The job is the store's alone again.
    pub(super) fn ended(&mut self, lane: &LaneName, pool: &Arc<str>, job: JobId) {
        if let Some(looks) = self.0.get_mut(&key(lane, pool))
            && looks.out == Some(job)
        {
            looks.out = None;
        }
    }

    /// When the next look is due, if one is waited for.
    pub(super) fn next_look(
        &self,
        lane: &LaneName,
        pool: &Arc<str>,
        now: Instant,
    ) -> Option<Instant> {
        let looks = self.0.get(&key(lane, pool))?;
        (looks.out.is_none() && looks.next > now).then_some(looks.next)
    }
}
