//! What happens to keys, and what is to be done.

use std::time::Instant;

use bytes::Bytes;

use crate::{ClaimId, Fingerprint};

/// The answer to a call: an encoded result, or an encoded error answer.
pub type Answer = Result<Bytes, Bytes>;

/// What whoever asks for a key wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To make the call.
    Run,
    /// Only to know whether somebody has made it, or makes it: the call was refused, and is not to be made.
    Look,
}

/// Somebody wants to make a call under a key, or to know what became of it.
#[derive(Debug)]
pub struct Claim<K, P> {
    /// Its name, never used for another.
    pub id: ClaimId,
    /// The key, with all that it is scoped to.
    pub key: K,
    /// Of the payload: the same key with another one is a conflict.
    pub fingerprint: Fingerprint,
    /// What it is made for.
    pub wish: Wish,
    /// When the caller stops waiting.
    pub deadline: Instant,
    /// Handed back with the verdict.
    pub claimant: P,
}

/// What the store knows of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing was ever begun under it.
    Nothing,
    /// A call under it may have had its effect, and its answer was never recorded.
    Unfinished {
        /// Of the payload of that call.
        fingerprint: Fingerprint,
        /// What everybody is told of it from now on: that nobody knows, and what speaks for what.
        answer: Answer,
    },
    /// A call under it has ended.
    Done {
        /// Of the payload of that call.
        fingerprint: Fingerprint,
        /// How.
        answer: Answer,
    },
    /// A call under it was made so long ago that its answer is not kept any more.
    Expired {
        /// Of the payload of that call.
        fingerprint: Fingerprint,
    },
    /// The store could not be asked.
    Unreadable,
}

/// How a call that ran under a key left the key free: nothing of it is recorded any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Release {
    /// What stood in its way stands in the way of the others as well: they get the same answer.
    ForAll(Answer),
    /// Its own caller gave up, which is nothing to the others: the next one runs.
    ForItself,
}

/// Facts, in the past tense.
#[derive(Debug)]
pub enum Event<K, P> {
    /// Somebody asks.
    Claimed(Claim<K, P>),
    /// The store answered.
    LookedUp {
        /// The key.
        key: K,
        /// What it knows.
        found: Found,
    },
    /// The owner's call has ended, and that is recorded.
    Settled {
        /// The key.
        key: K,
        /// The owner's claim.
        claim: ClaimId,
        /// How.
        answer: Answer,
    },
    /// The owner's call was not executed, and nothing of it is recorded any more.
    Released {
        /// The key.
        key: K,
        /// The owner's claim.
        claim: ClaimId,
        /// Why.
        release: Release,
    },
    /// Whoever made the claim is gone without a word, and whatever it had on its way to the store has arrived.
    Gone {
        /// The key.
        key: K,
        /// The claim.
        claim: ClaimId,
    },
    /// That the outcome is unknown has been recorded, as this answer.
    UnknownRecorded {
        /// The key.
        key: K,
        /// The answer.
        answer: Answer,
    },
    /// The time that [`next_wakeup`](super::KeysCore::next_wakeup) named has come.
    TimePassed,
}

/// What somebody who claimed a key is told, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The key is yours: make the call, and settle or release the key.
    Run,
    /// The call was made; this is its answer, the same for all.
    Done(Answer),
    /// To whoever only looks: nobody has made the call, and nobody makes it.
    Free,
    /// To whoever only looks: somebody makes the call now.
    Running,
    /// The key belongs to another payload.
    Conflict,
    /// The key is too old.
    Expired,
    /// Your time is up while somebody else makes the call.
    TimeUp,
    /// Too many wait for keys.
    TooMany,
    /// The store could not be asked.
    Unreadable,
}

/// Acts, in the order in which they are to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect<K, P> {
    /// Ask the store; [`Event::LookedUp`] tells what it said.
    LookUp(K),
    /// Tell a claimant.
    Tell {
        /// The claim.
        claim: ClaimId,
        /// The key.
        key: K,
        /// Whoever made it.
        claimant: P,
        /// What.
        verdict: Verdict,
    },
    /// Record that the outcome is unknown, and say so by [`Event::UnknownRecorded`].
    RecordUnknown {
        /// The key.
        key: K,
        /// Of the payload of the call that it is about.
        fingerprint: Fingerprint,
        /// As what.
        answer: Answer,
    },
}
