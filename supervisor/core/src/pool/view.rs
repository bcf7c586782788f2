//! What a pool looks like from outside, for status and for checks.

use std::time::Instant;

use super::{Mode, PoolCore, slot::Life};
use crate::WorkerId;

/// Numbers that only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Attempts sent to workers.
    pub sent: u64,
    /// Requests answered by a worker.
    pub answered: u64,
    /// Of those, the ones that needed more than one attempt.
    pub answered_after_replay: u64,
    /// Requests put back into the queue because their worker died.
    pub replayed: u64,
    /// Requests refused at the door.
    pub refused: u64,
    /// Requests that ended with an error of the service's own after they were taken.
    pub failed: u64,
    /// Requests whose caller went away.
    pub abandoned: u64,
    /// Requests that killed their workers once too often.
    pub poisoned: u64,
    /// Answers that nobody waited for: late, doubled or invented.
    pub stale_answers: u64,
    /// `effect.begin` answered with true.
    pub effects_granted: u64,
    /// `effect.begin` answered with false.
    pub effects_refused: u64,
    /// Workers started.
    pub starts: u64,
    /// Workers that died without being meant to.
    pub deaths: u64,
    /// Mass deaths.
    pub incidents: u64,
}

/// What a worker is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerState {
    /// Started, no hello yet.
    Starting,
    /// Idle.
    Ready,
    /// At work.
    Busy,
    /// At work on a request that must run alone.
    Suspect,
    /// Asked to end.
    Draining,
    /// Killed, not yet confirmed dead.
    Dying,
}

/// One worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotView {
    /// Which.
    pub worker: WorkerId,
    /// What it is doing.
    pub state: WorkerState,
    /// How many attempts it is at.
    pub running: usize,
    /// How many it takes at a time.
    pub concurrency: u32,
    /// How many it has answered.
    pub served: u64,
    /// Whether it takes nothing new because it is on its way out.
    pub leaving: bool,
}

/// A pool at one moment.
#[derive(Debug, Clone)]
pub struct PoolView {
    /// Requests that wait for a worker.
    pub queued: usize,
    /// Requests that must run alone, among those.
    pub suspects_queued: usize,
    /// Bytes of parameters that wait.
    pub queued_bytes: usize,
    /// Attempts that are running.
    pub running: usize,
    /// Whether its workers do not start.
    pub degraded: bool,
    /// Whether it takes nothing more.
    pub stopping: bool,
    /// Whether somebody has stopped it until further notice.
    pub paused: bool,
    /// Whether its workers are being replaced.
    pub reloading: bool,
    /// When a worker will be started that is not started now for a reason.
    pub restart_at: Option<Instant>,
    /// The workers there are.
    pub workers: Vec<SlotView>,
    /// Its numbers so far.
    pub counters: Counters,
}

impl<P> PoolCore<P> {
    /// How the pool stands.
    #[must_use]
    pub fn view(&self) -> PoolView {
        PoolView {
            queued: self.queue.len(),
            suspects_queued: self.queue.suspects(),
            queued_bytes: self.queue.bytes(),
            running: self.attempts.len(),
            degraded: self.breaker.is_open(),
            stopping: matches!(self.mode, Mode::Stopping { .. } | Mode::Stopped),
            paused: matches!(self.mode, Mode::Paused { .. }),
            reloading: self.reload.is_some(),
            restart_at: self.restart_at(),
            workers: self.workers(),
            counters: self.counters,
        }
    }

    /// The settings it decides by.
    #[must_use]
    pub fn settings(&self) -> &super::PoolSettings {
        &self.settings
    }

    /// Its numbers so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    fn restart_at(&self) -> Option<Instant> {
        let by_slot = self.next_empty().and_then(|(_, start_at)| start_at);
        by_slot.max(self.breaker.probe_at())
    }

    fn workers(&self) -> Vec<SlotView> {
        let views = self.slots.iter().filter_map(|slot| {
            let state = match slot.life {
                Life::Empty { .. } => return None,
                Life::Starting { .. } => WorkerState::Starting,
                Life::Ready if slot.alone => WorkerState::Suspect,
                Life::Ready if slot.running.is_empty() => WorkerState::Ready,
                Life::Ready => WorkerState::Busy,
                Life::Draining { .. } => WorkerState::Draining,
                Life::Dying { .. } => WorkerState::Dying,
            };
            Some(SlotView {
                worker: slot.worker,
                state,
                running: slot.running.len(),
                concurrency: slot.concurrency,
                served: slot.served,
                leaving: !slot.is_usable(),
            })
        });
        views.collect()
    }
}
