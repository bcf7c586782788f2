//! The loop of a life, what happens in it by chance, and the rules.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use bytes::Bytes;
use standin_core::{
    ClaimId, Fingerprint, Random,
    keys::{Claim, Effect, Event, Found, KeysCore, Verdict, Wish},
};
use standin_protocol::Replay;

use super::{
    owner::{Owner, Step},
    store::{Key, Store, Write},
};

const KEYS: u64 = 3;
const STEPS: u64 = 120;
const WAITING_MAX: usize = 5;

#[derive(Debug)]
pub(crate) struct Claimant {
    pub(crate) key: Key,
    pub(crate) payload: Fingerprint,
    pub(crate) wish: Wish,
    pub(crate) deadline: Instant,
    pub(crate) told: bool,
}

#[derive(Debug)]
pub(crate) enum Message {
    LookUp(Key),
    LookedUp(Key, Found),
    OwnerGone(Key, ClaimId),
    Verdict(ClaimId, Key, Verdict),
}

pub(crate) struct Life {
    pub(crate) random: Random,
    pub(crate) now: Instant,
    pub(crate) core: KeysCore<Key, ClaimId>,
    pub(crate) store: Store,
    pub(crate) claimants: BTreeMap<ClaimId, Claimant>,
    pub(crate) withdrawn: BTreeSet<ClaimId>,
    pub(crate) owners: Vec<Owner>,
    pub(crate) messages: VecDeque<Message>,
    pub(crate) last_claim: u64,
    /// Effects of each key.
    pub(crate) effects: BTreeMap<Key, u32>,
    /// What is the answer to each key, as somebody was told.
    pub(crate) answers: BTreeMap<Key, Bytes>,
    pub(crate) refused: BTreeMap<Key, bool>,
    pub(crate) lost: BTreeMap<Key, bool>,
    pub(crate) has_died: bool,
    pub(crate) calm: bool,
    pub(crate) told: bool,
    pub(crate) seen: BTreeMap<&'static str, u64>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "only differences to this moment matter"
)]
fn beginning() -> Instant {
    Instant::now()
}

/// What runs under a key is the same for its whole life.
pub(crate) fn replay(key: Key) -> Replay {
    match key {
        0 => Replay::Never,
        1 => Replay::UntilEffect,
        _ => Replay::Always,
    }
}

impl Life {
    pub(crate) fn new(seed: u64, told: bool) -> Self {
        Self {
            random: Random::new(seed),
            now: beginning(),
            core: KeysCore::new(WAITING_MAX),
            store: Store::default(),
            claimants: BTreeMap::new(),
            withdrawn: BTreeSet::new(),
            owners: Vec::new(),
            messages: VecDeque::new(),
            last_claim: 0,
            effects: BTreeMap::new(),
            answers: BTreeMap::new(),
            refused: BTreeMap::new(),
            lost: BTreeMap::new(),
            has_died: false,
            calm: false,
            told,
            seen: BTreeMap::new(),
        }
    }

    pub(crate) fn live(&mut self) {
        for _ in 0..STEPS {
            match self.random.below(100) {
                0..25 => self.claim(),
                25..50 => self.deliver(),
                50..65 => self.commit(),
                65..85 => self.go_on(),
                85..89 => self.withdraw(),
                89..93 => self.owner_dies(),
                93..95 => self.time_passes(),
                95..97 => {
                    let key = self.random.below(KEYS) as Key;
                    self.store.expire(key);
                }
                97..98 => self.service_dies(),
                _ => self.commit(),
            }
        }
        // The faults stop: everybody is answered, without any help of the clock.
        self.calm = true;
        for _ in 0..10_000 {
            self.deliver();
            self.commit();
            self.go_on();
        }
        let waiting: Vec<_> = self.claimants.values().filter(|one| !one.told).collect();
        assert!(waiting.is_empty(), "they wait for ever: {waiting:?}");
        assert!(self.owners.is_empty(), "{:?}", self.owners);
        assert_eq!(
            (self.core.keys(), self.core.waiting()),
            (0, 0),
            "kept for nobody"
        );
        assert_eq!(self.core.next_wakeup(), None);
    }

    pub(crate) fn note(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    #[expect(clippy::print_stderr, reason = "only when its story is asked for")]
    fn tell(&self, what: impl FnOnce() -> String) {
        if self.told {
            eprintln!("{}", what());
        }
    }

    fn handle(&mut self, event: Event<Key, ClaimId>) {
        self.tell(|| format!("{event:?}"));
        let mut effects = Vec::new();
        self.core.handle(self.now, event, &mut effects);
        for effect in effects {
            self.tell(|| format!("    {effect:?}"));
            match effect {
                Effect::LookUp(key) => self.messages.push_back(Message::LookUp(key)),
                Effect::Tell {
                    claim,
                    key,
                    claimant,
                    verdict,
                } => {
                    assert_eq!(claim, claimant, "each is told its own");
                    assert!(!self.withdrawn.contains(&claim), "nobody waits for it");
                    if verdict == Verdict::Free {
                        self.must_be_free(key);
                    }
                    self.messages
                        .push_back(Message::Verdict(claim, key, verdict));
                }
                Effect::RecordUnknown {
                    key,
                    fingerprint,
                    answer,
                } => {
                    let may_run_twice = replay(key) == Replay::Always;
                    assert!(!may_run_twice, "it is run again instead");
                    let note = if self.has_died {
                        "unknown after the service died"
                    } else {
                        "an owner was lost and it was unknown"
                    };
                    self.note(note);
                    let payload = fingerprint;
                    self.store.write(key, Write::Unknown { payload, answer });
                }
            }
        }
        assert!(self.core.waiting() <= WAITING_MAX);
    }

    fn claim(&mut self) {
        self.last_claim += 1;
        let id = ClaimId(self.last_claim);
        let key = self.random.below(KEYS) as Key;
        let payload = Fingerprint(u128::from(self.random.below(6) == 0));
        let wish = match self.random.below(5) {
            0 => Wish::Look,
            _ => Wish::Run,
        };
        let deadline = self.now + Duration::from_secs(1 + self.random.below(20));
        let claimant = Claimant {
            key,
            payload,
            wish,
            deadline,
            told: false,
        };
        self.claimants.insert(id, claimant);
        self.handle(Event::Claimed(Claim {
            id,
            key,
            fingerprint: payload,
            wish,
            deadline,
            claimant: id,
        }));
    }

    /// Of what is on its way, any one arrives.
    fn deliver(&mut self) {
        if self.messages.is_empty() {
            return;
        }
        let index = self.random.below(self.messages.len() as u64) as usize;
        match self.messages.remove(index) {
            Some(Message::LookUp(key)) => {
                let found = match self.random.below(20) {
                    0 if !self.calm => Found::Unreadable,
                    _ => self.store.look_up(key),
                };
                self.messages.push_back(Message::LookedUp(key, found));
            }
            Some(Message::LookedUp(key, found)) => self.handle(Event::LookedUp { key, found }),
            Some(Message::OwnerGone(key, claim)) => {
                self.lost.insert(key, true);
                self.handle(Event::Gone { key, claim });
            }
            Some(Message::Verdict(claim, key, verdict)) => self.heard(claim, key, verdict),
            None => {}
        }
    }

    fn commit(&mut self) {
        let Some((key, write)) = self.store.commit() else {
            return;
        };
        match write {
            Write::Begun { claim, .. } => {
                let owner = self.owners.iter_mut().find(|owner| owner.claim == claim);
                let owner = owner.expect("it is kept until its writes have arrived");
                if owner.recorded() {
                    self.had_effect(key);
                } else if owner.is_abandoned {
                    self.let_go(claim, key);
                }
            }
            Write::Completion { claim, answer, .. } => {
                self.owners.retain(|owner| owner.claim != claim);
                self.handle(Event::Settled { key, claim, answer });
            }
            Write::Forget { claim, release } => {
                self.owners.retain(|owner| owner.claim != claim);
                self.refused.insert(key, true);
                if release == standin_core::keys::Release::ForItself && self.core.waiting() > 0 {
                    self.note("a key was handed to the next");
                }
                self.handle(Event::Released {
                    key,
                    claim,
                    release,
                });
            }
            Write::Unknown { answer, .. } => {
                self.handle(Event::UnknownRecorded { key, answer });
            }
        }
    }

    fn go_on(&mut self) {
        if self.owners.is_empty() {
            return;
        }
        let index = self.random.below(self.owners.len() as u64) as usize;
        let owner = &mut self.owners[index];
        if !owner.is_abandoned && owner.go_on(&mut self.random, &mut self.store) {
            let key = owner.key;
            self.had_effect(key);
        }
    }

    /// The session of one that waits goes.
    fn withdraw(&mut self) {
        let mut waiting = self.claimants.iter().filter(|(_, one)| !one.told);
        let Some((&claim, claimant)) = waiting.next_back() else {
            return;
        };
        let key = claimant.key;
        self.claimants.remove(&claim);
        // What it was told already is on its way.
        let verdict =
            |message: &Message| matches!(message, Message::Verdict(to, ..) if *to == claim);
        if !self.messages.iter().any(verdict) {
            self.withdrawn.insert(claim);
        }
        self.handle(Event::Gone { key, claim });
    }

    /// The session of one that runs dies.
    fn owner_dies(&mut self) {
        let Some(owner) = self.owners.iter_mut().find(|owner| !owner.is_abandoned) else {
            return;
        };
        // What it wrote tells of itself when it arrives.
        if owner.step == Step::Answered {
            return;
        }
        owner.is_abandoned = true;
        let (claim, key) = (owner.claim, owner.key);
        if owner.step != Step::Recording {
            self.let_go(claim, key);
        }
    }

    fn let_go(&mut self, claim: ClaimId, key: Key) {
        self.owners.retain(|owner| owner.claim != claim);
        self.messages.push_back(Message::OwnerGone(key, claim));
    }

    fn time_passes(&mut self) {
        self.now += Duration::from_secs(self.random.below(8));
        self.handle(Event::TimePassed);
        assert!(self.core.next_wakeup().is_none_or(|at| at > self.now));
    }

    /// What is committed stays; all else is gone.
    fn service_dies(&mut self) {
        self.tell(|| "the service dies".to_owned());
        if !self.store.on_its_way.is_empty() {
            self.note("the service died with a write on its way");
        }
        let verdict = |message: &Message| matches!(message, Message::Verdict(..));
        if self.messages.iter().any(verdict) {
            self.note("the service died before a verdict was heard");
        }
        self.has_died = true;
        self.store.die(&mut self.random);
        self.core = KeysCore::new(WAITING_MAX);
        self.owners.clear();
        self.messages.clear();
        self.claimants.clear();
    }
}
