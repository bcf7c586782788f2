//! Holds what clients were told against what workers did.
//!
//! Requests have numbers of their own, so every rule is a look at one request; nothing is searched.

use std::collections::HashMap;

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
}

/// Every rule that was broken, a sentence each.
pub fn check(records: &[Record], ledger: &HashMap<u64, Vec<Entry>>) -> Vec<String> {
    let none = Vec::new();
    let mut broken = Vec::new();
    for record in records {
        let entries = ledger.get(&record.id).unwrap_or(&none);
        check_one(record, entries, &mut |rule: &str| {
            broken.push(format!(
                "request {} ({:?}): {rule}; told {:?}, did {entries:?}",
                record.id, record.class, record.told
            ));
        });
    }
    broken
}

fn check_one(record: &Record, entries: &[Entry], broken: &mut dyn FnMut(&str)) {
    let count = |step| entries.iter().filter(|entry| entry.step == step).count();
    let (begun, effects) = (count(Step::Begun), count(Step::Effect));
    if record.class == Class::Never && begun > 1 {
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
        Told::Failed { code, .. } if begun == 0 && code != "worker_lost" && code != "poisoned" => {
            broken("unknown, and nothing was ever begun");
        }
        Told::Failed { .. } => {}
        Told::Nothing => broken("there was no answer"),
    }
    // An attempt begins only after the one before it has said its last word: attempts do not overlap.
    let mut seen: Vec<u64> = Vec::new();
    for entry in entries {
        match seen.iter().position(|attempt| *attempt == entry.attempt) {
            None => seen.push(entry.attempt),
            Some(index) if index + 1 == seen.len() => {}
            Some(_) => return broken("an earlier attempt was still alive"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(attempt: u64, step: Step) -> Entry {
        Entry {
            at_ns: 0,
            pid: 1,
            id: 1,
            attempt,
            step,
        }
    }

    fn verdict(class: Class, told: Told, entries: Vec<Entry>) -> Vec<String> {
        let record = Record {
            id: 1,
            class,
            nonce: 7,
            misbehaves: false,
            told,
        };
        check(&[record], &HashMap::from([(1, entries)]))
    }

    fn failed(outcome: &str) -> Told {
        Told::Failed {
            code: "worker_lost".into(),
            outcome: outcome.into(),
        }
    }

    #[test]
    fn an_honest_history_passes() {
        let done = Told::Done { nonce: 7 };
        let replayed = vec![
            entry(1, Step::Begun),
            entry(2, Step::Begun),
            entry(2, Step::Answering),
        ];
        assert!(verdict(Class::Always, done, replayed).is_empty());
        assert!(verdict(Class::Never, failed("unknown"), vec![entry(1, Step::Begun)]).is_empty());
        assert!(verdict(Class::Never, failed("not_executed"), vec![]).is_empty());
    }

    #[test]
    fn each_lie_is_caught() {
        let (begun, effect, answering) = (Step::Begun, Step::Effect, Step::Answering);
        let done = |nonce| Told::Done { nonce };
        let lies = [
            (
                Class::Never,
                done(7),
                vec![entry(1, begun), entry(2, begun), entry(2, answering)],
                "begun twice",
            ),
            (
                Class::UntilEffect,
                done(7),
                vec![entry(1, effect), entry(2, effect), entry(2, answering)],
                "effect happened twice",
            ),
            (
                Class::Always,
                done(8),
                vec![entry(1, begun), entry(1, answering)],
                "another request",
            ),
            (Class::Always, done(7), vec![entry(1, begun)], "invented"),
            (
                Class::UntilEffect,
                done(7),
                vec![entry(1, begun), entry(1, answering)],
                "exactly one effect",
            ),
            (
                Class::Never,
                failed("not_executed"),
                vec![entry(1, begun)],
                "no proof",
            ),
            (
                Class::Always,
                failed("unknown"),
                vec![entry(1, begun)],
                "idempotent call failed",
            ),
            (
                Class::Never,
                Told::Failed {
                    code: "internal".into(),
                    outcome: "unknown".into(),
                },
                vec![],
                "nothing was ever begun",
            ),
            (Class::Always, Told::Nothing, vec![], "no answer"),
            (
                Class::Always,
                done(7),
                vec![entry(1, begun), entry(2, begun), entry(1, answering)],
                "still alive",
            ),
        ];
        for (class, told, entries, rule) in lies {
            let broken = verdict(class, told.clone(), entries);
            assert!(
                broken.iter().any(|line| line.contains(rule)),
                "{rule} was not caught: {told:?} {broken:?}"
            );
        }
    }
}
