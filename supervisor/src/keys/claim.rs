//! One call's claim to its key. It lives as long as anybody has to do with the call, the store's thread included, so
//! that when it goes nothing of the call is on its way any more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Instant,
};

use ractor::ActorRef;
use standin_core::{
    ClaimId, Fingerprint,
    keys::{Answer, Claim, Event, Release, Wish},
};

use super::{Claimant, KeysMessage};
use crate::store::KeyName;

/// A claim to a key. Whoever drops it without having settled it leaves the store to say what has happened.
#[derive(Debug)]
pub(crate) struct KeyClaim {
    id: ClaimId,
    key: Arc<KeyName>,
    keys: ActorRef<KeysMessage>,
    state: AtomicU8,
}

/// Nobody was asked for the key.
const NEW: u8 = 0;
/// The verdict is awaited.
const WAITING: u8 = 1;
/// The key is the call's own.
const GRANTED: u8 = 2;
/// All is said.
const OVER: u8 = 3;

impl KeyClaim {
    pub(crate) fn new(id: ClaimId, key: Arc<KeyName>, keys: ActorRef<KeysMessage>) -> Self {
        Self {
            id,
            key,
            keys,
            state: AtomicU8::new(NEW),
        }
    }

    pub(crate) fn id(&self) -> ClaimId {
        self.id
    }

    /// Asks for the key.
    pub(crate) fn ask(&self, fingerprint: Fingerprint, deadline: Instant, claimant: Claimant) {
        self.state.store(WAITING, Ordering::Relaxed);
        self.tell(Event::Claimed(Claim {
            id: self.id,
            key: Arc::clone(&self.key),
            fingerprint,
            wish: Wish::Run,
            deadline,
            claimant,
        }));
    }

    /// The key is the call's own.
    pub(crate) fn granted(&self) {
        self.state.store(GRANTED, Ordering::Relaxed);
    }

    /// The verdict is there, and the key is another's.
    pub(crate) fn over(&self) {
        self.state.store(OVER, Ordering::Relaxed);
    }

    pub(crate) fn is_granted(&self) -> bool {
        self.state.load(Ordering::Relaxed) == GRANTED
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.state.load(Ordering::Relaxed) == WAITING
    }

    /// The call has ended so, and that is recorded.
    pub(crate) fn settled(&self, answer: Answer) {
        let (key, claim) = (Arc::clone(&self.key), self.id);
        self.over();
        self.tell(Event::Settled { key, claim, answer });
    }

    /// The call was not executed, and nothing of it is recorded.
    pub(crate) fn released(&self, release: Release) {
        let (key, claim) = (Arc::clone(&self.key), self.id);
        self.over();
        self.tell(Event::Released {
            key,
            claim,
            release,
        });
    }

    fn tell(&self, event: Event<Arc<KeyName>, Claimant>) {
        let _ = self.keys.cast(KeysMessage::Happened(event));
    }
}

impl Drop for KeyClaim {
    fn drop(&mut self) {
        if self.is_waiting() || self.is_granted() {
            let (key, claim) = (Arc::clone(&self.key), self.id);
            self.tell(Event::Gone { key, claim });
        }
    }
}
