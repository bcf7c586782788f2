//! When a durable job runs, when it runs again, and when it no longer does.
//!
//! [`JobsCore`] knows the jobs that run and, of those that wait, only the next ones of each [`LaneName`]: the store
//! has all of them, however many there are. It never acts: the jobs actor hands it events and does what the effects
//! say, in their order. What a job asks for is of no interest here.
//!
//! Two clocks come with each event. Waiting for a time of day, and between two tries, goes by the wall clock, because it
//! outlives the machine; nothing else does. A jump of the wall clock may move a job, and neither loses one nor runs one twice:
//! a job runs only after the store has leased it to this core, and the store leases only what waits.
//!
//! Invariants, each held by the simulation in `tests/jobs/`:
//! - a job that was acknowledged is found again, and ends in one state;
//! - what may have happened is never sent again, unless a person says so;
//! - a pool has never more jobs at a time than it is set to;
//! - no job that is due waits beside a pool that has room for it.

mod away;
mod dispatch;
mod event;
mod lane;
mod retry;
mod settling;
mod time;
mod verdict;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use rustc_hash::FxHashMap;

use self::{away::Away, lane::Window, settling::Settling};
pub use self::{
    dispatch::LOOK_AGAIN,
    event::{
        Due, Effect, Event, Fate, Interrupted, LaneKind, LaneName, Lease, MethodRoute, Next, Routes,
    },
    lane::WINDOW_MAX,
    retry::RetryPolicy,
    time::{Now, WallTime},
    verdict::{Answer, together},
};
use crate::{JobId, Random};

/// The wall clock was set back if it is this far behind what the other clock says. Less is the usual slow correction.
const SET_BACK_MIN: Duration = Duration::from_secs(60);

/// What the store refused is tried again after this: its disk is full, and somebody is making room.
const STORE_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug)]
enum Phase {
    /// The store was asked for it.
    Leasing,
    Working(Lease),
    /// Its end, or its next try, is being written.
    Settling(Settling),
}

/// A job that is not the store's alone.
#[derive(Debug)]
struct Running {
    lane: LaneName,
    pool: Arc<str>,
    phase: Phase,
    cancel_requested: bool,
}

/// The state behind the decisions about jobs.
#[derive(Debug)]
pub struct JobsCore {
    random: Random,
    routes: Routes,
    lanes: BTreeMap<LaneName, Window>,
    running: FxHashMap<JobId, Running>,
    away: Away,
    /// How many times a job was taken from a lane: who was served longest ago is next.
    turn: u64,
    stopping: bool,
    /// Nothing is leased before this.
    paused_until: Option<Instant>,
    last_look: Now,
    wakeup: Option<Instant>,
}

impl JobsCore {
    /// One that knows of no job. The seed is for jitter; before `now` the pauses in the store were bounded.
    #[must_use]
    pub fn new(seed: u64, now: Now) -> Self {
        Self {
            random: Random::new(seed),
            routes: Routes::default(),
            lanes: BTreeMap::new(),
            running: FxHashMap::default(),
            away: Away::default(),
            turn: 0,
            stopping: false,
            paused_until: None,
            last_look: now,
            wakeup: None,
        }
    }

    /// Takes one event and adds to `effects` what follows from it.
    pub fn handle(&mut self, now: Now, event: Event, effects: &mut Vec<Effect>) {
        self.look_at_clocks(now, effects);
        match event {
            Event::LanesFound(lanes) => self.lanes_found(lanes),
            Event::Interrupted(interrupted) => self.interrupted(now, *interrupted, effects),
            Event::Queued { job, lane, due } => self.queued(job, lane, due),
            Event::Loaded {
                lane,
                jobs,
                complete,
            } => self.loaded(&lane, jobs, complete),
            Event::NotLoaded(lane) => self.not_loaded(now, &lane),
            Event::Leased { job, lease } => self.leased(now, job, lease, effects),
            Event::NotLeased { job, gone } => self.not_leased(now, job, gone),
            Event::Answered {
                job,
                attempt,
                answer,
            } => self.answered(now, job, attempt, answer, effects),
            Event::CancelRequested(job) => self.cancel_requested(job, effects),
            Event::Settled { job } => self.settled(job),
            Event::NotSettled { job } => self.not_settled(now, job),
            Event::RetriesBounded => self.retries_bounded(),
            Event::RoutesChanged(routes) => {
                self.routes = routes;
                self.away.look_now(now.steady);
            }
            Event::Stop => self.stopping = true,
            Event::TimePassed => {}
        }
        self.settle_again(now, effects);
        self.dispatch(now, effects);
        self.load(now, effects);
        self.wakeup = self.next_look(now);
    }

    /// When [`Event::TimePassed`] is due at the latest.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Instant> {
        self.wakeup
    }

    /// How many jobs are leased, working or being settled.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// How many waiting jobs are held in memory.
    #[must_use]
    pub fn held(&self) -> usize {
        self.lanes.values().map(Window::held).sum()
    }

    fn lanes_found(&mut self, lanes: Vec<LaneName>) {
        for lane in lanes {
            let window = self.lanes.entry(lane);
            let window = window.or_insert_with(|| Window::unread(self.turn));
            window.read_again();
        }
    }

    fn queued(&mut self, job: JobId, lane: LaneName, due: Due) {
        // What is not known here has nothing else in the store: the lanes that have something were found at the start.
        let turn = self.turn;
        let window = self.lanes.entry(lane);
        let window = window.or_insert_with(|| Window::empty(turn));
        window.queued(due.order(), job);
    }

    fn loaded(&mut self, lane: &LaneName, jobs: Vec<(WallTime, JobId)>, complete: bool) {
        if let Some(window) = self.lanes.get_mut(lane) {
            let running = &self.running;
            let jobs = jobs
                .into_iter()
                .filter(|(_, job)| !running.contains_key(job));
            window.loaded(jobs, complete);
        }
    }

    fn not_loaded(&mut self, now: Now, lane: &LaneName) {
        if let Some(window) = self.lanes.get_mut(lane) {
            window.not_loaded();
        }
        self.paused_until = Some(now.steady + STORE_PAUSE);
    }

    fn leased(&mut self, now: Now, job: JobId, lease: Lease, effects: &mut Vec<Effect>) {
        let Some(running) = self.running.get_mut(&job) else {
            return;
        };
        if !matches!(running.phase, Phase::Leasing) {
            return;
        }
        let attempt = lease.attempt;
        if lease.cancel_requested || running.cancel_requested {
            self.settle(job, &lease, Next::Cancelled, lease.outcome, effects);
        } else if self.stopping {
            // It was not begun, and the next life finds it waiting.
            let next = lease.again_after(Duration::ZERO, now);
            self.settle(job, &lease, next, lease.outcome, effects);
        } else {
            running.phase = Phase::Working(lease);
            effects.push(Effect::Run { job, attempt });
        }
    }

    fn not_leased(&mut self, now: Now, job: JobId, gone: bool) {
        let is_leasing = |running: &Running| matches!(running.phase, Phase::Leasing);
        if !self.running.get(&job).is_some_and(is_leasing) {
            return;
        }
        let running = self.running.remove(&job).expect("it was found");
        self.away.ended(&running.lane, &running.pool, job);
        if !gone {
            self.paused_until = Some(now.steady + STORE_PAUSE);
        } else if running.lane.kind != LaneKind::Retry {
            return;
        }
        // It still waits; for another try perhaps until another time, if the clock was set back in between.
        self.lanes
            .entry(running.lane)
            .or_insert_with(|| Window::unread(self.turn))
            .read_again();
    }

    fn answered(
        &mut self,
        now: Now,
        job: JobId,
        attempt: u32,
        answer: Answer,
        effects: &mut Vec<Effect>,
    ) {
        let Some(running) = self.running.get(&job) else {
            return;
        };
        let Phase::Working(lease) = &running.phase else {
            return;
        };
        if lease.attempt != attempt {
            return;
        }
        let lease = *lease;
        match answer.is_of_no_worker() {
            true => self.away.refused(&running.lane, &running.pool, now.steady),
            false => self.away.answered(&running.lane, &running.pool),
        }
        let outcome = verdict::outcome_after(&lease, answer);
        let next = verdict::judge(
            &lease,
            answer,
            running.cancel_requested,
            now,
            &mut self.random,
        );
        self.settle(job, &lease, next, outcome, effects);
    }

    fn interrupted(&mut self, now: Now, interrupted: Interrupted, effects: &mut Vec<Effect>) {
        let Interrupted {
            job,
            lane,
            lease,
            fate,
        } = interrupted;
        let outcome = verdict::outcome_of_interrupted(&lease, fate);
        let next = verdict::judge_interrupted(&lease, fate, now, &mut self.random);
        let running = Running {
            pool: self.routes.pool_of(&lane.method),
            lane,
            cancel_requested: lease.cancel_requested,
            phase: Phase::Leasing,
        };
        self.running.insert(job, running);
        self.settle(job, &lease, next, outcome, effects);
    }

    fn cancel_requested(&mut self, job: JobId, effects: &mut Vec<Effect>) {
        let Some(running) = self.running.get_mut(&job) else {
            // The store has cancelled it and would not lease it any more.
            self.lanes
                .values_mut()
                .for_each(|window| window.forget(job));
            return;
        };
        running.cancel_requested = true;
        if let Phase::Working(_) = running.phase {
            effects.push(Effect::CancelAttempt(job));
        }
    }

    fn look_at_clocks(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let last = std::mem::replace(&mut self.last_look, now);
        let expected = last.wall + now.steady.saturating_duration_since(last.steady);
        let set_back = expected.saturating_since(now.wall);
        if set_back > SET_BACK_MIN {
            self.set_back_settling(set_back);
            effects.push(Effect::BoundRetries { set_back });
        }
    }

    fn retries_bounded(&mut self) {
        for (lane, window) in &mut self.lanes {
            if lane.kind == LaneKind::Retry {
                window.read_again();
            }
        }
    }
}

#[cfg(test)]
mod tests;
