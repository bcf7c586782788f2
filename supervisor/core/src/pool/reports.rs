//! What a worker says, and what follows from it. News of a worker that is no longer in its slot is nobody's.

use std::time::Instant;

use super::{Effect, PoolCore, request::Request, slot::Life};
use crate::{AttemptId, KillReason, WorkerId};

impl<P> PoolCore<P> {
    /// The slot of a worker that is still the one in its slot.
    pub(super) fn current(&self, worker: WorkerId) -> Option<usize> {
        let index = worker.slot.0 as usize;
        self.slots
            .get(index)
            .filter(|slot| slot.worker == worker && !slot.is_empty())
            .map(|_| index)
    }

    pub(super) fn worker_ready(
        &mut self,
        now: Instant,
        worker: WorkerId,
        concurrency: u32,
        effects: &mut Vec<Effect<P>>,
    ) {
        let Some(index) = self.current(worker) else {
            return;
        };
        let slot = &mut self.slots[index];
        // A hello after the kill, or a second one, changes nothing.
        if !slot.is_starting() {
            return;
        }
        slot.life = Life::Ready;
        slot.ready_since = Some(now);
        slot.idle_since = now;
        slot.concurrency = concurrency.min(self.settings.concurrency_max).max(1);
        self.plan_recycling(now, index);
        self.reload_met_ready(index, effects);
        self.wake_at(now + self.settings.idle);
        self.wanted = false;
        if self.breaker.started() {
            effects.push(Effect::DegradedChanged(false));
        }
    }

    pub(super) fn answered(
        &mut self,
        now: Instant,
        worker: WorkerId,
        attempt: AttemptId,
        effects: &mut Vec<Effect<P>>,
    ) {
        let Some(index) = self.current(worker) else {
            self.counters.stale_answers += 1;
            return;
        };
        // The answer to somebody else's attempt, to one that never was, or a second answer: dropped and counted.
        if self
            .attempts
            .get(&attempt)
            .is_none_or(|known| known.worker != worker)
        {
            self.counters.stale_answers += 1;
            return;
        }
        let known = self.attempts.remove(&attempt).expect("it was just seen");
        let slot = &mut self.slots[index];
        slot.finished(now, attempt);
        slot.served += 1;
        match known.request {
            Some(request) => {
                let known = self
                    .requests
                    .remove(&request)
                    .expect("an attempt's request is known");
                if known.on_trial {
                    self.poisons.proved_harmless(request);
                }
                self.counters.answered += 1;
                self.counters.answered_after_replay += u64::from(known.attempts > 1);
                effects.push(Effect::Deliver {
                    request,
                    payload: known.payload,
                    attempts: known.attempts,
                });
            }
            None => self.counters.stale_answers += 1,
        }
        self.after_attempt(now, index, effects);
    }

    /// A worker has one attempt less: perhaps it is time for it to go.
    pub(super) fn after_attempt(
        &mut self,
        now: Instant,
        index: usize,
        effects: &mut Vec<Effect<P>>,
    ) {
        if self.slots[index].condemned {
            self.kill_condemned(now, index, effects);
        } else {
            if self.slots[index].running.is_empty() {
                self.wake_at(now + self.settings.idle);
            }
            self.recycle_if_due(now, index, effects);
        }
    }

    pub(super) fn effect_requested(
        &mut self,
        now: Instant,
        worker: WorkerId,
        attempt: AttemptId,
        is_on_record: bool,
        effects: &mut Vec<Effect<P>>,
    ) {
        // What was granted stays so: it may have happened.
        let to_record = |request: &Request<P>| !is_on_record && !request.effect_granted;
        match self.permitted(now, worker, attempt) {
            Some(request) if to_record(request) => {
                effects.push(Effect::RecordEffect { worker, attempt });
            }
            _ => self.effect_recorded(now, worker, attempt, effects),
        }
    }

    /// Nothing stands in the way of the effect but what has happened since it was asked for.
    pub(super) fn effect_recorded(
        &mut self,
        now: Instant,
        worker: WorkerId,
        attempt: AttemptId,
        effects: &mut Vec<Effect<P>>,
    ) {
        if self.current(worker).is_none() {
            return;
        }
        let granted = match self.permitted(now, worker, attempt) {
            Some(request) => {
                request.effect_granted = true;
                self.counters.effects_granted += 1;
                true
            }
            None => {
                self.counters.effects_refused += 1;
                false
            }
        };
        effects.push(Effect::AnswerEffect {
            worker,
            attempt,
            granted,
        });
    }

    /// The request whose effect the attempt may have now.
    fn permitted(
        &mut self,
        now: Instant,
        worker: WorkerId,
        attempt: AttemptId,
    ) -> Option<&mut Request<P>> {
        // A worker that is being killed gets no leave: a replay would be lost by it and nothing won.
        let index = self.current(worker)?;
        let known = self.attempts.get(&attempt)?;
        let in_time = !known.expired && now < known.deadline;
        let request = known
            .request
            .filter(|_| self.slots[index].is_ready() && known.worker == worker && in_time)?;
        let request = self.requests.get_mut(&request);
        let request = request.expect("an attempt's request is known");
        (!request.cancelled).then_some(request)
    }

    /// A sign of life starts the attempt's time anew, within the caller's deadline.
    pub(super) fn progressed(&mut self, now: Instant, worker: WorkerId, attempt: AttemptId) {
        let Some(known) = self.attempts.get_mut(&attempt) else {
            return;
        };
        if known.worker != worker || known.expired {
            return;
        }
        if let Some(request) = known
            .request
            .and_then(|request| self.requests.get(&request))
            && !request.cancelled
        {
            // While the client thinks, only the client's own deadline counts: nobody's worker hangs.
            known.deadline = match known.asking {
                0 => request.deadline.min(now + request.attempt_timeout),
                _ => request.deadline,
            };
        }
    }

    pub(super) fn client_asked(&mut self, now: Instant, worker: WorkerId, attempt: AttemptId) {
        self.asking(worker, attempt, |asking| asking.saturating_add(1));
        self.progressed(now, worker, attempt);
    }

    /// The attempt has its time anew: what passed was the client's.
    pub(super) fn client_answered(&mut self, now: Instant, worker: WorkerId, attempt: AttemptId) {
        self.asking(worker, attempt, |asking| asking.saturating_sub(1));
        self.progressed(now, worker, attempt);
        // The deadline may be earlier than the one that is waited for.
        if let Some(known) = self.attempts.get(&attempt) {
            self.wake_at(known.deadline);
        }
    }

    fn asking(&mut self, worker: WorkerId, attempt: AttemptId, count: impl Fn(u32) -> u32) {
        if let Some(known) = self.attempts.get_mut(&attempt)
            && known.worker == worker
        {
            known.asking = count(known.asking);
        }
    }

    pub(super) fn protocol_violated(
        &mut self,
        now: Instant,
        worker: WorkerId,
        effects: &mut Vec<Effect<P>>,
    ) {
        if let Some(index) = self.current(worker) {
            self.kill(now, index, KillReason::ProtocolViolation, effects);
        }
    }
}

#[cfg(test)]
mod tests;
