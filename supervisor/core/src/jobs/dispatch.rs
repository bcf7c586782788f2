//! Which job is next, what is asked of the store, and when it is time to look again.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rustc_hash::FxHashMap;

use super::{Effect, JobsCore, Now, Phase, Running, WINDOW_MAX};

/// A timer is never set for longer than this, so that a wall clock that jumps ahead is noticed.
pub const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Jobs of methods that no pool is known to offer run one at a time.
const UNROUTED_MAX: usize = 1;

impl JobsCore {
    /// Leases what is due, pool by pool, the lane first that was served longest ago.
    pub(super) fn dispatch(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if self.stopping || self.paused_until.is_some_and(|until| until > now.steady) {
            return;
        }
        self.paused_until = None;
        let mut room = self.room();
        loop {
            let due = self.lanes.iter_mut().filter_map(|(lane, window)| {
                let pool = self.routes.pool_of(&lane.method);
                let is_due = window.head().is_some_and(|at| lane.is_due(at, now.wall));
                let has_room = room.get(&pool).is_some_and(|room| *room > 0);
                (is_due && has_room && self.away.admits(lane, &pool, now.steady))
                    .then_some((lane, window, pool))
            });
            let Some((lane, window, pool)) = due.min_by_key(|(_, window, _)| window.served) else {
                return;
            };
            let (at, job) = window.take().expect("it has a head");
            self.turn += 1;
            window.served = self.turn;
            *room.get_mut(&pool).expect("it has room") -= 1;
            self.away.begun(lane, &pool, job);
            let due = lane.due(at);
            let unrecorded = self.routes.is_unrecorded(&lane.method);
            let running = Running {
                lane: lane.clone(),
                pool,
                phase: Phase::Leasing,
                cancel_requested: false,
            };
            let before = self.running.insert(job, running);
            debug_assert!(before.is_none(), "what runs is in no lane");
            effects.push(Effect::Lease {
                job,
                due,
                unrecorded,
            });
        }
    }

    /// How many more jobs each pool may have.
    fn room(&self) -> FxHashMap<Arc<str>, usize> {
        let mut room: FxHashMap<Arc<str>, usize> = FxHashMap::default();
        room.insert(Arc::from(""), UNROUTED_MAX);
        room.extend(
            self.routes
                .pools
                .iter()
                .map(|(pool, max)| (Arc::clone(pool), *max)),
        );
        for running in self.running.values() {
            if let Some(room) = room.get_mut(&running.pool) {
                *room = room.saturating_sub(1);
            }
        }
        room
    }

    /// Asks for more where little is left, and forgets lanes that have nothing.
    pub(super) fn load(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.lanes.retain(|_, window| !window.is_exhausted());
        if self.stopping || self.paused_until.is_some_and(|until| until > now.steady) {
            return;
        }
        // What runs may still look as if it waited.
        let limit = WINDOW_MAX + self.running.len();
        for (lane, window) in &mut self.lanes {
            if window.begin_load() {
                let lane = lane.clone();
                effects.push(Effect::Load { lane, limit });
            }
        }
    }

    pub(super) fn next_look(&self, now: Now) -> Option<Instant> {
        let heads = self.lanes.iter().filter_map(|(lane, window)| {
            let at = window.head()?;
            if lane.is_due(at, now.wall) {
                // It waits for a pool, whose news come by themselves if it is there.
                let pool = self.routes.pool_of(&lane.method);
                return self.away.next_look(lane, &pool, now.steady);
            }
            Some(now.steady + at.saturating_since(now.wall).min(LOOK_AGAIN))
        });
        let settles = self
            .running
            .values()
            .filter_map(|running| match &running.phase {
                Phase::Settling(settling) => settling.again_at(),
                Phase::Leasing | Phase::Working(_) => None,
            });
        let pause = self.paused_until.filter(|_| !self.stopping);
        heads.chain(settles).chain(pause).min()
    }
}
