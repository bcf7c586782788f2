//! Holds what clients were told against what workers did.
//!
//! Requests have numbers of their own, so every rule is a look at one request; nothing is searched.

use std::collections::{HashMap, HashSet};

use crate::ledger::{Entry, Step};

/// The replay class that a request was made under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Idempotent.
    Always,
    /// Safe until its effect was granted.
    UntilEffect,
    /// Never to be run twice.
    Never,
    /// The same, with an idempotency key.
    Keyed,
    /// The same, as a job.
    Job,
}

/// What a client was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The result, with the nonce that came back.
    Done {
        /// What the worker gave back.
        nonce: u64,
    },
    /// An error: its code and outcome.
    Failed {
        /// The code.
        code: String,
        /// `not_executed`, `executed` or `unknown`.
        outcome: String,
    },
    /// Nothing, within the time of the call and a grace.
    Nothing,
}

/// One request and its end.
#[derive(Debug, Clone)]
pub struct Record {
    pub id: u64,
    pub class: Class,
    pub nonce: u64,
    /// It was told to kill its worker: it may end badly.
    pub misbehaves: bool,
    pub told: Told,
    /// From when to when the client waited, on the clock of the ledger.
    pub begun_ns: u64,
    pub ended_ns: u64,
}

/// When processes were killed, by their numbers. The system may give a number again to a later process, which on Windows
/// it does within seconds.
pub type Kills = HashMap<u32, Vec<u64>>;

/// What a worker wrote down may be this much later than the kill of its process, which is noted before it is done.
const KILL_TAKES_NS: u64 = 100_000_000;

/// What was done to workers: whoever was told `unknown`, or lost an attempt, must have been hit by some of it.
#[derive(Debug, Default)]
pub struct Faults {
    killed_ns: Kills,
    /// Processes that were told to misbehave.
    misbehaved: HashSet<u32>,
    /// When the service itself was killed, and all of its workers with it, in order.
    service_ns: Vec<u64>,
    /// When something happened, in order.
    at_ns: Vec<u64>,
}

impl Faults {
    /// All that happened: kills from outside, and requests that made their workers misbehave.
    pub fn of(records: &[Record], ledger: &HashMap<u64, Vec<Entry>>, killed_ns: &Kills) -> Self {
        let entries: Vec<&Entry> = records
            .iter()
            .filter(|record| record.misbehaves)
            .filter_map(|record| ledger.get(&record.id))
            .flatten()
            .collect();
        let own = entries.iter().map(|entry| entry.at_ns);
        let mut at_ns: Vec<u64> = killed_ns.values().flatten().copied().chain(own).collect();
        at_ns.sort_unstable();
        Self {
            killed_ns: killed_ns.clone(),
            misbehaved: entries.iter().map(|entry| entry.pid).collect(),
            service_ns: Vec::new(),
            at_ns,
        }
    }

    /// The same, and the service itself was killed at these times, which are in order.
    #[must_use]
    pub fn with_kills_of_the_service(mut self, service_ns: &[u64]) -> Self {
        self.at_ns.extend_from_slice(service_ns);
        self.at_ns.sort_unstable();
        self.service_ns = service_ns.to_vec();
        self
    }

    /// When the process that wrote this was killed, by itself or with its service, if that was before `until_ns`.
    pub(crate) fn killed(&self, entry: &Entry, until_ns: u64) -> Option<u64> {
        let from_ns = entry.at_ns.saturating_sub(KILL_TAKES_NS);
        let own = self.killed_ns.get(&entry.pid).into_iter().flatten();
        let own = own.copied().find(|at| *at >= from_ns);
        let first = self.service_ns.partition_point(|at| *at < from_ns);
        let with_its_service = self.service_ns.get(first).copied();
        let kills = [own, with_its_service].into_iter().flatten();
        kills.min().filter(|at| *at <= until_ns)
    }

    fn hit(&self, entry: &Entry, until_ns: u64) -> bool {
        self.killed(entry, until_ns).is_some() || self.misbehaved.contains(&entry.pid)
    }

    fn any_between(&self, from_ns: u64, to_ns: u64) -> bool {
        let first = self.at_ns.partition_point(|at| *at < from_ns);
        self.at_ns.get(first).is_some_and(|at| *at <= to_ns)
    }

    /// A request whose worker never began it can only be tied to a fault by the time; one that was begun, by the
    /// process.
    fn justify(&self, record: &Record, entries: &[Entry]) -> bool {
        if entries.is_empty() {
            self.any_between(record.begun_ns, record.ended_ns)
        } else {
            let mut entries = entries.iter();
            record.misbehaves || entries.any(|entry| self.hit(entry, record.ended_ns))
        }
    }
}

/// Every rule that was broken, a sentence each.
pub fn check(
    records: &[Record],
    ledger: &HashMap<u64, Vec<Entry>>,
    faults: &Faults,
) -> Vec<String> {
    let none = Vec::new();
    let mut broken = Vec::new();
    for record in records {
        let entries = ledger.get(&record.id).unwrap_or(&none);
        check_one(record, entries, faults, &mut |rule: &str| {
            broken.push(format!(
                "request {} ({:?}): {rule}; told {:?}, did {entries:?}",
                record.id, record.class, record.told
            ));
        });
    }
    broken
}

fn check_one(record: &Record, entries: &[Entry], faults: &Faults, broken: &mut dyn FnMut(&str)) {
    let count = |step| entries.iter().filter(|entry| entry.step == step).count();
    let (begun, effects) = (count(Step::Begun), count(Step::Effect));
    if matches!(record.class, Class::Never | Class::Keyed | Class::Job) && begun > 1 {
        broken("what must never run twice was begun twice");
    }
    if record.class == Class::UntilEffect && effects > 1 {
        broken("an effect happened twice");
    }
    match &record.told {
        Told::Done { nonce } if *nonce != record.nonce => {
            broken("the answer belongs to another request")
        }
        Told::Done { .. } if count(Step::Answering) == 0 => broken("a success was invented"),
        Told::Done { .. } if record.class == Class::UntilEffect && effects != 1 => {
            broken("a success without exactly one effect");
        }
        Told::Done { .. } => {}
        Told::Failed { outcome, .. } if outcome == "not_executed" => {
            let happened = if record.class == Class::UntilEffect {
                effects
            } else {
                begun
            };
            if happened > 0 {
                broken("not_executed was no proof");
            }
        }
        Told::Failed { code, .. } if record.class == Class::Always && !record.misbehaves => {
            broken(&format!("an idempotent call failed with {code}"));
        }
        // A worker that died with the request in its pipe may or may not have begun it; nobody else may guess.
        // Neither may a service whose predecessor was killed while it was about to.
        Told::Failed { code, .. }
            if begun == 0
                && !["worker_lost", "poisoned", "outcome_unknown"].contains(&code.as_str()) =>
        {
            broken("unknown, and nothing was ever begun");
        }
        Told::Failed { .. } if !faults.justify(record, entries) => {
            broken("unknown, and no fault touched it");
        }
        Told::Failed { .. } => {}
        Told::Nothing => broken("there was no answer"),
    }
    check_attempts(entries, faults, broken);
}

/// An attempt begins only after the process of the one before it is dead.
fn check_attempts(entries: &[Entry], faults: &Faults, broken: &mut dyn FnMut(&str)) {
    let mut seen: Vec<&Entry> = Vec::new();
    for entry in entries {
        // Each life of the service counts its attempts anew.
        let same = |first: &&Entry| (first.pid, first.attempt) == (entry.pid, entry.attempt);
        match seen.iter().position(same) {
            None => {
                if let Some(before) = seen.last() {
                    if !faults.hit(before, u64::MAX) {
                        broken("it was sent again, and no fault touched the first attempt");
                    } else if !faults.hit(before, entry.at_ns) {
                        broken("it was sent again before the first worker was killed");
                    }
                }
                seen.push(entry);
            }
            Some(index) if index + 1 == seen.len() => {}
            Some(_) => return broken("an earlier attempt was still alive"),
        }
    }
}

#[cfg(test)]
mod tests;
