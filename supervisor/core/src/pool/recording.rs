//! What must be on record before it is done: an attempt that could not be put on record is not sent, and an effect
//! that could not is not granted.

use std::time::Instant;

use standin_protocol::{Outcome, Replay};

use super::{Effect, EndRule, PoolCore};
use crate::{AttemptId, WorkerId};

/// Whether a call that has a record is on it before a worker has the call.
#[must_use]
pub fn is_recorded_before_it_begins(replay: Replay) -> bool {
    replay == Replay::Never
}

/// Whether a call that has a record is on it before its effect is granted. What may run twice is not: after a kill it is
/// run again, however far it had come.
#[must_use]
pub fn is_recorded_before_its_effect(replay: Replay) -> bool {
    replay != Replay::Always
}

impl<P> PoolCore<P> {
    /// An attempt was not given to its worker and will not be. `why`: the answer for a caller that still waits.
    pub(super) fn not_sent(
        &mut self,
        now: Instant,
        worker: WorkerId,
        attempt: AttemptId,
        why: EndRule,
        effects: &mut Vec<Effect<P>>,
    ) {
        let Some(index) = self.current(worker) else {
            return;
        };
        if self.worker_of(attempt) != Some(worker) {
            return;
        }
        let known = self.attempts.remove(&attempt).expect("it was just seen");
        self.slots[index].finished(now, attempt);
        if let Some(id) = known.request {
            let request = self
                .requests
                .get_mut(&id)
                .expect("an attempt's request is known");
            request.attempts -= 1;
            let rule = if request.cancelled {
                EndRule::CancelledInQueue
            } else {
                why
            };
            self.fail(id, rule, effects);
        }
        self.after_attempt(now, index, effects);
    }

    /// That an effect may happen could not be put on record: it is not granted, and nothing has happened. `why`: the answer
    /// for a caller that still waits; whatever the worker says of it is not to the point.
    pub(super) fn grant_refused(
        &mut self,
        now: Instant,
        worker: WorkerId,
        attempt: AttemptId,
        why: EndRule,
        effects: &mut Vec<Effect<P>>,
    ) {
        if self.current(worker).is_none() {
            return;
        }
        if self.worker_of(attempt) != Some(worker) {
            // It has ended without its effect.
            effects.push(Effect::AnswerEffect {
                worker,
                attempt,
                granted: false,
            });
            return;
        }
        let id = self.request_of(attempt);
        // It asked twice, and has its leave.
        let granted = id
            .and_then(|id| self.requests.get(&id))
            .is_some_and(|request| request.effect_granted);
        self.counters.effects_refused += u64::from(!granted);
        effects.push(Effect::AnswerEffect {
            worker,
            attempt,
            granted,
        });
        let Some(id) = id.filter(|_| !granted) else {
            return;
        };
        // One that may have done something before it asked is answered by its worker, which knows.
        let nothing_happened = self.requests.get(&id).is_some_and(|request| {
            !request.cancelled && request.outcome_without_answer() == Outcome::NotExecuted
        });
        if nothing_happened {
            self.fail(id, why, effects);
            self.leave_off(now, attempt, effects);
        }
    }
}

#[cfg(test)]
mod tests;
