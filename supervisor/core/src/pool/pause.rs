//! A pool that somebody has stopped: it takes nothing, has no workers, and serves again when a worker is asked for.

use std::time::{Duration, Instant};

use super::{Effect, EndRule, Mode, PoolCore, slot::Life};
use crate::KillReason;

/// When whoever is refused may ask again: a person has stopped the pool, and a person starts it.
pub(super) const ASK_AGAIN_AFTER: Duration = Duration::from_secs(30);

impl<P> PoolCore<P> {
    pub(super) fn pause(&mut self) {
        if self.mode == Mode::Serving {
            self.mode = Mode::Paused { is_empty: false };
            self.end_reload();
            self.wanted = false;
        }
    }

    /// Called after every event: what runs is finished in its own time, nothing else is begun.
    pub(super) fn finish_pause(&mut self, now: Instant, effects: &mut Vec<Effect<P>>) {
        let Mode::Paused { is_empty } = self.mode else {
            return;
        };
        self.fail_waiting(EndRule::Paused, effects);
        for index in 0..self.slots.len() {
            match self.slots[index].life {
                Life::Starting { .. } => self.kill(now, index, KillReason::Stopping, effects),
                Life::Ready if self.slots[index].running.is_empty() => {
                    self.drain(now, index, effects);
                }
                _ => {}
            }
        }
        if !is_empty && self.slots.iter().all(super::Slot::is_empty) {
            self.mode = Mode::Paused { is_empty: true };
            effects.push(Effect::Paused);
        }
    }

    /// Somebody wants a worker: the pool serves again.
    pub(super) fn resume(&mut self) {
        if matches!(self.mode, Mode::Paused { .. }) {
            self.mode = Mode::Serving;
        }
    }
}

#[cfg(test)]
mod tests;
