//! A request meets a worker, at the last moment.

use std::time::Instant;

use super::{
    Effect, EndRule, PoolCore,
    request::{Attempt, Phase},
};
use crate::{AttemptId, RequestId};

impl<P> PoolCore<P> {
    /// Brings waiting requests and free workers together until one of them runs out.
    pub(super) fn dispatch(&mut self, now: Instant, effects: &mut Vec<Effect<P>>) {
        // What is sent after the end of a stop would be taken back in the same breath.
        if self.is_out_of_time(now) {
            return;
        }
        self.release_reserved();
        while !self.queue.is_empty() {
            let moved = self.dispatch_suspect(now, effects) || self.dispatch_ordinary(now, effects);
            if !moved {
                return;
            }
            self.release_reserved();
        }
    }

    /// A place kept for a suspect that was served elsewhere, or is gone, takes ordinary requests again.
    fn release_reserved(&mut self) {
        if !self.queue.has_suspects() {
            self.slots.iter_mut().for_each(|slot| slot.reserved = false);
        }
    }

    /// True: one request less waits.
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
        if self.fail_late(now, request, effects) {
            return true;
        }
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
        if !self.fail_late(now, request, effects) {
            self.send(now, request, index, effects);
        }
        true
    }

    /// Timers are late now and then. A request whose time was up before it met a worker is not begun: that would
    /// cost the worker its life, and the caller the certainty that nothing happened.
    fn fail_late(
        &mut self,
        now: Instant,
        request: RequestId,
        effects: &mut Vec<Effect<P>>,
    ) -> bool {
        let known = &self.requests[&request];
        if known.leaves_room(now) {
            return false;
        }
        self.queue.left(known.weight());
        self.fail(request, EndRule::LateInQueue, effects);
        true
    }

    /// The least loaded worker that may serve. An idle one beyond `workers_max` is a spare and left alone; one that is
    /// on its way out holds no place, so that a spare steps in for it.
    fn free_slot(&self) -> Option<usize> {
        let mut serving = 0;
        let mut best: Option<(usize, usize)> = None;
        for (index, slot) in self.slots.iter().enumerate() {
            let load = slot.running.len();
            serving += u32::from(slot.is_usable() && load > 0 && !slot.alone);
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
        self.queue.left(known.weight());
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
                asking: 0,
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
}

#[cfg(test)]
mod tests;
