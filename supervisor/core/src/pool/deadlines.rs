//! Time passes. There is no timer per request: everything that is waiting or running is looked at when the earliest
//! known moment comes, and that look finds the next such moment. What finished in between only makes a look early,
//! so a busy pool looks about once per deadline, not once per request.

use std::time::Instant;

use super::{
    Effect, EndRule, PoolCore,
    request::Phase,
    settings::{KILL_AGAIN_AFTER, STARVED_GRACE},
    slot::Life,
};
use crate::{AttemptId, KillReason, RequestId};

impl<P> PoolCore<P> {
    pub(super) fn time_passed(&mut self, now: Instant, effects: &mut Vec<Effect<P>>) {
        self.wakeup = None;
        self.check_waiting(now, effects);
        self.check_attempts(now, effects);
        self.check_workers(now, effects);
        self.end_due(now, effects);
        self.end_idle(now, effects);
    }

    fn check_waiting(&mut self, now: Instant, effects: &mut Vec<Effect<P>>) {
        let mut over: Vec<(RequestId, EndRule)> = Vec::new();
        let mut next = None::<Instant>;
        for (id, request) in &self.requests {
            let Phase::Waiting { since } = request.phase else {
                continue;
            };
            // Only the wait for a first attempt is bounded by itself; a replay has the caller's deadline.
            let patience = since + self.settings.queue_wait;
            let first = request.attempts == 0;
            if now >= request.deadline {
                over.push((*id, EndRule::LateInQueue));
            } else if first && now >= patience {
                over.push((*id, EndRule::WaitedLong));
            } else {
                let due = if first {
                    request.deadline.min(patience)
                } else {
                    request.deadline
                };
                next = Some(next.map_or(due, |next| next.min(due)));
            }
        }
        if let Some(next) = next {
            self.wake_at(next);
        }
        over.sort_unstable_by_key(|(id, _)| *id);
        for (id, rule) in over {
            let request = &self.requests[&id];
            let (session, weight) = (request.session, request.weight());
            self.queue.remove(session, id, weight);
            self.fail(id, rule, effects);
        }
    }

    fn check_attempts(&mut self, now: Instant, effects: &mut Vec<Effect<P>>) {
        let mut late: Vec<AttemptId> = Vec::new();
        let mut next = None::<Instant>;
        for (id, attempt) in &self.attempts {
            // One that expired waits for its worker to die; its caller's own deadline still holds.
            let due = if attempt.expired {
                let Some(request) = attempt.request else {
                    continue;
                };
                let request = &self.requests[&request];
                // One that was taken back need not wait for the death: no effect is granted to it any more.
                if request.cancelled {
                    attempt.deadline
                } else {
                    request.deadline
                }
            } else {
                attempt.deadline
            };
            if now >= due {
                late.push(*id);
            } else {
                next = Some(next.map_or(due, |next| next.min(due)));
            }
        }
        if let Some(next) = next {
            self.wake_at(next);
        }
        late.sort_unstable();
        for attempt in late {
            self.attempt_late(now, attempt, effects);
        }
    }

    fn attempt_late(&mut self, now: Instant, id: AttemptId, effects: &mut Vec<Effect<P>>) {
        let attempt = self.attempts.get_mut(&id).expect("it was just seen");
        let worker = attempt.worker;
        if let Some(request_id) = attempt.request {
            let request = &self.requests[&request_id];
            let rule = match (now >= request.deadline, request.cancelled) {
                (_, true) => Some(EndRule::CancelledInWorker),
                (true, false) => Some(EndRule::LateInWorker),
                (false, false) => None,
            };
            // The caller has its answer now; the attempt is nobody's, so no effect will be granted to it.
            if let Some(rule) = rule {
                attempt.request = None;
                self.fail(request_id, rule, effects);
            }
        }
        let attempt = self.attempts.get_mut(&id).expect("it was just seen");
        if attempt.expired {
            return;
        }
        if self.starved {
            // On a starved machine lateness proves nothing about the worker. The caller's own deadline holds.
            let later = now + STARVED_GRACE;
            let caller = attempt
                .request
                .map(|request| self.requests[&request].deadline);
            attempt.deadline = caller.map_or(later, |caller| caller.min(later));
            let deadline = attempt.deadline;
            self.wake_at(deadline);
            return;
        }
        attempt.expired = true;
        let nobody_waits = attempt.request.is_none();
        // Its worker may take long to die; the caller's own deadline is looked at in time.
        if let Some(request) = attempt.request {
            let deadline = self.requests[&request].deadline;
            self.wake_at(deadline);
        }
        let index = worker.slot.0 as usize;
        self.slots[index].condemned = true;
        self.kill_condemned(now, index, effects);
        // A worker that lives on for its other requests is told. While the caller waits it is not, and neither is one
        // that is being killed: its "cancelled" would race the kill and stand in the way of the replay.
        if nobody_waits && self.slots[index].is_ready() {
            let attempt = id;
            effects.push(Effect::CancelAttempt { worker, attempt });
        }
    }

    fn check_workers(&mut self, now: Instant, effects: &mut Vec<Effect<P>>) {
        for index in 0..self.slots.len() {
            match self.slots[index].life {
                Life::Empty { .. } | Life::Ready => {}
                Life::Starting { deadline } if now >= deadline => {
                    if self.starved {
                        let later = now + STARVED_GRACE;
                        self.slots[index].life = Life::Starting { deadline: later };
                        self.wake_at(later);
                    } else {
                        self.kill(now, index, KillReason::StartTimeout, effects);
                    }
                }
                Life::Draining { deadline } if now >= deadline => {
                    self.kill(now, index, KillReason::IgnoredDrain, effects);
                }
                Life::Dying { reason, again_at } if now >= again_at => {
                    let worker = self.slots[index].worker;
                    let again_at = now + KILL_AGAIN_AFTER;
                    self.slot_mut(worker.slot).life = Life::Dying { reason, again_at };
                    self.wake_at(again_at);
                    effects.push(Effect::Kill { worker, reason });
                }
                Life::Starting { deadline }
                | Life::Draining { deadline }
                | Life::Dying {
                    again_at: deadline, ..
                } => self.wake_at(deadline),
            }
        }
    }
}

#[cfg(test)]
mod tests;
