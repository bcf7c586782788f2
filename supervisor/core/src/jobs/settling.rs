//! What became of jobs, until it is in the store.

use std::time::{Duration, Instant};

use standin_protocol::Outcome;

use super::{Due, Effect, JobsCore, Lease, Next, Now, Phase, STORE_PAUSE};
use crate::JobId;

/// The end of a job, or its next try, that is being written.
#[derive(Debug)]
pub(super) struct Settling {
    attempt: u32,
    next: Next,
    outcome: Outcome,
    /// The store refused it, and when it is asked again.
    again_at: Option<Instant>,
}

impl Settling {
    pub(super) fn again_at(&self) -> Option<Instant> {
        self.again_at
    }

    fn effect(&self, job: JobId) -> Effect {
        Effect::Settle {
            job,
            attempt: self.attempt,
            next: self.next,
            outcome: self.outcome,
        }
    }

    /// The clock was set back by so much.
    fn set_back(&mut self, by: Duration) {
        if let Next::Again {
            due: Due::Retry(at),
            ..
        } = &mut self.next
        {
            *at = at.earlier(by);
        }
    }
}

impl JobsCore {
    pub(super) fn settle(
        &mut self,
        job: JobId,
        lease: &Lease,
        next: Next,
        outcome: Outcome,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(running) = self.running.get_mut(&job) {
            let settling = Settling {
                attempt: lease.attempt,
                next,
                outcome,
                again_at: None,
            };
            effects.push(settling.effect(job));
            running.phase = Phase::Settling(settling);
        }
    }

    pub(super) fn settled(&mut self, job: JobId) {
        let Some(running) = self.running.remove(&job) else {
            return;
        };
        self.away.ended(&running.lane, &running.pool, job);
        if let Phase::Settling(Settling {
            next: Next::Again { due, .. },
            ..
        }) = running.phase
            // The store knew of that, and has cancelled the job instead.
            && !running.cancel_requested
        {
            self.queued(job, running.lane.with_kind(due.kind()), due);
        }
    }

    pub(super) fn not_settled(&mut self, now: Now, job: JobId) {
        if let Some(running) = self.running.get_mut(&job)
            && let Phase::Settling(settling) = &mut running.phase
        {
            settling.again_at = Some(now.steady + STORE_PAUSE);
        }
    }

    pub(super) fn settle_again(&mut self, now: Now, effects: &mut Vec<Effect>) {
        for (job, running) in &mut self.running {
            if let Phase::Settling(settling) = &mut running.phase
                && settling.again_at.is_some_and(|at| at <= now.steady)
            {
                settling.again_at = None;
                effects.push(settling.effect(*job));
            }
        }
    }

    /// What is written from now on goes by the clock as it is. What was handed in before is the store's to correct.
    pub(super) fn set_back_settling(&mut self, by: Duration) {
        for running in self.running.values_mut() {
            if let Phase::Settling(settling) = &mut running.phase {
                settling.set_back(by);
            }
        }
    }
}
