//! A place in a pool, and the worker that is in it now.

use std::time::Instant;

use crate::{AttemptId, KillReason, SlotId, WorkerId};

/// Where the worker of a slot is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// No process; none is started before `start_at`.
    Empty { start_at: Option<Instant> },
    /// Started, no hello yet.
    Starting { deadline: Instant },
    /// At work or idle.
    Ready,
    /// Asked to end.
    Draining { deadline: Instant },
    /// Killed, not yet reported dead.
    Dying {
        reason: KillReason,
        again_at: Instant,
    },
}

/// A slot and its worker.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) worker: WorkerId,
    pub(super) life: Life,
    pub(super) concurrency: u32,
    /// What it is at, including what nobody waits for any more.
    pub(super) running: Vec<AttemptId>,
    /// A suspect runs in it and nothing else may.
    pub(super) alone: bool,
    /// It takes nothing new until it is idle; a suspect waits for it.
    pub(super) reserved: bool,
    /// It ran past a deadline and dies as soon as that hurts nobody else.
    pub(super) condemned: bool,
    /// It is retired at its next idle moment.
    pub(super) retire: bool,
    /// A reload replaces it.
    pub(super) outdated: bool,
    /// When it said hello; `None`: not in this life.
    pub(super) ready_since: Option<Instant>,
    pub(super) idle_since: Instant,
    pub(super) served: u64,
    /// Retire after so many, jitter included.
    pub(super) serve_max: Option<u64>,
    /// Retire then, jitter included.
    pub(super) retire_at: Option<Instant>,
    /// Lives in a row that ended badly.
    pub(super) failures: u32,
}

impl Slot {
    pub(super) fn new(id: SlotId, now: Instant) -> Self {
        Self {
            worker: WorkerId {
                slot: id,
                generation: 0,
            },
            life: Life::Empty { start_at: None },
            concurrency: 1,
            running: Vec::new(),
            alone: false,
            reserved: false,
            condemned: false,
            retire: false,
            outdated: false,
            ready_since: None,
            idle_since: now,
            served: 0,
            serve_max: None,
            retire_at: None,
            failures: 0,
        }
    }

    /// Begins a new life in this slot.
    pub(super) fn begin(&mut self, now: Instant, deadline: Instant) -> WorkerId {
        let worker = WorkerId {
            slot: self.worker.slot,
            generation: self.worker.generation + 1,
        };
        *self = Slot {
            worker,
            life: Life::Starting { deadline },
            failures: self.failures,
            ..Slot::new(worker.slot, now)
        };
        worker
    }

    pub(super) fn is_ready(&self) -> bool {
        matches!(self.life, Life::Ready)
    }

    pub(super) fn is_starting(&self) -> bool {
        matches!(self.life, Life::Starting { .. })
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self.life, Life::Empty { .. })
    }

    pub(super) fn is_idle(&self) -> bool {
        self.is_ready() && self.running.is_empty() && !self.condemned
    }

    /// Ready, and not on its way out.
    pub(super) fn is_usable(&self) -> bool {
        self.is_ready() && !self.condemned && !self.retire
    }

    /// Whether it may get one more ordinary request.
    pub(super) fn has_room(&self) -> bool {
        self.is_usable()
            && !self.alone
            && !self.reserved
            && self.running.len() < self.concurrency as usize
    }

    pub(super) fn finished(&mut self, now: Instant, attempt: AttemptId) {
        if let Some(index) = self.running.iter().position(|running| *running == attempt) {
            self.running.swap_remove(index);
        }
        if self.running.is_empty() {
            self.alone = false;
            self.idle_since = now;
        }
    }
}
