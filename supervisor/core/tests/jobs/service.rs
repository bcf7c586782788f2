//! One life of the service: the core, its mailbox, the reads that it waits for and the attempts that it began.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use standin_core::{
    JobId,
    jobs::{Effect, Event, Fate, Interrupted, JobsCore, LaneName, Now, Routes},
};

use crate::store::{State, Store, Write};

/// What a worker is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing that could not be done again.
    Working,
    /// It waits for leave.
    Asking,
    /// It has leave, and has not used it.
    Granted,
    /// Its effect has happened.
    Effected,
}

#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) core: JobsCore,
    pub(crate) mailbox: VecDeque<Event>,
    pub(crate) reads: Vec<(LaneName, usize)>,
    pub(crate) attempts: BTreeMap<(JobId, u32), Stage>,
    pub(crate) cancelled: BTreeSet<JobId>,
    effects: Vec<Effect>,
}

impl Service {
    /// Begins a life with what the store has. No process of the one before is left.
    pub(crate) fn start(seed: u64, now: Now, routes: Routes, store: &mut Store) -> Service {
        store.bound(now.wall, Duration::ZERO);
        let mut mailbox = VecDeque::from([Event::LanesFound(store.lanes())]);
        for (job, row) in &store.rows {
            if row.state == State::Leased {
                let was_granted = store.granted.contains(&(*job, row.lease.attempt));
                let interrupted = Interrupted {
                    job: *job,
                    lane: row.lane.clone(),
                    lease: row.lease,
                    fate: match was_granted {
                        true => Fate::MayHaveHappened,
                        false => Fate::NotBegun,
                    },
                };
                mailbox.push_back(Event::Interrupted(Box::new(interrupted)));
            }
        }
        mailbox.push_back(Event::RoutesChanged(routes));
        Service {
            core: JobsCore::new(seed, now),
            mailbox,
            reads: Vec::new(),
            attempts: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            effects: Vec::new(),
        }
    }

    pub(crate) fn handle(&mut self, now: Now, event: Event, store: &mut Store) {
        self.core.handle(now, event, &mut self.effects);
        for effect in self.effects.drain(..) {
            match effect {
                Effect::Load { lane, limit } => self.reads.push((lane, limit)),
                Effect::Lease {
                    job,
                    due,
                    unrecorded,
                } => store.writes.push_back(Write::Lease {
                    job,
                    due,
                    unrecorded,
                }),
                Effect::Run { job, attempt } => {
                    let before = self.attempts.insert((job, attempt), Stage::Working);
                    assert_eq!(before, None, "an attempt is begun once");
                }
                Effect::CancelAttempt(job) => drop(self.cancelled.insert(job)),
                Effect::Settle {
                    job,
                    attempt,
                    next,
                    outcome,
                } => store.writes.push_back(Write::Settle {
                    job,
                    attempt,
                    next,
                    outcome,
                }),
                Effect::BoundRetries { set_back } => store.writes.push_back(Write::Bound {
                    now: now.wall,
                    set_back,
                }),
            }
        }
    }
}
