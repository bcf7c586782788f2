//! Whether a request that comes in is taken: new, sent again, answered before, or one too many.

use super::{Found, ItemResult, Origin, SessionCore};
use crate::Fingerprint;

/// Whether a request is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It is new: answer it, once.
    New,
    /// It is open already: it was sent again, and the answer to the first one answers both.
    Duplicate,
    /// It has been answered: send the same bytes again.
    Again(ItemResult),
    /// The client has said that it read the answer; this is an old duplicate, or a number used twice.
    Acknowledged,
    /// The number belongs to another request.
    Reused,
    /// An earlier life of the service had begun it; how it ended nobody knows. [`SessionCore::keep`] what is answered.
    BegunBefore,
    /// The session has too many open: refuse it.
    TooMany,
}

/// The number belonged to another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberReused;

impl<C> SessionCore<C> {
    /// Whether a request with this number, of this many calls, is taken. The order of the checks is RIFL's. A
    /// fingerprint is compared only where there is one on both sides.
    #[must_use]
    pub fn admit(&self, msgid: u64, calls: usize, fingerprint: Option<Fingerprint>) -> Admission {
        let same = |known: Option<Fingerprint>| match (known, fingerprint) {
            (Some(known), Some(fingerprint)) => known == fingerprint,
            _ => true,
        };
        if let Some(memory) = &self.memory {
            if memory.is_acked(msgid) {
                return Admission::Acknowledged;
            }
            if let Some((known, result)) = memory.answer(msgid) {
                return if same(known) {
                    Admission::Again(result.clone())
                } else {
                    Admission::Reused
                };
            }
        }
        if let Some(open) = self.open.get(&msgid) {
            return if same(open.keep.fingerprint) {
                Admission::Duplicate
            } else {
                Admission::Reused
            };
        }
        match self.found(Origin::Request { msgid }, fingerprint) {
            Some(Err(NumberReused)) => return Admission::Reused,
            Some(Ok(Found::Done(_, result))) => return Admission::Again(result.clone()),
            Some(Ok(Found::Begun(_))) => return Admission::BegunBefore,
            None => {}
        }
        // What was begun before is not refused, for that would say that nothing happened.
        if self.open_calls + calls > self.requests_max && !self.was_begun_before(msgid) {
            return Admission::TooMany;
        }
        Admission::New
    }

    /// Whether a request for the service itself is taken, which may be asked again at any time.
    #[must_use]
    pub fn admit_own(&self, msgid: u64) -> Admission {
        if self.open.contains_key(&msgid) {
            Admission::Duplicate
        } else if self.open_calls >= self.requests_max {
            Admission::TooMany
        } else {
            Admission::New
        }
    }

    /// What an earlier life of the service knew of this call, which nobody has answered in this one.
    #[must_use]
    pub fn found(
        &self,
        origin: Origin,
        fingerprint: Option<Fingerprint>,
    ) -> Option<Result<&Found, NumberReused>> {
        let memory = self.memory.as_ref()?;
        let found = memory.found(origin.msgid(), origin.item())?;
        Some(if Some(found.fingerprint()) == fingerprint {
            Ok(found)
        } else {
            Err(NumberReused)
        })
    }
}
