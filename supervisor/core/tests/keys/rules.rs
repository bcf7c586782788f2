//! The rules: what somebody may be told, and what may happen.

use bytes::Bytes;
use standin_core::{
    ClaimId, Fingerprint,
    keys::{Verdict, Wish},
};
use standin_protocol::Replay;

use super::{
    life::{Life, Message, replay},
    owner::{Owner, Step},
    store::{Key, Record},
};

impl Life {
    /// Somebody is told, and it must be right.
    pub(crate) fn heard(&mut self, claim: ClaimId, key: Key, verdict: Verdict) {
        let Some(claimant) = self.claimants.get_mut(&claim) else {
            // Its session is dead. The key comes back with whoever carried the news.
            if verdict == Verdict::Run {
                self.messages.push_back(Message::OwnerGone(key, claim));
            }
            return;
        };
        assert!(!claimant.told, "{claim:?} is told twice");
        assert_eq!(claimant.key, key);
        claimant.told = true;
        let (payload, wish, deadline) = (claimant.payload, claimant.wish, claimant.deadline);
        match verdict {
            Verdict::Run => {
                assert_eq!(wish, Wish::Run, "whoever only looks never runs");
                self.may_run(claim, key, payload);
            }
            Verdict::Free | Verdict::Running => {
                assert_eq!(wish, Wish::Look, "whoever wants to run is not told that");
                self.note(match verdict {
                    Verdict::Free => "whoever looked found nothing",
                    _ => "whoever looked saw another run",
                });
            }
            Verdict::Done(answer) => {
                if wish == Wish::Look {
                    self.note("whoever looked got the answer");
                }
                self.may_be_told(key, payload, answer.expect("all is well"));
            }
            Verdict::Conflict => self.note(match self.store.committed.get(&key) {
                Some(_) => "a conflict with the store",
                None => "a conflict while it ran",
            }),
            Verdict::Expired => {
                let tombstone = Record::Expired { payload };
                assert_eq!(self.store.committed.get(&key), Some(&tombstone));
                self.note("an expired key was refused");
            }
            Verdict::TimeUp => {
                assert!(deadline <= self.now, "its time was not up");
                self.note("time was up");
            }
            Verdict::TooMany => self.note("too many waited"),
            Verdict::Unreadable => self.note("the store could not be read"),
        }
    }

    /// Somebody is told that nothing has happened under this key.
    pub(crate) fn must_be_free(&self, key: Key) {
        assert_eq!(self.store.committed.get(&key), None, "it was used");
        let is_quiet = self.store.on_its_way.iter().all(|(other, _)| *other != key);
        assert!(is_quiet, "something of the key is still on its way");
        let has_owner = self.owners.iter().any(|owner| owner.key == key);
        assert!(!has_owner, "somebody makes the call");
        let effects = self.effects.get(&key).copied().unwrap_or_default();
        assert!(effects == 0 || replay(key) == Replay::Always, "it happened");
    }

    fn may_run(&mut self, claim: ClaimId, key: Key, payload: Fingerprint) {
        assert_eq!(
            self.store.committed.get(&key),
            None,
            "a used key runs again"
        );
        let is_free = self.store.on_its_way.iter().all(|(other, _)| *other != key);
        assert!(is_free, "something of the key is still on its way");
        let others = self.owners.iter().any(|owner| owner.key == key);
        assert!(!others, "two own one key");
        self.note("a claim ran");
        if self.refused.remove(&key).is_some() {
            self.note("a refused key ran again");
        }
        if self.lost.remove(&key).is_some() {
            self.note("an owner was lost and another ran");
        }
        self.owners.push(Owner {
            claim,
            key,
            payload,
            replay: replay(key),
            step: Step::Queued,
            is_abandoned: false,
        });
    }

    fn may_be_told(&mut self, key: Key, payload: Fingerprint, answer: Bytes) {
        // What nothing came of is not kept; and of what may run twice, nothing that is not known.
        let is_free = answer.starts_with(b"refused")
            || answer.starts_with(b"failed")
            || answer.starts_with(b"lost") && replay(key) == Replay::Always;
        if is_free {
            return;
        }
        match self.store.committed.get(&key) {
            // It may have become a tombstone since.
            Some(Record::Done { payload: of, .. } | Record::Expired { payload: of }) => {
                assert_eq!(*of, payload, "the answer is that of another payload");
            }
            other => panic!("an answer that is not recorded: {other:?}"),
        }
        let first = self.answers.entry(key).or_insert_with(|| answer.clone());
        assert_eq!(*first, answer, "the same key, another answer");
        self.note("an answer came from the store");
        if !answer.starts_with(b"unknown") {
            self.note("a claim waited and was answered");
        }
    }

    pub(crate) fn had_effect(&mut self, key: Key) {
        let effects = self.effects.entry(key).or_default();
        *effects += 1;
        assert!(
            replay(key) == Replay::Always || *effects == 1,
            "the effect of key {key} happened {effects} times"
        );
    }
}
