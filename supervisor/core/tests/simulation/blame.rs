//! Whose fault a death was, as the world saw it. The core's verdicts are held against this.

use std::{collections::BTreeMap, time::Duration};

use standin_core::{AttemptId, Cause, KillReason, RequestId, SlotId, WorkerId};

use crate::{life::Life, world::Running};

/// A crash that was reported in the last moment, and whom it may be blamed on.
#[derive(Debug)]
pub(crate) struct Crash {
    at: Duration,
    slot: SlotId,
    /// The only request that ran there.
    culprit: Option<RequestId>,
    /// It is blamed for this death, and did not run alone.
    excusable: bool,
}

/// What the core takes for one moment.
const BLINK: Duration = Duration::from_millis(100);

impl Life {
    /// A death is about to be reported: what may the requests be blamed for that were running?
    pub(crate) fn note_death(
        &mut self,
        id: WorkerId,
        cause: Cause,
        running: &BTreeMap<AttemptId, Running>,
        unsent: &[AttemptId],
    ) {
        let worker = &self.workers[&id];
        let (ready, ordered, draining) = (worker.ready, worker.kill_ordered, worker.draining);
        let crashed = match ordered {
            Some(reason) => reason == KillReason::ProtocolViolation,
            None => cause.is_crash() && !(draining && cause == Cause::Exited(0)),
        };
        let unclear = crashed && ordered.is_none() && cause.is_perhaps_a_strangers();
        let by_stranger = ordered.is_none() && !draining && !cause.is_crash() || unclear;
        let (mut culprit, mut excusable) = (None, false);
        for (attempt, Running { request, .. }) in running {
            let asked = self.asked(*request);
            if asked.with == Some(*attempt) {
                asked.with = None;
            }
            if unsent.contains(attempt) {
                continue;
            }
            if unclear && running.len() == 1 {
                culprit = Some(*request);
            }
            if crashed && !unclear {
                asked.suspect = true;
                let was_alone = std::mem::replace(&mut asked.perhaps_suspect, true);
                if running.len() == 1 {
                    asked.blamable += 1;
                    culprit = Some(*request);
                    excusable = !was_alone;
                }
            } else if ordered == Some(KillReason::Deadline) {
                // Which of them hung is not told; the others are not blamed.
                asked.blamable += 1;
                asked.perhaps_suspect = true;
            } else if by_stranger {
                asked.strangers += 1;
                asked.perhaps_suspect |= asked.strangers >= 3;
            }
        }
        if crashed && ready && !draining {
            self.note_crash(Crash {
                at: self.now,
                slot: id.slot,
                culprit,
                excusable,
            });
        }
    }

    /// Three crashes in different places within a blink, each with another request, are one incident: nobody's
    /// request is blamed for it.
    fn note_crash(&mut self, crash: Crash) {
        let known = |old: &Crash| {
            old.slot == crash.slot || (old.culprit.is_some() && old.culprit == crash.culprit)
        };
        self.crashes.retain(|old| crash.at - old.at <= BLINK);
        if self.crashes.iter().any(known) {
            return;
        }
        self.crashes.push_back(crash);
        if self.crashes.len() < 3 {
            return;
        }
        for crash in &mut self.crashes {
            if std::mem::take(&mut crash.excusable) {
                let culprit = crash.culprit.expect("only a culprit is excused");
                let asked = self.asked.get_mut(&culprit).expect("it was asked");
                asked.blamable -= 1;
                self.seen.insert("an incident excused a request");
            }
        }
    }
}
