//! What has ended one worker after the other is known for a while, so that a program that asks the same again and again
//! does not end worker after worker.
//!
//! It is no verdict for ever: the same bytes may be harmless once a database is back or a bug is mended. So after a pause
//! one is tried, alone. If it is answered the memory goes; if it ends its worker that is enough, and the pause doubles.

use std::time::{Duration, Instant};

use super::settings::{POISON_FORGOTTEN_AFTER, POISON_PAUSE, POISONS_MAX};
use crate::{Fingerprint, RequestId};

/// What becomes of a request that is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suspicion {
    /// Nothing is known against it.
    None,
    /// The same has ended too many workers; it may be tried after so long.
    Refused(Duration),
    /// It is tried: alone, and one death is enough.
    OnTrial,
}

/// Poisoned requests of the last minutes.
#[derive(Debug, Default)]
pub(super) struct Poisons {
    known: Vec<Poison>,
}

#[derive(Debug)]
struct Poison {
    fingerprint: Fingerprint,
    last_death: Instant,
    pause: Duration,
    /// The one that is tried.
    trial: Option<RequestId>,
}

impl Poisons {
    /// Nothing is known against anybody, which is so nearly always.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// A request is asked.
    pub(super) fn asked(
        &mut self,
        now: Instant,
        request: RequestId,
        fingerprint: Fingerprint,
    ) -> Suspicion {
        self.known
            .retain(|poison| now < poison.last_death + POISON_FORGOTTEN_AFTER);
        let same = |poison: &&mut Poison| poison.fingerprint == fingerprint;
        let Some(poison) = self.known.iter_mut().find(same) else {
            return Suspicion::None;
        };
        if poison.trial.is_some() {
            return Suspicion::Refused(POISON_PAUSE);
        }
        let wait = (poison.last_death + poison.pause).saturating_duration_since(now);
        if !wait.is_zero() {
            return Suspicion::Refused(wait);
        }
        poison.trial = Some(request);
        Suspicion::OnTrial
    }

    /// A request has ended too many workers, or the one on trial another one.
    pub(super) fn proved_deadly(&mut self, now: Instant, fingerprint: Fingerprint) {
        let same = |poison: &Poison| poison.fingerprint == fingerprint;
        let pause = match self.known.iter().position(same) {
            Some(index) => {
                let poison = self.known.remove(index);
                // Beyond the time after which it is forgotten a pause would have no end.
                (poison.pause * 2).min(POISON_FORGOTTEN_AFTER / 2)
            }
            None => POISON_PAUSE,
        };
        if self.known.len() == POISONS_MAX {
            self.known.remove(0);
        }
        self.known.push(Poison {
            fingerprint,
            last_death: now,
            pause,
            trial: None,
        });
    }

    /// The one on trial was answered.
    pub(super) fn proved_harmless(&mut self, request: RequestId) {
        self.known.retain(|poison| poison.trial != Some(request));
    }

    /// The one on trial ended without a proof; the next one is tried.
    pub(super) fn proved_nothing(&mut self, request: RequestId) {
        let on_trial = |poison: &&mut Poison| poison.trial == Some(request);
        if let Some(poison) = self.known.iter_mut().find(on_trial) {
            poison.trial = None;
        }
    }
}

#[cfg(test)]
mod tests;
