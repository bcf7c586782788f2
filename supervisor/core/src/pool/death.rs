//! A worker is dead: what that means for its requests, its slot and the pool.

use std::time::{Duration, Instant};

use super::{
    Effect, EndRule, Mode, PoolCore,
    incident::Crash,
    request::{Death, Phase, Verdict},
    settings::{BACKOFF_FIRST, BACKOFF_MAX, HEALTHY_AFTER, KILL_AGAIN_AFTER},
    slot::Life,
};
use crate::{AttemptId, Cause, KillReason, RequestId, WorkerId};

/// What we did ourselves is known better here than an exit status can tell.
fn known_cause(life: Life, cause: Cause) -> Cause {
    match life {
        Life::Dying { reason, .. } => Cause::KilledByUs(reason),
        Life::Draining { .. } if !cause.is_crash() || cause == Cause::Exited(0) => {
            Cause::KilledByUs(KillReason::Retired)
        }
        _ => cause,
    }
}

impl<P> PoolCore<P> {
    /// Why a worker that has exited this way really died: our own kills are not taken for a stranger's. Ask before
    /// the exit is handed in.
    #[must_use]
    pub fn cause_of_death(&self, worker: WorkerId, cause: Cause) -> Cause {
        self.current(worker)
            .map_or(cause, |index| known_cause(self.slots[index].life, cause))
    }

    /// Orders a kill. The worker counts as alive until its death is reported, so nothing is replayed before.
    pub(super) fn kill(
        &mut self,
        now: Instant,
        index: usize,
        reason: KillReason,
        effects: &mut Vec<Effect<P>>,
    ) {
        let slot = &mut self.slots[index];
        if matches!(slot.life, Life::Dying { .. } | Life::Empty { .. }) {
            return;
        }
        let again_at = now + KILL_AGAIN_AFTER;
        slot.life = Life::Dying { reason, again_at };
        effects.push(Effect::Kill {
            worker: slot.worker,
            reason,
        });
        self.wake_at(again_at);
    }

    pub(super) fn worker_exited(
        &mut self,
        now: Instant,
        worker: WorkerId,
        cause: Cause,
        unsent: &[AttemptId],
        effects: &mut Vec<Effect<P>>,
    ) {
        let Some(index) = self.current(worker) else {
            return;
        };
        let slot = &mut self.slots[index];
        let running = std::mem::take(&mut slot.running);
        let (was_alone, was_only_one) = (slot.alone, running.len() == 1);
        let (was_ready, served) = (slot.ready_since.is_some(), slot.served > 0);
        let was_leaving = matches!(slot.life, Life::Draining { .. });
        let cause = known_cause(slot.life, cause);
        self.counters.deaths += u64::from(!cause.was_meant());
        // However one ends that was asked to end: nothing was wrong with its slot.
        let was_meant = was_leaving || cause.was_meant();
        self.settle_slot(now, index, cause, was_meant, effects);
        // With several in flight nobody can say which of them it was.
        let culprit = match running[..] {
            [only] if !unsent.contains(&only) => self.request_of(only),
            _ => None,
        };
        for attempt in running {
            let death_of = |expired| Death {
                cause,
                expired,
                was_only_one,
                unsent: unsent.contains(&attempt),
            };
            self.settle_attempt(now, worker, attempt, death_of, effects);
        }
        // A worker that was never ready is the breaker's business.
        if cause.is_crash() && was_ready && !was_meant {
            let crash = Crash {
                slot: index,
                culprit,
                // Where nobody was blamed there is nothing to take back.
                was_alone: was_alone || cause.is_perhaps_a_strangers(),
                served,
            };
            self.note_incident(now, crash, effects);
        }
    }

    fn settle_attempt(
        &mut self,
        now: Instant,
        worker: WorkerId,
        attempt: AttemptId,
        death_of: impl Fn(bool) -> Death,
        effects: &mut Vec<Effect<P>>,
    ) {
        let known = self
            .attempts
            .remove(&attempt)
            .expect("what runs in a slot is an attempt");
        let Some(request_id) = known.request else {
            return;
        };
        let request = self
            .requests
            .get_mut(&request_id)
            .expect("an attempt's request is known");
        let death = death_of(known.expired);
        match request.judge(death) {
            Verdict::End(rule) => {
                // A hang has its reason in the world outside more often than in what was asked.
                let deadly = matches!(rule, EndRule::Deadly | EndRule::DeadlyAgain);
                if deadly && death.cause.is_crash() {
                    let fingerprint = (self.fingerprint)(&request.payload);
                    self.poisons.proved_deadly(now, fingerprint);
                }
                self.fail(request_id, rule, effects);
            }
            Verdict::Replay(_) if !request.leaves_room(now) => {
                self.fail(request_id, EndRule::NoRoom, effects);
            }
            Verdict::Replay(rule) => {
                request.phase = Phase::Waiting { since: now };
                self.queue
                    .push_replay(now, request_id, request.suspect, request.weight());
                let deadline = request.deadline;
                self.counters.replayed += 1;
                self.wake_at(deadline);
                effects.push(Effect::Replayed {
                    request: request_id,
                    worker,
                    cause: death.cause,
                    rule,
                });
            }
        }
    }

    /// Empties the slot and says when it may be filled again.
    fn settle_slot(
        &mut self,
        now: Instant,
        index: usize,
        cause: Cause,
        was_meant: bool,
        effects: &mut Vec<Effect<P>>,
    ) {
        let slot = &mut self.slots[index];
        slot.alone = false;
        slot.reserved = false;
        let started = slot.ready_since.is_some();
        let served = slot.served > 0;
        let long_lived = slot
            .ready_since
            .is_some_and(|since| now - since >= HEALTHY_AFTER);
        let strangers_choice = matches!(cause, Cause::KilledByStranger(_));
        if was_meant || (served && (long_lived || strangers_choice)) {
            slot.failures = 0;
        } else if !(started && strangers_choice) {
            slot.failures += 1;
        }
        let delay = self.backoff(index);
        self.slots[index].life = Life::Empty {
            start_at: Some(now + delay),
        };
        if !started && !was_meant {
            self.wanted = false;
            self.reload_met_failure(index, effects);
            self.start_failed(now, strangers_choice, effects);
        }
    }

    /// Exponential with full jitter: the first restart is at once, the next within 100 ms, then twice as long each
    /// time (Brooker, "Exponential Backoff And Jitter", 2015). Somebody who waits shortens the longest pause.
    fn backoff(&mut self, index: usize) -> Duration {
        let failures = self.slots[index].failures;
        if failures <= 1 {
            return Duration::ZERO;
        }
        let longest = if self.queue.is_empty() {
            BACKOFF_MAX.0
        } else {
            BACKOFF_MAX.1
        };
        let factor = 1u32 << (failures - 2).min(16);
        let bound = BACKOFF_FIRST.saturating_mul(factor).min(longest);
        Duration::from_micros(self.random.below(bound.as_micros() as u64 + 1))
    }

    /// A worker that could not start. After a few in a row, with nobody ready, the pool is degraded and says so.
    fn start_failed(&mut self, now: Instant, by_stranger: bool, effects: &mut Vec<Effect<P>>) {
        let was_open = self.breaker.is_open();
        let somebody_ready = self.slots.iter().any(super::slot::Slot::is_usable);
        self.breaker.start_failed(now, by_stranger, somebody_ready);
        if !self.breaker.is_open() {
            return;
        }
        if !was_open {
            effects.push(Effect::DegradedChanged(true));
        }
        if self.mode == Mode::Serving {
            self.fail_waiting(EndRule::NoWorkers, effects);
        }
    }

    /// Answers everything that waits.
    pub(super) fn fail_waiting(&mut self, rule: EndRule, effects: &mut Vec<Effect<P>>) {
        let waiting = self
            .requests
            .iter()
            .filter(|(_, request)| matches!(request.phase, Phase::Waiting { .. }));
        let mut waiting: Vec<RequestId> = waiting.map(|(id, _)| *id).collect();
        waiting.sort_unstable();
        for request in waiting {
            let known = &self.requests[&request];
            let (session, weight) = (known.session, known.weight());
            self.queue.remove(session, request, weight);
            self.fail(request, rule, effects);
        }
    }

    /// Several deaths in a blink are one incident: whoever was blamed for them is acquitted, and the slots may be
    /// filled at once.
    fn note_incident(&mut self, now: Instant, crash: Crash, effects: &mut Vec<Effect<P>>) {
        let alive = self.slots.iter().filter(|slot| slot.is_usable()).count();
        let Some(incident) = self.incidents.note(now, crash, alive) else {
            return;
        };
        for request in incident.acquitted {
            if let Some(request) = self.requests.get_mut(&request) {
                request.blamed = request.blamed.saturating_sub(1);
            }
        }
        for index in incident.pardoned {
            let slot = &mut self.slots[index];
            slot.failures = slot.failures.saturating_sub(1);
            if let Life::Empty { start_at: Some(at) } = &mut slot.life {
                *at = (*at).min(now);
            }
        }
        self.counters.incidents += u64::from(incident.is_new);
        effects.push(Effect::Incident {
            deaths: incident.deaths,
        });
    }
}

#[cfg(test)]
mod tests;
