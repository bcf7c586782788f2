//! What happens in a life, step by step.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use standin_core::{
    JobId, Random,
    jobs::{Due, Event, LaneKind, LaneName, MethodRoute, Now, RetryPolicy, Routes, WallTime},
};
use standin_protocol::Replay;

use crate::{
    service::{Service, Stage},
    store::{Committed, Row, State, Store, Write},
};

/// How often what was seen.
pub(crate) type Seen = BTreeMap<&'static str, u64>;

/// When nothing waits, a look at what the core still believes to wait.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

const METHODS: [(&str, Replay, &str); 4] = [
    ("mail", Replay::UntilEffect, "builtin"),
    ("fetch", Replay::Always, "builtin"),
    ("print", Replay::Never, "printer"),
    ("absent", Replay::Never, ""),
];

pub(crate) struct Life {
    pub(crate) random: Random,
    pub(crate) start: Instant,
    pub(crate) elapsed: Duration,
    /// How far the wall clock is from the other one.
    pub(crate) wall: i64,
    pub(crate) limits: BTreeMap<Arc<str>, usize>,
    pub(crate) store: Store,
    pub(crate) service: Service,
    pub(crate) acknowledged: BTreeSet<JobId>,
    pub(crate) effects: BTreeMap<JobId, u32>,
    /// Jobs of which something has happened, those that may run as often as one likes as well.
    pub(crate) happened: BTreeSet<JobId>,
    /// Jobs of which there was a moment after which nobody could know.
    pub(crate) unsure: BTreeSet<JobId>,
    /// Pools that have refused somebody's job, and answered for none of theirs since; and when.
    pub(crate) refused: BTreeMap<(Arc<str>, &'static str), Duration>,
    pub(crate) seen: Seen,
    last_job: i64,
}

pub(crate) fn replay_of(method: &[u8]) -> Replay {
    let found = METHODS.iter().find(|(name, ..)| name.as_bytes() == method);
    found.expect("there are only these").1
}

impl Life {
    pub(crate) fn new(seed: u64, start: Instant) -> Life {
        let mut random = Random::new(seed);
        let limits: BTreeMap<Arc<str>, usize> = [("builtin", 3), ("printer", 2)]
            .into_iter()
            .map(|(pool, most)| (Arc::from(pool), 1 + random.below(most) as usize))
            .collect();
        let mut store = Store::default();
        let now = Now {
            steady: start,
            wall: WallTime(1 << 40),
        };
        let service = Service::start(seed, now, routes(&limits), &mut store);
        Life {
            random,
            start,
            elapsed: Duration::ZERO,
            wall: 1 << 40,
            limits,
            store,
            service,
            acknowledged: BTreeSet::new(),
            effects: BTreeMap::new(),
            happened: BTreeSet::new(),
            unsure: BTreeSet::new(),
            refused: BTreeMap::new(),
            seen: Seen::new(),
            last_job: 0,
        }
    }

    pub(crate) fn live(&mut self) {
        let steps = 50 + self.random.below(400);
        for _ in 0..steps {
            self.step();
            self.check();
        }
        self.calm_down();
        self.check_end();
    }

    pub(crate) fn now(&self) -> Now {
        let wall = self.wall + self.elapsed.as_millis() as i64;
        Now {
            steady: self.start + self.elapsed,
            wall: WallTime(wall.max(0) as u64),
        }
    }

    pub(crate) fn saw(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..15 => self.submit(),
            15..45 => self.commit(),
            45..65 => self.deliver(),
            65..72 => self.read(),
            72..88 => self.work(),
            88..91 => self.pass(),
            91..93 => self.person_retries(),
            93 => self.owner_cancels(),
            94 => self.tell_lanes(),
            95..97 => self.refuse(),
            97 => self.clock_jumps(),
            _ => self.kill(),
        }
    }

    fn submit(&mut self) {
        for _ in 0..=self.random.below(3) {
            self.last_job += 1;
            let (method, ..) = METHODS[self.random.below(4) as usize];
            let now = self.now().wall;
            let due = match self.random.below(3) {
                0 => Due::At(now + Duration::from_secs(self.random.below(10_000))),
                _ => Due::AtOnce,
            };
            let lane = LaneName {
                user: Arc::from(["anna", "bert"][self.random.below(2) as usize]),
                method: Bytes::from_static(method.as_bytes()),
                kind: due.kind(),
            };
            let retry = RetryPolicy {
                attempts_max: 1 + self.random.below(6) as u32,
                backoff: Duration::from_secs(self.random.below(100)),
                backoff_max: Duration::from_secs(1000),
            };
            let row = Row::new(lane, due, retry);
            let job = JobId(self.last_job);
            self.store.writes.push_back(Write::Submit { job, row });
        }
    }

    fn commit(&mut self) {
        match self.store.commit() {
            Committed::Tell(event) => self.service.mailbox.push_back(event),
            Committed::Submitted(job, event) => {
                self.acknowledged.insert(job);
                self.service.mailbox.push_back(event);
            }
            Committed::Retried(event) => {
                self.saw("a person sends a job again");
                self.service.mailbox.push_back(event);
            }
            Committed::Granted { job, attempt } => {
                if let Some(stage) = self.service.attempts.get_mut(&(job, attempt)) {
                    *stage = Stage::Granted;
                }
            }
            Committed::Nothing => {}
        }
    }

    /// The store is full: the next write that can be refused is.
    fn refuse(&mut self) {
        let event = match self.store.writes.front() {
            Some(Write::Lease { job, .. }) => Event::NotLeased {
                job: *job,
                gone: false,
            },
            Some(Write::Settle { job, .. }) => Event::NotSettled { job: *job },
            _ => return,
        };
        self.saw("the store is full");
        self.store.writes.pop_front();
        self.service.mailbox.push_back(event);
    }

    fn deliver(&mut self) {
        if let Some(event) = self.service.mailbox.pop_front() {
            let now = self.now();
            self.service.handle(now, event, &mut self.store);
        }
    }

    fn read(&mut self) {
        if self.service.reads.is_empty() {
            return;
        }
        let which = self.random.below(self.service.reads.len() as u64) as usize;
        let (lane, limit) = self.service.reads.swap_remove(which);
        let event = match self.random.below(20) {
            0 => Event::NotLoaded(lane),
            _ => self.store.load(&lane, limit),
        };
        self.service.mailbox.push_back(event);
    }

    fn pass(&mut self) {
        let ahead = match self.service.core.next_wakeup() {
            Some(at) if self.random.below(2) == 0 => {
                at.saturating_duration_since(self.now().steady)
            }
            _ => Duration::from_millis(self.random.below(100_000)),
        };
        self.elapsed += ahead;
        self.service.mailbox.push_back(Event::TimePassed);
    }

    fn person_retries(&mut self) {
        let candidates = self.store.rows.iter();
        let dead = candidates.filter(|(_, row)| matches!(row.state, State::Dead | State::Unknown));
        let dead: Vec<JobId> = dead.map(|(job, _)| *job).collect();
        if !dead.is_empty() {
            let job = dead[self.random.below(dead.len() as u64) as usize];
            self.store.writes.push_back(Write::Retry(job));
        }
    }

    fn tell_lanes(&mut self) {
        let lanes = Event::LanesFound(self.store.lanes());
        self.service.mailbox.push_back(lanes);
    }

    fn owner_cancels(&mut self) {
        let open = self
            .store
            .rows
            .iter()
            .filter(|(_, row)| row.state.is_open());
        let open: Vec<JobId> = open.map(|(job, _)| *job).collect();
        if !open.is_empty() {
            let job = open[self.random.below(open.len() as u64) as usize];
            self.store.writes.push_back(Write::Cancel(job));
        }
    }

    fn clock_jumps(&mut self) {
        self.saw("the clock jumps");
        let far = self.random.below(1 << 36) as i64;
        self.wall += match self.random.below(2) {
            0 => far,
            _ => -far,
        };
    }

    fn kill(&mut self) {
        // Something may happen in the last moment, and some of what is on its way still arrives.
        self.work();
        for _ in 0..self.random.below(self.store.writes.len() as u64 + 1) {
            let _ = self.store.commit();
        }
        self.store.writes.clear();
        self.saw("the service is killed");
        self.nobody_knows();
        self.refused.clear();
        let (seed, now) = (self.random.next_u64(), self.now());
        self.service = Service::start(seed, now, routes(&self.limits), &mut self.store);
        let unsure = self.service.mailbox.iter().filter(|event| {
            matches!(event, Event::Interrupted(interrupted)
                if interrupted.fate == standin_core::jobs::Fate::MayHaveHappened)
        });
        if unsure.count() > 0 {
            self.saw("a job may have happened when the service was killed");
        }
    }

    /// What becomes of jobs that are leased when the service dies.
    fn nobody_knows(&mut self) {
        for ((job, _), stage) in &self.service.attempts {
            let replay = replay_of(&self.store.rows[job].lane.method);
            if (replay, *stage) == (Replay::Always, Stage::Working) && self.random.below(2) == 0 {
                self.happened.insert(*job);
            }
        }
        for (job, row) in &self.store.rows {
            let was_granted = self.store.granted.contains(&(*job, row.lease.attempt));
            if row.state == State::Leased && (was_granted || row.lease.unrecorded) {
                self.unsure.insert(*job);
            }
        }
    }

    /// No more faults: everything that waits is done, until nothing is left to do.
    fn calm_down(&mut self) {
        // The clock may have jumped just now.
        self.service.mailbox.push_back(Event::TimePassed);
        for _ in 0..100_000 {
            let busy = !self.store.writes.is_empty()
                || !self.service.mailbox.is_empty()
                || !self.service.reads.is_empty()
                || !self.service.attempts.is_empty();
            if busy {
                self.commit();
                self.deliver();
                self.read();
                self.work();
                self.check();
                continue;
            }
            self.check_nothing_due_waits();
            let Some(at) = self.service.core.next_wakeup() else {
                return;
            };
            // Long waits, for a time of day that was years away by a wrong clock, are not lived through look by look.
            let now = self.now();
            let first = self.store.waiting().map(|(_, row)| row.due.order()).min();
            let ahead = first.map_or(YEAR, |at| at.saturating_since(now.wall));
            self.elapsed += ahead.max(at.saturating_duration_since(now.steady));
            self.service.mailbox.push_back(Event::TimePassed);
        }
        let rows: Vec<_> = self
            .store
            .rows
            .values()
            .filter(|row| row.state.is_open())
            .collect();
        panic!("it does not come to an end: {rows:?}");
    }
}

fn routes(limits: &BTreeMap<Arc<str>, usize>) -> Routes {
    let methods = METHODS.iter().filter(|(.., pool)| !pool.is_empty());
    Routes {
        pools: limits.clone(),
        methods: methods
            .map(|(method, replay, pool)| {
                let (pool, replay) = (Arc::from(*pool), *replay);
                let route = MethodRoute { pool, replay };
                (Bytes::from_static(method.as_bytes()), route)
            })
            .collect(),
    }
}

pub(crate) fn pool_of(method: &[u8]) -> &'static str {
    let found = METHODS.iter().find(|(name, ..)| name.as_bytes() == method);
    found.expect("there are only these").2
}

pub(crate) fn is_due(row: &Row, now: WallTime) -> bool {
    row.due.kind() == LaneKind::AtOnce || row.due.order() <= now
}
