//! The store as it really is: writes in one order, committed from the front, each whole or not at all.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use standin_core::{
    ClaimId, Fingerprint, Random,
    keys::{Answer, Found, Release},
};

/// A key of the simulation.
pub(crate) type Key = u8;

/// What is recorded of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Record {
    /// An intent or a grant.
    Begun {
        payload: Fingerprint,
    },
    Done {
        payload: Fingerprint,
        answer: Answer,
    },
    Expired {
        payload: Fingerprint,
    },
}

/// What is written, and who waits for it.
#[derive(Debug, Clone)]
pub(crate) enum Write {
    /// An intent or a grant of the claim's call.
    Begun {
        claim: ClaimId,
        payload: Fingerprint,
    },
    /// The answer to the claim's call.
    Completion {
        claim: ClaimId,
        payload: Fingerprint,
        answer: Answer,
    },
    /// Nothing happened.
    Forget { claim: ClaimId, release: Release },
    /// Nobody knows what happened.
    Unknown {
        payload: Fingerprint,
        answer: Answer,
    },
}

#[derive(Debug, Default)]
pub(crate) struct Store {
    pub committed: BTreeMap<Key, Record>,
    pub on_its_way: VecDeque<(Key, Write)>,
}

impl Store {
    pub(crate) fn write(&mut self, key: Key, write: Write) {
        self.on_its_way.push_back((key, write));
    }

    /// Commits what was written first.
    pub(crate) fn commit(&mut self) -> Option<(Key, Write)> {
        let (key, write) = self.on_its_way.pop_front()?;
        match write.clone() {
            Write::Begun { payload, .. } => {
                let begun = Record::Begun { payload };
                let before = self.committed.insert(key, begun.clone());
                assert!(
                    before.is_none_or(|before| before == begun),
                    "what has ended begins again"
                );
            }
            Write::Completion {
                payload, answer, ..
            }
            | Write::Unknown { payload, answer } => {
                self.committed.insert(key, Record::Done { payload, answer });
            }
            Write::Forget { .. } => {
                self.committed.remove(&key);
            }
        }
        Some((key, write))
    }

    /// The process dies: of what was on its way, the first few are there, and the rest never was.
    pub(crate) fn die(&mut self, random: &mut Random) {
        for _ in 0..random.below(self.on_its_way.len() as u64 + 1) {
            self.commit();
        }
        self.on_its_way.clear();
    }

    /// The oldest answers become tombstones.
    pub(crate) fn expire(&mut self, key: Key) {
        if let Some(record) = self.committed.get_mut(&key)
            && let Record::Done { payload, .. } = *record
        {
            *record = Record::Expired { payload };
        }
    }

    pub(crate) fn look_up(&self, key: Key) -> Found {
        match self.committed.get(&key).cloned() {
            None => Found::Nothing,
            Some(Record::Begun { payload }) => Found::Unfinished {
                fingerprint: payload,
                answer: Ok(Bytes::from_static(b"unknown")),
            },
            Some(Record::Done { payload, answer }) => Found::Done {
                fingerprint: payload,
                answer,
            },
            Some(Record::Expired { payload }) => Found::Expired {
                fingerprint: payload,
            },
        }
    }
}
