//! Holds what clients were told against what workers did.
//!
//! Requests have numbers of their own, so every rule is a look at one request; nothing is searched.

mod doubts;
mod faults;

use std::collections::HashMap;

pub use self::{
    doubts::Doubts,
    faults::{Faults, Kill, Kills},
};
use crate::{
    hostile_worker::IS_ODD,
    ledger::{Entry, Life, Step},
};

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
    /// What its worker was told to do wrong, or nothing.
    pub misbehave: &'static str,
    pub told: Told,
    /// From when to when the client waited, on the clock of the ledger.
    pub begun_ns: u64,
    pub ended_ns: u64,
}

impl Record {
    /// It is the end of each worker that takes it, and may end badly. What is merely odd does no harm.
    pub fn is_deadly(&self) -> bool {
        !self.misbehave.is_empty() && !IS_ODD.contains(&self.misbehave)
    }
}

/// Every rule that was broken, a sentence each. There are so many workers at a time, spares included.
pub fn check(
    records: &[Record],
    ledger: &HashMap<u64, Vec<Entry>>,
    faults: &Faults,
    workers: usize,
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
    let orphans = faults.orphans();
    let outlived = |life: Life| format!("process {life:?} was at work after its service was dead");
    broken.extend(orphans.into_iter().map(outlived));
    broken.extend(Doubts::of(records, ledger, faults).beyond(faults, workers));
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
        Told::Failed { code, outcome } => {
            let happened = match record.class {
                Class::UntilEffect => effects,
                _ => begun,
            };
            if outcome == "not_executed" && happened > 0 {
                broken("not_executed was no proof");
            }
            check_error(record, code, outcome, entries, faults, broken);
        }
        Told::Nothing => broken("there was no answer"),
    }
    check_attempts(entries, faults, broken);
}

/// There is room for everybody and time for everything, so every error must have its reason.
fn check_error(
    record: &Record,
    code: &str,
    outcome: &str,
    entries: &[Entry],
    faults: &Faults,
    broken: &mut dyn FnMut(&str),
) {
    if record.class == Class::Always && !record.is_deadly() {
        broken(&format!("an idempotent call failed with {code}"));
    } else if outcome == "not_executed" {
        // Nothing is refused but what has ended one worker after the other.
        if !(record.is_deadly() && code == "poisoned") {
            broken(&format!("refused without a reason, with {code}"));
        }
    } else if outcome != "unknown" || !faults.justify(record, code, entries) {
        broken(&format!("unknown, and no fault explains {code}"));
    }
}

/// An attempt begins only after the process of the one before it is dead.
fn check_attempts(entries: &[Entry], faults: &Faults, broken: &mut dyn FnMut(&str)) {
    let mut seen: Vec<&Entry> = Vec::new();
    for entry in entries {
        // Each life of the service counts its attempts anew.
        let same = |first: &&Entry| (first.life(), first.attempt) == (entry.life(), entry.attempt);
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
