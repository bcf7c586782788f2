//! How much nobody knows of, held against how many could have been at it.

use std::collections::HashMap;

use super::{Faults, Record, Told};
use crate::ledger::Entry;

/// How many calls a worker may have with it when its service is killed: the one that it is at, and one that it has answered
/// and whose answer was not on record yet.
const OPEN_OF_A_WORKER: usize = 2;

/// What nobody knows of, which is no more than there were workers to be at it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Doubts {
    /// In doubt for a kill of the service.
    pub of_the_service: usize,
    /// The most that one of these kills left behind, of those that were begun.
    pub most_of_one: usize,
    /// In doubt for the death of a worker.
    pub of_workers: usize,
    /// The most that were begun by one worker and lost with it.
    most_of_a_worker: usize,
}

impl Doubts {
    /// Counts them.
    pub fn of(records: &[Record], ledger: &HashMap<u64, Vec<Entry>>, faults: &Faults) -> Self {
        let (mut doubts, mut by_kill, mut by_life) =
            (Self::default(), HashMap::new(), HashMap::new());
        for record in records {
            let Told::Failed { code, outcome } = &record.told else {
                continue;
            };
            let last = ledger.get(&record.id).and_then(|entries| entries.last());
            let life = last.map(Entry::life);
            match (outcome.as_str(), code.as_str()) {
                ("unknown", "outcome_unknown") => {
                    doubts.of_the_service += 1;
                    if let Some(kill) = life.and_then(|life| faults.service_kill_of(life)) {
                        *by_kill.entry(kill).or_insert(0) += 1;
                    }
                }
                ("unknown", "worker_lost") => {
                    doubts.of_workers += 1;
                    if let Some(life) = life {
                        *by_life.entry(life).or_insert(0) += 1;
                    }
                }
                _ => {}
            }
        }
        doubts.most_of_one = by_kill.into_values().max().unwrap_or(0);
        doubts.most_of_a_worker = by_life.into_values().max().unwrap_or(0);
        doubts
    }

    pub(super) fn beyond(&self, faults: &Faults, workers: usize) -> Vec<String> {
        let (of_one, kills) = (workers * OPEN_OF_A_WORKER, faults.service_kills());
        // Few kills find every worker at such a call.
        let of_all = workers * kills + workers;
        let deaths = faults.worker_deaths();
        let mut broken = Vec::new();
        if self.most_of_one > of_one || self.of_the_service > of_all {
            broken.push(format!(
                "more is unknown than {workers} workers can have had open at {kills} kills of the service: {self:?}"
            ));
        }
        if self.most_of_a_worker > 1 || self.of_workers > deaths {
            broken.push(format!(
                "more is unknown than {deaths} workers that died can have been at: {self:?}"
            ));
        }
        broken
    }
}
