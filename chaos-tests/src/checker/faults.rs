//! What was done to workers and to the service, and whether it touched an attempt.

use std::collections::HashMap;

use super::Record;
use crate::ledger::{Entry, Life, Step};

/// A kill: noted before it is done, and once more when it was. Of the service: when it was seen dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kill {
    pub from_ns: u64,
    pub done_ns: u64,
}

/// Who was killed, by their numbers. The system may give a number again to a later process, which on Windows it does within
/// seconds.
pub type Kills = HashMap<u32, Vec<Kill>>;

/// A process that was killed may still be at its last line, on another processor. Whatever writes later was not killed.
const LAST_LINE_NS: u64 = 100_000_000;

/// What was done: whoever was told `unknown`, or lost an attempt, must have been hit by some of it.
#[derive(Debug, Default)]
pub struct Faults {
    /// The kill of each life of a worker that was killed by itself.
    killed: HashMap<Life, Kill>,
    /// From when on each life was at a request that is the end of it. A worker is at one request at a time, so what it had
    /// before is not touched.
    deadly_ns: HashMap<Life, u64>,
    /// The kills of the service, and of all of its workers with it, in order.
    service: Vec<Kill>,
    /// When something happened to a worker, in order.
    at_ns: Vec<u64>,
    /// When each life wrote its last line.
    last_ns: HashMap<Life, u64>,
}

impl Faults {
    /// All that happened: kills of workers, kills of the service, which are in order, and requests that were the end of
    /// their workers.
    pub fn of(
        records: &[Record],
        ledger: &HashMap<u64, Vec<Entry>>,
        kills: &Kills,
        service: &[Kill],
    ) -> Self {
        let mut last_ns: HashMap<Life, u64> = HashMap::new();
        for entry in ledger.values().flatten() {
            let last = last_ns.entry(entry.life()).or_default();
            *last = (*last).max(entry.at_ns);
        }
        let deadly = records.iter().filter(|record| record.is_deadly());
        let begun = deadly
            .filter_map(|record| ledger.get(&record.id))
            .flatten()
            .filter(|entry| entry.step == Step::Begun);
        let mut deadly_ns: HashMap<Life, u64> = HashMap::new();
        for entry in begun {
            let first = deadly_ns.entry(entry.life()).or_insert(entry.at_ns);
            *first = (*first).min(entry.at_ns);
        }
        let own = kills.values().flatten().map(|kill| kill.from_ns);
        let mut at_ns: Vec<u64> = own.chain(deadly_ns.values().copied()).collect();
        at_ns.sort_unstable();
        Self {
            killed: killed(&last_ns, kills),
            deadly_ns,
            service: service.to_vec(),
            at_ns,
            last_ns,
        }
    }

    /// When the process that wrote this was killed, by itself or with its service, if that was before `until_ns`.
    pub(crate) fn killed(&self, entry: &Entry, until_ns: u64) -> Option<u64> {
        let own = self.killed.get(&entry.life());
        let kills = [own, self.with_its_service(entry.life())];
        let first = kills.into_iter().flatten().map(|kill| kill.from_ns).min();
        first.filter(|at| *at <= until_ns)
    }

    /// The kill of the service that a life belonged to. What a later service has started was not there yet.
    fn with_its_service(&self, (_, born_ns): Life) -> Option<&Kill> {
        let first = self.service.partition_point(|kill| kill.done_ns < born_ns);
        self.service.get(first)
    }

    /// Whether a request was the end of the process that wrote this, or already had been.
    fn was_deadly(&self, entry: &Entry) -> bool {
        let from = self.deadly_ns.get(&entry.life());
        from.is_some_and(|from| *from <= entry.at_ns)
    }

    /// Whether anything ended the attempt that wrote this before `until_ns`.
    pub(super) fn hit(&self, entry: &Entry, until_ns: u64) -> bool {
        self.was_deadly(entry) || self.killed(entry, until_ns).is_some()
    }

    /// Whether a death explains that nobody knows what became of a request. One that its worker never began can only be
    /// tied to a fault by the time; one that was begun, by the process of its last attempt, since nothing is sent again
    /// of which nobody knows.
    pub(super) fn justify(&self, record: &Record, code: &str, entries: &[Entry]) -> bool {
        let last = entries.last();
        match (code, last) {
            ("outcome_unknown", None) => self.is_service_killed(record.begun_ns, record.ended_ns),
            ("outcome_unknown", Some(last)) => self
                .with_its_service(last.life())
                .is_some_and(|kill| kill.from_ns <= record.ended_ns),
            ("worker_lost", None) => self.is_worker_hit(record.begun_ns, record.ended_ns),
            ("worker_lost", Some(last)) => {
                let own = self.killed.get(&last.life());
                self.was_deadly(last) || own.is_some_and(|kill| kill.from_ns <= record.ended_ns)
            }
            ("poisoned", Some(_)) => record.is_deadly(),
            _ => false,
        }
    }

    fn is_service_killed(&self, from_ns: u64, to_ns: u64) -> bool {
        let first = self.service.partition_point(|kill| kill.done_ns < from_ns);
        let kill = self.service.get(first);
        kill.is_some_and(|kill| kill.from_ns <= to_ns)
    }

    fn is_worker_hit(&self, from_ns: u64, to_ns: u64) -> bool {
        // It is noted before it is done, so it may have been a little before the call.
        let from_ns = from_ns.saturating_sub(LAST_LINE_NS);
        let first = self.at_ns.partition_point(|at| *at < from_ns);
        self.at_ns.get(first).is_some_and(|at| *at <= to_ns)
    }

    /// Which kill of the service, by its place among them, a life was ended by.
    pub(super) fn service_kill_of(&self, life: Life) -> Option<usize> {
        let first = self.service.partition_point(|kill| kill.done_ns < life.1);
        (first < self.service.len()).then_some(first)
    }

    pub(super) fn service_kills(&self) -> usize {
        self.service.len()
    }

    /// Deaths of workers that were not those of their service.
    pub(super) fn worker_deaths(&self) -> usize {
        self.at_ns.len()
    }

    /// Processes that wrote after their service was dead.
    pub(super) fn orphans(&self) -> Vec<Life> {
        let outlived = self.last_ns.iter().filter(|(life, last_ns)| {
            let kill = self.with_its_service(**life);
            kill.is_some_and(|kill| **last_ns > kill.done_ns + LAST_LINE_NS)
        });
        outlived.map(|(life, _)| *life).collect()
    }
}

/// The kill of each life. It is the last one of its number that had begun by then, and wrote nothing any more.
fn killed(last_ns: &HashMap<Life, u64>, kills: &Kills) -> HashMap<Life, Kill> {
    let mut killed: HashMap<Life, Kill> = HashMap::new();
    let mut births: HashMap<u32, Vec<u64>> = HashMap::new();
    for (pid, born_ns) in last_ns.keys() {
        births.entry(*pid).or_default().push(*born_ns);
    }
    for (pid, kills) in kills {
        let Some(births) = births.get(pid) else {
            continue;
        };
        for kill in kills {
            let born = births.iter().copied().filter(|born| *born <= kill.done_ns);
            let Some(life) = born.max().map(|born_ns| (*pid, born_ns)) else {
                continue;
            };
            if last_ns[&life] <= kill.done_ns + LAST_LINE_NS {
                let first = killed.entry(life).or_insert(*kill);
                if kill.from_ns < first.from_ns {
                    *first = *kill;
                }
            }
        }
    }
    killed
}
