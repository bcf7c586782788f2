//! How a call goes under a key: what its session, its pool and its worker do between "run" and "recorded".

use bytes::Bytes;
use standin_core::{
    ClaimId, Fingerprint, Random,
    keys::{Fate, Release, fate},
    pool::{is_recorded_before_it_begins, is_recorded_before_its_effect},
};
use standin_protocol::{ErrorCode, Outcome, Replay};

use super::store::{Key, Store, Write};

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// In the pool's queue.
    Queued,
    /// An intent or a grant is on its way to the store.
    Recording,
    /// A worker has it. Of anything but `never` it asks for its effect.
    Running,
    /// Its worker did what cannot be undone.
    Effect,
    /// It was answered, and the answer is on its way to the store.
    Answered,
}

/// A call that owns its key.
#[derive(Debug)]
pub(crate) struct Owner {
    pub claim: ClaimId,
    pub key: Key,
    pub payload: Fingerprint,
    pub replay: Replay,
    pub step: Step,
    /// Its session is dead; what is on its way to the store arrives, and nothing more is begun.
    pub is_abandoned: bool,
}

impl Owner {
    /// Its next step. True: it has just had its effect.
    pub(crate) fn go_on(&mut self, random: &mut Random, store: &mut Store) -> bool {
        let refused = random.below(4) == 0;
        match (self.step, self.replay) {
            (Step::Recording | Step::Answered, _) => false,
            (Step::Queued, _) if refused => {
                let code = match random.below(3) {
                    0 => ErrorCode::Cancelled,
                    1 => ErrorCode::DeadlineExceeded,
                    _ => ErrorCode::Overloaded,
                };
                self.answer(store, "refused", Outcome::NotExecuted, Some(code))
            }
            (Step::Queued, replay) if is_recorded_before_it_begins(replay) => self.record(store),
            (Step::Running, Replay::UntilEffect | Replay::Always)
                if is_recorded_before_its_effect(self.replay) =>
            {
                self.record(store)
            }
            (Step::Queued, _) => {
                self.step = Step::Running;
                false
            }
            // A worker may say itself that it did nothing, or die and leave nobody the wiser.
            (Step::Running, _) if random.below(8) == 0 => {
                self.answer(store, "failed", Outcome::NotExecuted, None)
            }
            (Step::Running, _) => {
                self.step = Step::Effect;
                true
            }
            (Step::Effect, _) if random.below(6) == 0 => {
                let lost = Some(ErrorCode::WorkerLost);
                self.answer(store, "lost", Outcome::Unknown, lost)
            }
            (Step::Effect, _) => self.answer(store, "done", Outcome::Executed, None),
        }
    }

    /// Its intent, or the grant of its effect.
    fn record(&mut self, store: &mut Store) -> bool {
        self.step = Step::Recording;
        let (claim, payload) = (self.claim, self.payload);
        store.write(self.key, Write::Begun { claim, payload });
        false
    }

    fn answer(
        &mut self,
        store: &mut Store,
        word: &str,
        outcome: Outcome,
        code: Option<ErrorCode>,
    ) -> bool {
        self.step = Step::Answered;
        // Each run has an answer of its own, so that two runs cannot look like one.
        let answer = Ok(Bytes::from(format!("{word} by {}", self.claim)));
        let (claim, payload) = (self.claim, self.payload);
        let write = match fate(self.replay, outcome, code) {
            Fate::Record => Write::Completion {
                claim,
                payload,
                answer,
            },
            Fate::FreeForAll => Write::Forget {
                claim,
                release: Release::ForAll(answer),
            },
            Fate::FreeForNext => Write::Forget {
                claim,
                release: Release::ForItself,
            },
        };
        store.write(self.key, write);
        false
    }

    /// Its intent or grant is committed. True: it has just had its effect.
    pub(crate) fn recorded(&mut self) -> bool {
        assert_eq!(self.step, Step::Recording);
        match (self.is_abandoned, self.replay) {
            // Nobody waits for it: its attempt is not sent, its effect not granted.
            (true, _) => false,
            (false, Replay::UntilEffect | Replay::Always) => {
                self.step = Step::Effect;
                true
            }
            (false, _) => {
                self.step = Step::Running;
                false
            }
        }
    }
}
