//! How many workers there should be, and which of them should go.

use std::time::{Duration, Instant};

use super::{
    Effect, Mode, PoolCore,
    settings::{BACKOFF_MAX, SCALE_UP_AGE, STARTING_MAX},
    slot::{Life, Slot},
};
use crate::{KillReason, WorkerId};

impl<P> PoolCore<P> {
    /// Starts what is missing. Called after every event, so it is cheap when nothing is.
    pub(super) fn fill(&mut self, now: Instant, effects: &mut Vec<Effect<P>>) {
        if self.mode != Mode::Serving {
            return;
        }
        let mut live = self
            .slots
            .iter()
            .filter(|slot| slot.is_usable() || slot.is_starting())
            .count();
        let mut starting = self.slots.iter().filter(|slot| slot.is_starting()).count();
        let target = self.target(now) + self.surge();
        let mut lacks_trial = self.lacks_trial();
        if self.wanted || !self.queue.is_empty() {
            self.shorten_backoff(now);
        }
        let starting_max = if self.breaker.is_open() {
            1
        } else {
            STARTING_MAX
        };
        while (live < target || lacks_trial) && starting < starting_max {
            if let Some(probe_at) = self.breaker.probe_at()
                && probe_at > now
            {
                self.wake_at(probe_at);
                return;
            }
            let Some((index, start_at)) = self.next_empty() else {
                return;
            };
            if start_at.is_some_and(|at| at > now) && !self.breaker.is_open() {
                self.wake_at(start_at.expect("it was just seen"));
                return;
            }
            let deadline = now + self.settings.start_timeout;
            let worker = self.slots[index].begin(now, deadline);
            self.counters.starts += 1;
            self.wake_at(deadline);
            effects.push(Effect::StartWorker(worker));
            lacks_trial = false;
            live += 1;
            starting += 1;
        }
    }

    /// Somebody wants a worker now, even if the pool has given up for a while or keeps none when it is idle.
    pub(super) fn start_requested(&mut self) {
        self.resume();
        let has_one = |slot: &Slot| slot.is_usable() || slot.is_starting();
        if self.mode != Mode::Serving || self.slots.iter().any(has_one) {
            return;
        }
        self.wanted = true;
        self.breaker.probe_now();
        if let Some((index, _)) = self.next_empty() {
            self.slots[index].life = Life::Empty { start_at: None };
        }
    }

    /// Somebody waits: neither a slot nor the pool keeps a long pause.
    fn shorten_backoff(&mut self, now: Instant) {
        self.breaker.probe_before(now + BACKOFF_MAX.1);
        for slot in &mut self.slots {
            if let Life::Empty { start_at: Some(at) } = &mut slot.life {
                *at = (*at).min(now + BACKOFF_MAX.1);
            }
        }
    }

    /// How many workers there should be now.
    pub(super) fn target(&mut self, now: Instant) -> usize {
        let mut demand = self
            .slots
            .iter()
            .filter(|slot| slot.is_ready() && !slot.running.is_empty())
            .count();
        if let Some(since) = self.queue.busy_since() {
            if now >= since + SCALE_UP_AGE || !self.slots.iter().any(Slot::is_ready) {
                demand += self.queue.len();
            } else {
                self.wake_at(since + SCALE_UP_AGE);
            }
        }
        let (min, max) = (
            self.settings.workers_min as usize,
            self.settings.workers_max as usize,
        );
        let target = demand.min(max).max(min) + self.settings.spare as usize;
        // A degraded pool goes on trying though nobody can wait for it, or one that keeps no worker would never recover.
        let least = usize::from(self.wanted || self.breaker.is_open());
        target.max(least)
    }

    /// The empty slot that may be filled first.
    pub(super) fn next_empty(&self) -> Option<(usize, Option<Instant>)> {
        let empty = self
            .slots
            .iter()
            .enumerate()
            .filter_map(|(index, slot)| match slot.life {
                Life::Empty { start_at } => Some((start_at, index)),
                _ => None,
            });
        let mut empty: Vec<_> = empty.collect();
        empty.sort_unstable();
        // Outside of a reload so many stay empty. They are not to be a way around the pause of the others, so they count
        // as those that may be filled first.
        let kept_empty = match self.reload {
            Some(_) => 0,
            None => self.slots.len() - self.settings.places() as usize,
        };
        let (start_at, index) = *empty.get(kept_empty)?;
        let index = if start_at.is_none() {
            empty[0].1
        } else {
            index
        };
        Some((index, start_at))
    }

    /// Ends idle workers that nobody has needed for a while. Called when time passes.
    pub(super) fn end_idle(&mut self, now: Instant, effects: &mut Vec<Effect<P>>) {
        let target = self.target(now);
        let mut live = self.slots.iter().filter(|slot| slot.is_usable()).count();
        for index in (0..self.slots.len()).rev() {
            if live <= target {
                return;
            }
            let slot = &self.slots[index];
            if !slot.is_idle() || slot.reserved {
                continue;
            }
            let end_at = slot.idle_since + self.settings.idle;
            if now >= end_at {
                self.drain(now, index, effects);
                live -= 1;
            } else {
                self.wake_at(end_at);
            }
        }
    }

    /// Asks a worker to end. It gets nothing new.
    pub(super) fn drain(&mut self, now: Instant, index: usize, effects: &mut Vec<Effect<P>>) {
        let deadline = now + self.settings.stop_timeout;
        let slot = &mut self.slots[index];
        slot.life = Life::Draining { deadline };
        effects.push(Effect::Drain(slot.worker));
        self.wake_at(deadline);
    }

    /// Draws when this worker is to be replaced, up to a tenth later than set, so that a pool's workers are not
    /// all replaced at once.
    pub(super) fn plan_recycling(&mut self, now: Instant, index: usize) {
        let requests = self
            .settings
            .recycle_requests
            .map(|max| max + self.random.below(max / 10 + 1));
        let age = self.settings.recycle_age.map(|age| {
            let jitter = self.random.below(age.as_millis() as u64 / 10 + 1);
            now + age + Duration::from_millis(jitter)
        });
        let slot = &mut self.slots[index];
        slot.serve_max = requests;
        slot.retire_at = age;
        if let Some(age) = age {
            self.wake_at(age);
        }
    }

    /// One that is due takes nothing new, or with several requests at a time it would never be idle; and goes when
    /// it is.
    pub(super) fn recycle_if_due(
        &mut self,
        now: Instant,
        index: usize,
        effects: &mut Vec<Effect<P>>,
    ) {
        let slot = &mut self.slots[index];
        if !slot.is_ready() {
            return;
        }
        slot.retire |= slot.serve_max.is_some_and(|max| slot.served >= max)
            || slot.retire_at.is_some_and(|at| now >= at);
        if slot.retire && slot.is_idle() {
            self.drain(now, index, effects);
        }
    }

    /// Retires what is due. Called when time passes.
    pub(super) fn end_due(&mut self, now: Instant, effects: &mut Vec<Effect<P>>) {
        for index in 0..self.slots.len() {
            self.recycle_if_due(now, index, effects);
            if let Some(at) = self.slots[index].retire_at
                && at > now
                && self.slots[index].is_ready()
            {
                self.wake_at(at);
            }
        }
    }

    /// A worker that has grown too large goes at its next idle moment.
    pub(super) fn memory_measured(
        &mut self,
        now: Instant,
        worker: WorkerId,
        rss: u64,
        effects: &mut Vec<Effect<P>>,
    ) {
        let too_much = self.settings.recycle_rss.is_some_and(|max| rss > max);
        if !too_much {
            return;
        }
        if let Some(index) = self.current(worker)
            && self.slots[index].is_ready()
        {
            self.slots[index].retire = true;
            self.recycle_if_due(now, index, effects);
        }
    }

    /// Kills a worker that ran past a deadline, once nobody innocent is left in it.
    pub(super) fn kill_condemned(
        &mut self,
        now: Instant,
        index: usize,
        effects: &mut Vec<Effect<P>>,
    ) {
        let innocent = self.slots[index]
            .running
            .iter()
            .any(|attempt| !self.attempts[attempt].expired);
        if !innocent {
            self.kill(now, index, KillReason::Deadline, effects);
        }
    }
}

#[cfg(test)]
mod tests;
