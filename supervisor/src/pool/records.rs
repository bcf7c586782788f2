//! What an administrator wants to know afterwards: who died, when, why, and what it cost. Bounded.

use std::{collections::VecDeque, time::Instant};

use rustc_hash::FxHashMap;
use standin_core::{AttemptId, Cause, WorkerId};

/// Deaths that are remembered.
const DEATHS_KEPT: usize = 20;

/// One worker's end.
#[derive(Debug, Clone)]
pub(super) struct Death {
    pub(super) at: Instant,
    pub(super) worker: WorkerId,
    pub(super) pid: Option<u32>,
    pub(super) cause: Cause,
    pub(super) replayed: u32,
    pub(super) lost: u32,
}

/// The memory of a pool.
#[derive(Debug, Default)]
pub(super) struct Records {
    deaths: VecDeque<Death>,
    /// What the last worker that failed had printed.
    last_lines: Vec<String>,
    /// `effect.begin` requests of workers that have no answer yet, by attempt. Whoever asks twice is answered twice.
    effect_msgids: FxHashMap<(WorkerId, AttemptId), Vec<u64>>,
}

impl Records {
    pub(super) fn died(&mut self, death: Death, last_lines: Vec<String>) {
        self.effect_msgids
            .retain(|(worker, _), _| *worker != death.worker);
        if self.deaths.len() == DEATHS_KEPT {
            self.deaths.pop_front();
        }
        self.deaths.push_back(death);
        self.last_lines = last_lines;
    }

    pub(super) fn replayed(&mut self, worker: WorkerId) {
        if let Some(death) = self
            .deaths
            .iter_mut()
            .rev()
            .find(|death| death.worker == worker)
        {
            death.replayed += 1;
        }
    }

    pub(super) fn lost(&mut self, worker: WorkerId, lost: u32) {
        if let Some(death) = self
            .deaths
            .iter_mut()
            .rev()
            .find(|death| death.worker == worker)
        {
            death.lost = lost;
        }
    }

    pub(super) fn deaths(&self) -> impl Iterator<Item = &Death> {
        self.deaths.iter()
    }

    pub(super) fn last_death(&self) -> Option<&Death> {
        self.deaths.back()
    }

    pub(super) fn last_lines(&self) -> &[String] {
        &self.last_lines
    }

    /// False when the same is asked already, and the answer is on its way.
    pub(super) fn effect_asked(
        &mut self,
        worker: WorkerId,
        attempt: AttemptId,
        msgid: u64,
    ) -> bool {
        let msgids = self.effect_msgids.entry((worker, attempt)).or_default();
        msgids.push(msgid);
        msgids.len() == 1
    }

    pub(super) fn take_effect_msgids(&mut self, worker: WorkerId, attempt: AttemptId) -> Vec<u64> {
        self.effect_msgids
            .remove(&(worker, attempt))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use standin_core::SlotId;

    use super::*;

    #[test]
    fn who_asks_twice_for_an_effect_is_asked_about_once_and_answered_twice() {
        let worker = WorkerId {
            slot: SlotId(0),
            generation: 1,
        };
        let mut records = Records::default();
        assert!(records.effect_asked(worker, AttemptId(1), 7));
        assert!(!records.effect_asked(worker, AttemptId(1), 8));
        assert!(records.effect_asked(worker, AttemptId(2), 9));
        assert_eq!(records.take_effect_msgids(worker, AttemptId(1)), [7, 8]);
        assert!(records.effect_asked(worker, AttemptId(1), 10));
    }
}
