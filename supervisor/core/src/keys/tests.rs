//! Decisions about keys, one by one.

mod looking;
mod owner;
mod store;
mod waiting;

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::*;

const PAYLOAD: Fingerprint = Fingerprint(1);
const OTHER_PAYLOAD: Fingerprint = Fingerprint(2);
const KEY: &str = "order-1";

struct Keys {
    core: KeysCore<&'static str, u64>,
    start: Instant,
    last: u64,
}

/// Effects in few words.
#[derive(Debug, PartialEq, Eq)]
enum Act {
    LookUp,
    Tell(u64, Verdict),
    RecordUnknown(Fingerprint, Answer),
}

#[expect(
    clippy::disallowed_methods,
    reason = "only differences to this moment matter"
)]
fn beginning() -> Instant {
    Instant::now()
}

fn answer(text: &'static str) -> Answer {
    Ok(Bytes::from_static(text.as_bytes()))
}

fn unfinished() -> Found {
    Found::Unfinished {
        fingerprint: PAYLOAD,
        answer: answer("unknown"),
    }
}

impl Keys {
    fn new() -> Self {
        Self {
            core: KeysCore::new(100),
            start: beginning(),
            last: 0,
        }
    }

    fn handle_at(&mut self, seconds: u64, event: Event<&'static str, u64>) -> Vec<Act> {
        let mut effects = Vec::new();
        let now = self.start + Duration::from_secs(seconds);
        self.core.handle(now, event, &mut effects);
        let act = |effect| match effect {
            Effect::LookUp(_) => Act::LookUp,
            Effect::Tell {
                claim,
                claimant,
                verdict,
                ..
            } => {
                assert_eq!(claim.0, claimant, "each is told its own");
                Act::Tell(claimant, verdict)
            }
            Effect::RecordUnknown {
                fingerprint,
                answer,
                ..
            } => Act::RecordUnknown(fingerprint, answer),
        };
        effects.into_iter().map(act).collect()
    }

    fn handle(&mut self, event: Event<&'static str, u64>) -> Vec<Act> {
        self.handle_at(0, event)
    }

    fn claim(&mut self, fingerprint: Fingerprint) -> Vec<Act> {
        self.claim_to(Wish::Run, fingerprint)
    }

    fn look(&mut self, fingerprint: Fingerprint) -> Vec<Act> {
        self.claim_to(Wish::Look, fingerprint)
    }

    /// The next claim, which counts from 1, with ten seconds for each number.
    fn claim_to(&mut self, wish: Wish, fingerprint: Fingerprint) -> Vec<Act> {
        self.last += 1;
        let claim = Claim {
            id: ClaimId(self.last),
            key: KEY,
            fingerprint,
            wish,
            deadline: self.start + Duration::from_secs(10 * self.last),
            claimant: self.last,
        };
        self.handle(Event::Claimed(claim))
    }

    fn found(&mut self, found: Found) -> Vec<Act> {
        self.handle(Event::LookedUp { key: KEY, found })
    }

    fn settled(&mut self, claim: u64, text: &'static str) -> Vec<Act> {
        let (key, claim, answer) = (KEY, ClaimId(claim), answer(text));
        self.handle(Event::Settled { key, claim, answer })
    }

    fn released(&mut self, claim: u64, release: Release) -> Vec<Act> {
        let (key, claim) = (KEY, ClaimId(claim));
        self.handle(Event::Released {
            key,
            claim,
            release,
        })
    }

    fn gone(&mut self, claim: u64) -> Vec<Act> {
        let (key, claim) = (KEY, ClaimId(claim));
        self.handle(Event::Gone { key, claim })
    }

    /// The first claim runs, and so many of the same wait.
    fn running(waiting: u64) -> Self {
        let mut keys = Self::new();
        assert_eq!(keys.claim(PAYLOAD), [Act::LookUp]);
        assert_eq!(keys.found(Found::Nothing), [Act::Tell(1, Verdict::Run)]);
        for _ in 0..waiting {
            assert_eq!(keys.claim(PAYLOAD), []);
        }
        keys
    }

    fn assert_empty(&self) {
        assert_eq!((self.core.keys(), self.core.waiting()), (0, 0));
        assert_eq!(self.core.next_wakeup(), None);
    }
}

fn all_done(claims: std::ops::RangeInclusive<u64>, text: &'static str) -> Vec<Act> {
    let done = |claim| Act::Tell(claim, Verdict::Done(answer(text)));
    claims.map(done).collect()
}
