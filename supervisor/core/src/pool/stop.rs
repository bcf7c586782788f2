//! The end of a pool: nothing new, finish what runs, then end the workers.

use std::time::Instant;

use super::{Effect, EndRule, Mode, PoolCore, request::Phase, slot::Life};
use crate::KillReason;

impl<P> PoolCore<P> {
    pub(super) fn stop(&mut self, deadline: Instant) {
        if self.mode != Mode::Stopped {
            self.mode = Mode::Stopping { deadline };
            self.end_reload();
        }
    }

    /// Whether a stop has run out of time.
    pub(super) fn is_out_of_time(&self, now: Instant) -> bool {
        matches!(self.mode, Mode::Stopping { deadline } if now >= deadline)
    }

    /// Called after every event: moves a stop on.
    pub(super) fn finish_stop(&mut self, now: Instant, effects: &mut Vec<Effect<P>>) {
        let Mode::Stopping { deadline } = self.mode else {
            return;
        };
        let out_of_time = self.is_out_of_time(now);
        if !out_of_time {
            self.wake_at(deadline);
        }
        // Nothing more will be started, so what waits with no worker left would wait in vain.
        let nobody_left = self.slots.iter().all(|slot| {
            matches!(
                slot.life,
                Life::Empty { .. } | Life::Draining { .. } | Life::Dying { .. }
            )
        });
        if out_of_time || nobody_left {
            self.fail_waiting(EndRule::StoppedInQueue, effects);
        }
        if out_of_time {
            self.fail_running(effects);
        }
        for index in 0..self.slots.len() {
            match self.slots[index].life {
                Life::Starting { .. } if self.queue.is_empty() || out_of_time => {
                    self.kill(now, index, KillReason::Stopping, effects);
                }
                Life::Ready | Life::Draining { .. } if out_of_time => {
                    self.kill(now, index, KillReason::Stopping, effects);
                }
                Life::Ready if self.slots[index].running.is_empty() && self.queue.is_empty() => {
                    self.drain(now, index, effects);
                }
                _ => {}
            }
        }
        if self.slots.iter().all(super::slot::Slot::is_empty) {
            assert!(self.attempts.is_empty(), "an attempt runs in a worker");
            self.mode = Mode::Stopped;
            effects.push(Effect::Stopped);
        }
    }

    fn fail_running(&mut self, effects: &mut Vec<Effect<P>>) {
        let mut running: Vec<_> = self
            .requests
            .iter()
            .filter_map(|(id, request)| match request.phase {
                Phase::Running(attempt) => Some((*id, attempt)),
                Phase::Waiting { .. } => None,
            })
            .collect();
        running.sort_unstable();
        for (request, attempt) in running {
            self.attempts
                .get_mut(&attempt)
                .expect("a running request has an attempt")
                .request = None;
            self.fail(request, EndRule::StoppedInWorker, effects);
        }
    }
}

#[cfg(test)]
mod tests;
