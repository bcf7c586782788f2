//! Which call may run under an idempotency key.
//!
//! [`KeysCore`] knows the keys of calls that run now, and who waits for them; what ended is known to the store, which is
//! asked for every key that is not in hand. Whoever is told to run owns the key until it settles it, releases it or is
//! lost. Whoever only looks never owns it, and waits for the store but for no owner. Everybody who claims gets exactly one
//! verdict. It does not know what a call is, nor how one travels: `K` is a
//! key with its scope, `P` whatever stands for a claimant outside.

mod event;
mod fate;

use std::{
    collections::{BTreeMap, VecDeque},
    hash::Hash,
    time::Instant,
};

use rustc_hash::FxHashMap;

pub use self::{
    event::{Answer, Claim, Effect, Event, Found, Release, Verdict, Wish},
    fate::{Fate, fate},
};
use crate::{ClaimId, Fingerprint};

#[derive(Debug)]
enum State {
    /// Nobody owns it, and the store is being asked.
    LookingUp,
    /// Somebody makes the call.
    Running {
        owner: ClaimId,
        fingerprint: Fingerprint,
    },
    /// Nobody makes it any more, and that nobody knows how it ended is being recorded.
    Recording { fingerprint: Fingerprint },
}

#[derive(Debug)]
struct Waiting<P> {
    id: ClaimId,
    fingerprint: Fingerprint,
    wish: Wish,
    deadline: Instant,
    claimant: P,
}

#[derive(Debug)]
struct Entry<P> {
    state: State,
    waiting: VecDeque<Waiting<P>>,
}

/// The keys of calls that run now.
#[derive(Debug)]
pub struct KeysCore<K, P> {
    entries: FxHashMap<K, Entry<P>>,
    /// Everybody who waits, by the time at which they stop.
    deadlines: BTreeMap<(Instant, ClaimId), K>,
    waiting_max: usize,
}

impl<K: Clone + Eq + Hash, P> KeysCore<K, P> {
    /// No key in hand; so many claims may wait at a time.
    #[must_use]
    pub fn new(waiting_max: usize) -> Self {
        Self {
            entries: FxHashMap::default(),
            deadlines: BTreeMap::new(),
            waiting_max,
        }
    }

    /// One event; what follows from it is added to `effects`.
    pub fn handle(&mut self, now: Instant, event: Event<K, P>, effects: &mut Vec<Effect<K, P>>) {
        match event {
            Event::Claimed(claim) => self.claimed(claim, effects),
            Event::LookedUp { key, found } => self.looked_up(&key, found, effects),
            Event::Settled { key, claim, answer } => {
                if self.is_owner(&key, claim) {
                    self.end(&key, None, &Verdict::Done(answer), effects);
                }
            }
            Event::Released {
                key,
                claim,
                release,
            } => {
                if self.is_owner(&key, claim) {
                    match release {
                        Release::ForAll(answer) => {
                            self.end(&key, None, &Verdict::Done(answer), effects);
                        }
                        Release::ForItself => self.run_next(&key, effects),
                    }
                }
            }
            Event::Gone { key, claim } if self.is_owner(&key, claim) => {
                self.owner_gone(key, effects);
            }
            Event::Gone { key, claim } => drop(self.take_waiting(&key, claim)),
            Event::UnknownRecorded { key, answer } => {
                if let Some(State::Recording { fingerprint }) = self.state(&key) {
                    let fingerprint = *fingerprint;
                    self.end(&key, Some(fingerprint), &Verdict::Done(answer), effects);
                }
            }
            Event::TimePassed => self.time_passed(now, effects),
        }
    }

    /// When it wants to be told that time has passed.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Instant> {
        self.deadlines.first_key_value().map(|((at, _), _)| *at)
    }

    /// Keys in hand.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.entries.len()
    }

    /// Claims that wait for a verdict.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.deadlines.len()
    }

    fn claimed(&mut self, claim: Claim<K, P>, effects: &mut Vec<Effect<K, P>>) {
        let is_running = matches!(self.state(&claim.key), Some(State::Running { .. }));
        let belongs_to = match self.state(&claim.key) {
            Some(State::Running { fingerprint, .. } | State::Recording { fingerprint }) => {
                Some(*fingerprint)
            }
            Some(State::LookingUp) | None => None,
        };
        let verdict = if belongs_to.is_some_and(|fingerprint| fingerprint != claim.fingerprint) {
            Verdict::Conflict
        } else if is_running && claim.wish == Wish::Look {
            Verdict::Running
        } else if self.deadlines.len() >= self.waiting_max {
            Verdict::TooMany
        } else {
            return self.wait(claim, effects);
        };
        effects.push(Effect::Tell {
            claim: claim.id,
            key: claim.key,
            claimant: claim.claimant,
            verdict,
        });
    }

    fn wait(&mut self, claim: Claim<K, P>, effects: &mut Vec<Effect<K, P>>) {
        let entry = self.entries.entry(claim.key.clone()).or_insert_with(|| {
            effects.push(Effect::LookUp(claim.key.clone()));
            Entry {
                state: State::LookingUp,
                waiting: VecDeque::new(),
            }
        });
        entry.waiting.push_back(Waiting {
            id: claim.id,
            fingerprint: claim.fingerprint,
            wish: claim.wish,
            deadline: claim.deadline,
            claimant: claim.claimant,
        });
        self.deadlines.insert((claim.deadline, claim.id), claim.key);
    }

    fn looked_up(&mut self, key: &K, found: Found, effects: &mut Vec<Effect<K, P>>) {
        if !matches!(self.state(key), Some(State::LookingUp)) {
            return;
        }
        match found {
            Found::Nothing => self.run_next(key, effects),
            Found::Unfinished {
                fingerprint,
                answer,
            } => self.record_unknown(key, fingerprint, answer, effects),
            Found::Done {
                fingerprint,
                answer,
            } => {
                self.end(key, Some(fingerprint), &Verdict::Done(answer), effects);
            }
            Found::Expired { fingerprint } => {
                self.end(key, Some(fingerprint), &Verdict::Expired, effects);
            }
            Found::Unreadable => self.end(key, None, &Verdict::Unreadable, effects),
        }
    }

    /// Nothing is recorded under the key: of those who want to make the call, whoever has waited longest does, and the
    /// key belongs to its payload.
    fn run_next(&mut self, key: &K, effects: &mut Vec<Effect<K, P>>) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        let mut waiting = entry.waiting.iter();
        let next = waiting.position(|waiting| waiting.wish == Wish::Run);
        let Some(next) = next.and_then(|index| entry.waiting.remove(index)) else {
            return self.end(key, None, &Verdict::Free, effects);
        };
        let (owner, fingerprint) = (next.id, next.fingerprint);
        entry.state = State::Running { owner, fingerprint };
        self.tell(key, next, Verdict::Run, effects);
        self.turn_away_others(key, fingerprint, effects);
        let looks = |waiting: &Waiting<P>| waiting.wish == Wish::Look;
        self.turn_away(key, looks, &Verdict::Running, effects);
    }

    fn record_unknown(
        &mut self,
        key: &K,
        fingerprint: Fingerprint,
        answer: Answer,
        effects: &mut Vec<Effect<K, P>>,
    ) {
        self.turn_away_others(key, fingerprint, effects);
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        // Nobody asks any more: whoever does next finds the same.
        if entry.waiting.is_empty() {
            self.entries.remove(key);
            return;
        }
        entry.state = State::Recording { fingerprint };
        let key = key.clone();
        effects.push(Effect::RecordUnknown {
            key,
            fingerprint,
            answer,
        });
    }

    fn owner_gone(&mut self, key: K, effects: &mut Vec<Effect<K, P>>) {
        let Some(entry) = self.entries.get_mut(&key) else {
            return;
        };
        // Only the store knows how far the call had come.
        if entry.waiting.is_empty() {
            self.entries.remove(&key);
        } else {
            entry.state = State::LookingUp;
            effects.push(Effect::LookUp(key));
        }
    }

    /// Tells those whose payload is another one.
    fn turn_away_others(
        &mut self,
        key: &K,
        fingerprint: Fingerprint,
        effects: &mut Vec<Effect<K, P>>,
    ) {
        let is_another = |waiting: &Waiting<P>| waiting.fingerprint != fingerprint;
        self.turn_away(key, is_another, &Verdict::Conflict, effects);
    }

    /// Tells some of those who wait, who wait no more.
    fn turn_away(
        &mut self,
        key: &K,
        which: impl Fn(&Waiting<P>) -> bool,
        verdict: &Verdict,
        effects: &mut Vec<Effect<K, P>>,
    ) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        let (turned_away, rest) = std::mem::take(&mut entry.waiting)
            .into_iter()
            .partition::<VecDeque<_>, _>(which);
        entry.waiting = rest;
        for waiting in turned_away {
            self.tell(key, waiting, verdict.clone(), effects);
        }
    }

    /// Lets go of a key. Those who wait are told; those with another payload than the key's, if it is known, that it is
    /// another one.
    fn end(
        &mut self,
        key: &K,
        fingerprint: Option<Fingerprint>,
        verdict: &Verdict,
        effects: &mut Vec<Effect<K, P>>,
    ) {
        if let Some(fingerprint) = fingerprint {
            self.turn_away_others(key, fingerprint, effects);
        }
        let entry = self.entries.remove(key);
        for waiting in entry.into_iter().flat_map(|entry| entry.waiting) {
            self.tell(key, waiting, verdict.clone(), effects);
        }
    }

    fn time_passed(&mut self, now: Instant, effects: &mut Vec<Effect<K, P>>) {
        while let Some(first) = self.deadlines.first_entry()
            && first.key().0 <= now
        {
            let ((_, claim), key) = first.remove_entry();
            if let Some(waiting) = self.take_waiting(&key, claim) {
                self.tell(&key, waiting, Verdict::TimeUp, effects);
            }
        }
    }

    /// Takes one out of those who wait. Keys that nobody waits for stay until the store or their owner has answered.
    fn take_waiting(&mut self, key: &K, claim: ClaimId) -> Option<Waiting<P>> {
        let waiting = &mut self.entries.get_mut(key)?.waiting;
        let index = waiting.iter().position(|waiting| waiting.id == claim)?;
        let taken = waiting.remove(index)?;
        self.deadlines.remove(&(taken.deadline, taken.id));
        Some(taken)
    }

    fn tell(
        &mut self,
        key: &K,
        waiting: Waiting<P>,
        verdict: Verdict,
        effects: &mut Vec<Effect<K, P>>,
    ) {
        self.deadlines.remove(&(waiting.deadline, waiting.id));
        effects.push(Effect::Tell {
            claim: waiting.id,
            key: key.clone(),
            claimant: waiting.claimant,
            verdict,
        });
    }

    fn state(&self, key: &K) -> Option<&State> {
        self.entries.get(key).map(|entry| &entry.state)
    }

    fn is_owner(&self, key: &K, claim: ClaimId) -> bool {
        matches!(self.state(key), Some(State::Running { owner, .. }) if *owner == claim)
    }
}

#[cfg(test)]
mod tests;
