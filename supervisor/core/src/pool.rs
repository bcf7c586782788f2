//! The decisions of one pool.
//!
//! [`PoolCore`] owns the requests that the pool has taken, the fair queue, the attempts and what is known of each
//! slot's worker. It never acts and never looks at a clock: the pool actor hands it events and does what the effects
//! say, in their order. It does not know that workers are processes.
//!
//! Invariants, each held by the simulation in `tests/simulation/`:
//! - a submitted request gets exactly one `Deliver` or `Fail`, unless it was abandoned;
//! - a request is sent again only if `Request::judge` says so, and only after its worker is confirmed dead;
//! - an effect is granted only to the attempt that its request is waiting for;
//! - no worker that could take a request is idle while a request waits.

mod admission;
mod breaker;
mod deadlines;
mod death;
mod dispatch;
mod effect;
mod event;
#[cfg(test)]
mod fixture;
mod incident;
mod pause;
mod poison;
mod queue;
mod recording;
mod reload;
mod reports;
mod request;
mod rule;
mod settings;
mod sizing;
mod slot;
mod stop;
mod unused;
mod view;

use std::time::Instant;

use rustc_hash::FxHashMap;

use self::{
    breaker::Breaker,
    incident::Incidents,
    poison::Poisons,
    queue::FairQueue,
    reload::Reload,
    request::{Attempt, Request},
    slot::Slot,
    unused::Unused,
};
pub use self::{
    effect::{Effect, Failure},
    event::{Event, Submission},
    recording::{is_recorded_before_it_begins, is_recorded_before_its_effect},
    rule::{EndRule, ReplayRule},
    settings::{BLAMED_DEATHS_MAX, PoolSettings, UNEXPLAINED_DEATHS_MAX},
    view::{Counters, PoolView, SlotView, WorkerState},
};
use crate::{AttemptId, Fingerprint, Random, RequestId, SlotId, WorkerId};

/// Whether a pool takes requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Serving,
    /// Stopped by a person, until a worker is asked for. `is_empty`: the last one has ended, and that was told.
    Paused {
        is_empty: bool,
    },
    Stopping {
        deadline: Instant,
    },
    Stopped,
}

/// The state behind the decisions of one pool. `P` is what a caller hands in with a request and gets back.
#[derive(Debug)]
pub struct PoolCore<P> {
    settings: PoolSettings,
    /// Tells what was asked from what else was asked. It is taken only when something is known against somebody.
    fingerprint: fn(&P) -> Fingerprint,
    random: Random,
    mode: Mode,
    requests: FxHashMap<RequestId, Request<P>>,
    attempts: FxHashMap<AttemptId, Attempt>,
    queue: FairQueue,
    slots: Vec<Slot>,
    breaker: Breaker,
    incidents: Incidents,
    poisons: Poisons,
    starved: bool,
    /// Somebody asked for a worker, whether there is work for it or not, and waits to hear of it.
    wanted: bool,
    unused: Unused,
    reload: Option<Reload>,
    last_attempt: u64,
    wakeup: Option<Instant>,
    counters: Counters,
}

impl<P> PoolCore<P> {
    /// A pool without workers; the first event starts them. Payloads with the same fingerprint ask the same. The seed is
    /// for jitter.
    #[must_use]
    pub fn new(
        settings: PoolSettings,
        fingerprint: fn(&P) -> Fingerprint,
        seed: u64,
        now: Instant,
    ) -> Self {
        // As many again for the new workers of a reload, while the old ones finish what they have.
        let slot_count = settings.slots();
        Self {
            random: Random::new(seed),
            mode: Mode::Serving,
            requests: FxHashMap::default(),
            attempts: FxHashMap::default(),
            queue: FairQueue::default(),
            slots: (0..slot_count)
                .map(|id| Slot::new(SlotId(id), now))
                .collect(),
            breaker: Breaker::default(),
            incidents: Incidents::default(),
            poisons: Poisons::default(),
            starved: false,
            wanted: false,
            unused: Unused::new(now),
            reload: None,
            last_attempt: 0,
            wakeup: None,
            counters: Counters::default(),
            settings,
            fingerprint,
        }
    }

    /// Takes one event and adds to `effects` what follows from it. The list is the caller's, so that a busy pool
    /// does not allocate one for each event.
    pub fn handle(&mut self, now: Instant, event: Event<P>, effects: &mut Vec<Effect<P>>) {
        match event {
            Event::Submit(submission) => self.submit(now, submission, effects),
            Event::Cancel(request) => self.cancel(now, request, effects),
            Event::Abandon(request) => self.abandon(now, request, effects),
            Event::StartRequested => self.start_requested(),
            Event::ReloadRequested => self.reload_requested(),
            Event::PauseRequested => self.pause(),
            Event::WorkerReady {
                worker,
                concurrency,
            } => {
                self.worker_ready(now, worker, concurrency, effects);
            }
            Event::Answered { worker, attempt } => self.answered(now, worker, attempt, effects),
            Event::EffectRequested {
                worker,
                attempt,
                is_on_record,
            } => self.effect_requested(now, worker, attempt, is_on_record, effects),
            Event::EffectRecorded { worker, attempt } => {
                self.effect_recorded(now, worker, attempt, effects);
            }
            Event::NotSent {
                worker,
                attempt,
                why,
            } => self.not_sent(now, worker, attempt, why, effects),
            Event::GrantRefused {
                worker,
                attempt,
                why,
            } => self.grant_refused(now, worker, attempt, why, effects),
            Event::Progressed { worker, attempt } => self.progressed(now, worker, attempt),
            Event::ClientAsked { worker, attempt } => self.client_asked(now, worker, attempt),
            Event::ClientAnswered { worker, attempt } => {
                self.client_answered(now, worker, attempt);
            }
            Event::ProtocolViolated(worker) => self.protocol_violated(now, worker, effects),
            Event::WorkerExited {
                worker,
                cause,
                unsent,
            } => {
                self.worker_exited(now, worker, cause, &unsent, effects);
            }
            Event::MemoryMeasured { worker, rss } => {
                self.memory_measured(now, worker, rss, effects);
            }
            Event::Starved(starved) => self.starved = starved,
            Event::RoomWanted => self.make_room(now, effects),
            Event::Stop { deadline } => self.stop(deadline),
            Event::TimePassed => self.time_passed(now, effects),
        }
        self.dispatch(now, effects);
        if self.roll(now, effects) {
            self.dispatch(now, effects);
        }
        self.fill(now, effects);
        self.end_unused(now, effects);
        self.finish_pause(now, effects);
        self.finish_stop(now, effects);
    }

    /// When [`Event::TimePassed`] is due at the latest. It may come early; that costs a look and nothing else.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Instant> {
        self.wakeup
    }

    /// What was handed in with a request that has no answer yet.
    #[must_use]
    pub fn payload(&self, request: RequestId) -> Option<&P> {
        self.requests.get(&request).map(|request| &request.payload)
    }

    /// What was handed in with every request that has no answer yet.
    pub fn payloads(&self) -> impl Iterator<Item = &P> {
        self.requests.values().map(|request| &request.payload)
    }

    /// The request that an attempt is for, if somebody still waits for it.
    #[must_use]
    pub fn request_of(&self, attempt: AttemptId) -> Option<RequestId> {
        self.attempts.get(&attempt)?.request
    }

    /// Whether somebody still wants the attempt: it is this request's, which has not been taken back.
    #[must_use]
    pub fn is_wanted(&self, attempt: AttemptId, request: RequestId) -> bool {
        let known = self.requests.get(&request);
        self.request_of(attempt) == Some(request) && known.is_some_and(|known| !known.cancelled)
    }

    /// Which attempt at its request that is, from 1.
    #[must_use]
    pub fn number_of(&self, attempt: AttemptId) -> Option<u32> {
        let request = self.requests.get(&self.request_of(attempt)?)?;
        Some(request.attempts)
    }

    /// The worker that an attempt was sent to, while it is running.
    #[must_use]
    pub fn worker_of(&self, attempt: AttemptId) -> Option<WorkerId> {
        self.attempts.get(&attempt).map(|attempt| attempt.worker)
    }

    fn wake_at(&mut self, at: Instant) {
        self.wakeup = Some(self.wakeup.map_or(at, |wakeup| wakeup.min(at)));
    }

    fn slot_mut(&mut self, id: SlotId) -> &mut Slot {
        &mut self.slots[id.0 as usize]
    }
}
