//! A request meets a worker, at the last moment; and what the worker then says.

use std::time::Instant;

use super::{
    Effect, Mode, PoolCore,
    request::{Attempt, Phase},
    slot::Life,
};
use crate::{AttemptId, KillReason, RequestId, WorkerId};

impl<P> PoolCore<P> {
    /// Brings waiting requests and free workers together until one of them runs out.
    pub(super) fn dispatch(&mut self, now: Instant, effects: &mut Vec<Effect<P>>) {
        while !self.queue.is_empty() {
            let sent = self.dispatch_suspect(now, effects) || self.dispatch_ordinary(now, effects);
            if !sent {
                return;
            }
        }
    }

    fn dispatch_suspect(&mut self, now: Instant, effects: &mut Vec<Effect<P>>) -> bool {
        if !self.queue.has_suspects() {
            return false;
        }
        // A reserved slot that has become idle first: it was emptied for this.
        let idle = self
            .slots
            .iter()
            .filter(|slot| slot.is_idle() && slot.is_usable());
        let Some(index) = idle
            .max_by_key(|slot| slot.reserved)
            .map(|slot| slot.worker.slot.0 as usize)
        else {
            self.reserve_for_suspect();
            return false;
        };
        let request = self.queue.pop_suspect().expect("has_suspects said so");
        self.slots[index].alone = true;
        self.slots[index].reserved = false;
        self.send(now, request, index, effects);
        true
    }

    /// Where workers take several requests at a time, none might ever be idle: one stops taking new ones.
    fn reserve_for_suspect(&mut self) {
        if self
            .slots
            .iter()
            .any(|slot| slot.reserved && slot.is_usable())
        {
            return;
        }
        let candidates = self
            .slots
            .iter_mut()
            .filter(|slot| slot.is_usable() && !slot.alone);
        if let Some(slot) = candidates.min_by_key(|slot| slot.running.len()) {
            slot.reserved = true;
        }
    }

    fn dispatch_ordinary(&mut self, now: Instant, effects: &mut Vec<Effect<P>>) -> bool {
        if !self.queue.has_ordinary() {
            return false;
        }
        let Some(index) = self.free_slot() else {
            return false;
        };
        let request = self.queue.pop_ordinary().expect("has_ordinary said so");
        self.send(now, request, index, effects);
        true
    }

    /// The least loaded worker that may serve. An idle one beyond `workers_max` is a spare and left alone.
    fn free_slot(&self) -> Option<usize> {
        let mut serving = 0;
        let mut best: Option<(usize, usize)> = None;
        for (index, slot) in self.slots.iter().enumerate() {
            let load = slot.running.len();
            serving += u32::from(slot.is_ready() && load > 0 && !slot.alone);
            if slot.has_room() && best.is_none_or(|(_, least)| load < least) {
                best = Some((index, load));
            }
        }
        let (index, load) = best?;
        if load > 0 || serving < self.settings.workers_max {
            return Some(index);
        }
        // Every serving place is taken; only a worker that serves already may take one more.
        let busy = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.has_room() && !slot.running.is_empty());
        busy.min_by_key(|(_, slot)| slot.running.len())
            .map(|(index, _)| index)
    }

    fn send(
        &mut self,
        now: Instant,
        request: RequestId,
        index: usize,
        effects: &mut Vec<Effect<P>>,
    ) {
        self.last_attempt += 1;
        let attempt = AttemptId(self.last_attempt);
        let known = self
            .requests
            .get_mut(&request)
            .expect("what waits is known");
        known.phase = Phase::Running(attempt);
        known.attempts += 1;
        self.queue.left(known.size);
        let deadline = known.deadline.min(now + known.attempt_timeout);
        let slot = &mut self.slots[index];
        slot.running.push(attempt);
        let worker = slot.worker;
        self.attempts.insert(
            attempt,
            Attempt {
                request: Some(request),
                worker,
                deadline,
                expired: false,
            },
        );
        self.counters.sent += 1;
        effects.push(Effect::Send {
            worker,
            request,
            attempt,
            number: known.attempts,
            timeout: deadline.saturating_duration_since(now),
        });
        self.wake_at(deadline);
    }

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
        slot.concurrency = concurrency.clamp(1, self.settings.concurrency_max);
        self.plan_recycling(now, index);
        if self.breaker.started() {
            effects.push(Effect::DegradedChanged(false));
        }
        if matches!(self.mode, Mode::Stopping { .. }) {
            self.drain(now, index, effects);
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
        let slot = &self.slots[index];
        if slot.condemned {
            self.kill_condemned(now, index, effects);
        } else if slot.running.is_empty() && self.is_due_for_recycling(now, index) {
            self.drain(now, index, effects);
        }
    }

    pub(super) fn effect_requested(
        &mut self,
        now: Instant,
        worker: WorkerId,
        attempt: AttemptId,
        effects: &mut Vec<Effect<P>>,
    ) {
        if self.current(worker).is_none() {
            return;
        }
        let mut granted = false;
        if let Some(known) = self.attempts.get(&attempt)
            && known.worker == worker
            && !known.expired
            && now < known.deadline
            && let Some(request) = known.request
        {
            let request = self
                .requests
                .get_mut(&request)
                .expect("an attempt's request is known");
            if !request.cancelled {
                request.effect_granted = true;
                granted = true;
                self.counters.effects_granted += 1;
            }
        }
        if !granted {
            self.counters.effects_refused += 1;
        }
        effects.push(Effect::AnswerEffect {
            worker,
            attempt,
            granted,
        });
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
            known.deadline = request.deadline.min(now + request.attempt_timeout);
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
