//! What must be true, at every step and at the end.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use standin_core::jobs::{Due, WINDOW_MAX};
use standin_protocol::{Outcome, Replay};

use crate::{
    life::{Life, is_due, pool_of, replay_of},
    store::State,
};

/// What the lives together must have come by, or they prove little.
pub(crate) const MUST_BE_SEEN: [&str; 11] = [
    "a job is done",
    "a job is dead",
    "a job is unknown",
    "a job is cancelled",
    "a person sends a job again",
    "a job that may have happened is sent again and taken back",
    "the service is killed",
    "a job may have happened when the service was killed",
    "the store is full",
    "a job waits for a pool that is away",
    "the clock jumps",
];

/// A pool that was away is looked for after this at the latest.
const AWAY_MAX: Duration = Duration::from_secs(30);

impl Life {
    pub(crate) fn check(&self) {
        for (job, times) in &self.effects {
            let dared = self.store.dared.get(job).copied().unwrap_or_default();
            assert!(*times <= 1 + dared, "{job:?} happened {times} times");
        }
        for (job, row) in self.store.waiting() {
            let is_wanted = !row.lease.cancel_requested;
            assert!(is_wanted, "{job:?} was taken back and waits");
        }
        for job in &self.acknowledged {
            assert!(self.store.rows.contains_key(job), "{job:?} is lost");
        }
        let mut working: BTreeMap<&str, usize> = BTreeMap::new();
        for (job, _) in self.service.attempts.keys() {
            let row = &self.store.rows[job];
            assert_eq!(row.state, State::Leased, "{job:?} is worked on");
            *working.entry(pool_of(&row.lane.method)).or_default() += 1;
        }
        for (pool, count) in working {
            let limit = self.limits.get(pool).copied().unwrap_or(1);
            assert!(count <= limit, "{pool} has {count} jobs, not {limit}");
        }
        // Two users, four methods, three ways to wait.
        assert!(self.service.core.held() <= 24 * 2 * WINDOW_MAX);
    }

    /// Called when nothing is on its way anywhere.
    pub(crate) fn check_nothing_due_waits(&mut self) {
        let mut waits_for_its_pool = false;
        let now = self.now();
        let soon = self.service.core.next_wakeup();
        if soon.is_some_and(|at| at <= now.steady + std::time::Duration::from_secs(1)) {
            // The store was full, and is asked again.
            return;
        }
        assert_eq!(self.service.core.running(), 0, "nobody works on anything");
        for (job, row) in self.store.waiting() {
            if let Due::Retry(at) = row.due {
                let wait = at.saturating_since(now.wall);
                assert!(wait <= row.pause, "{job:?} waits too long: {row:?}");
            }
            let place = (Arc::clone(&row.lane.user), pool_of(&row.lane.method));
            let refused = self.refused.get(&place);
            if is_due(row, now.wall) && refused.is_some_and(|at| self.elapsed < *at + AWAY_MAX) {
                waits_for_its_pool = true;
                continue;
            }
            assert!(!is_due(row, now.wall), "{job:?} is due and waits: {row:?}");
        }
        if waits_for_its_pool {
            self.saw("a job waits for a pool that is away");
        }
    }

    pub(crate) fn check_end(&mut self) {
        let mut ends: BTreeMap<State, usize> = BTreeMap::new();
        let mut dared_and_cancelled = false;
        for (job, row) in &self.store.rows {
            *ends.entry(row.state).or_default() += 1;
            let effects = self.effects.get(job).copied().unwrap_or_default();
            let has_effect = replay_of(&row.lane.method) != Replay::Always;
            let dared = self.store.dared.contains_key(job);
            match row.lease.outcome {
                Outcome::NotExecuted => {
                    assert!(!self.happened.contains(job), "{job:?} happened: {row:?}");
                }
                Outcome::Unknown => assert!(self.unsure.contains(job), "{job:?}: {row:?}"),
                Outcome::Executed => assert!(self.happened.contains(job), "{job:?}: {row:?}"),
            }
            dared_and_cancelled |= dared && row.state == State::Cancelled;
            match row.state {
                State::Done if has_effect && !dared => assert_eq!(effects, 1, "{job:?} is done"),
                State::Dead | State::Cancelled if !dared => {
                    assert_eq!(effects, 0, "{job:?} is {:?}", row.state);
                }
                _ => {}
            }
        }
        if dared_and_cancelled {
            self.saw("a job that may have happened is sent again and taken back");
        }
        let open = ends.iter().filter(|(state, _)| state.is_open());
        assert_eq!(open.count(), 0, "some never end: {ends:?}");
        let all: usize = ends.values().sum();
        assert!(all >= self.acknowledged.len());
        for (state, what) in [
            (State::Done, "a job is done"),
            (State::Dead, "a job is dead"),
            (State::Unknown, "a job is unknown"),
            (State::Cancelled, "a job is cancelled"),
        ] {
            if ends.contains_key(&state) {
                self.saw(what);
            }
        }
    }
}
