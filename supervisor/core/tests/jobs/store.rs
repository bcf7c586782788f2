//! The store: rows that are committed, and writes on their way, in their order.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use standin_core::{
    JobId,
    jobs::{Due, Event, LaneName, Lease, Next, RetryPolicy, WallTime},
};
use standin_protocol::Outcome;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    Queued,
    Leased,
    Done,
    Dead,
    Unknown,
    Cancelled,
}

impl State {
    pub(crate) fn is_open(self) -> bool {
        matches!(self, State::Queued | State::Leased)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) lane: LaneName,
    pub(crate) state: State,
    pub(crate) due: Due,
    /// How long it was meant to wait, if for another try.
    pub(crate) pause: Duration,
    pub(crate) lease: Lease,
}

#[derive(Debug, Clone)]
pub(crate) enum Write {
    Submit {
        job: JobId,
        row: Row,
    },
    Lease {
        job: JobId,
        due: Due,
        unrecorded: bool,
    },
    Settle {
        job: JobId,
        attempt: u32,
        next: Next,
        outcome: Outcome,
    },
    Cancel(JobId),
    /// A person sends it again.
    Retry(JobId),
    Grant {
        job: JobId,
        attempt: u32,
    },
    Bound {
        now: WallTime,
        set_back: Duration,
    },
}

/// What a commit leads to.
#[derive(Debug)]
pub(crate) enum Committed {
    Tell(Event),
    Submitted(JobId, Event),
    Retried(Event),
    Granted { job: JobId, attempt: u32 },
    Nothing,
}

#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) rows: BTreeMap<JobId, Row>,
    pub(crate) granted: BTreeSet<(JobId, u32)>,
    pub(crate) writes: VecDeque<Write>,
    /// How many jobs a person has sent again, though they may have happened.
    pub(crate) dared: BTreeMap<JobId, u32>,
}

impl Store {
    /// Commits the next write.
    pub(crate) fn commit(&mut self) -> Committed {
        let Some(write) = self.writes.pop_front() else {
            return Committed::Nothing;
        };
        match write {
            Write::Submit { job, row } => {
                let (lane, due) = (row.lane.clone(), row.due);
                self.rows.insert(job, row);
                Committed::Submitted(job, Event::Queued { job, lane, due })
            }
            Write::Lease {
                job,
                due,
                unrecorded,
            } => {
                let row = self.rows.get_mut(&job).expect("only known jobs are leased");
                if row.state != State::Queued || row.due != due {
                    return Committed::Tell(Event::NotLeased { job, gone: true });
                }
                row.state = State::Leased;
                row.lease.attempt += 1;
                row.lease.unrecorded = unrecorded;
                let lease = row.lease;
                Committed::Tell(Event::Leased { job, lease })
            }
            Write::Settle {
                job,
                attempt,
                next,
                outcome,
            } => {
                let row = self
                    .rows
                    .get_mut(&job)
                    .expect("only known jobs are settled");
                if row.state == State::Leased && row.lease.attempt == attempt {
                    row.settle(next);
                    (row.lease.outcome, row.lease.unrecorded) = (outcome, false);
                    self.granted.remove(&(job, attempt));
                }
                Committed::Tell(Event::Settled { job })
            }
            Write::Cancel(job) => {
                let row = self
                    .rows
                    .get_mut(&job)
                    .expect("only known jobs are cancelled");
                match row.state {
                    State::Queued => row.state = State::Cancelled,
                    State::Leased => row.lease.cancel_requested = true,
                    _ => return Committed::Nothing,
                }
                Committed::Tell(Event::CancelRequested(job))
            }
            Write::Retry(job) => {
                let row = self
                    .rows
                    .get_mut(&job)
                    .expect("only known jobs are retried");
                if !matches!(row.state, State::Dead | State::Unknown) {
                    return Committed::Nothing;
                }
                if row.state == State::Unknown {
                    *self.dared.entry(job).or_default() += 1;
                }
                (row.state, row.due) = (State::Queued, Due::AtOnce);
                (row.lease.failures, row.lease.interrupted) = (0, 0);
                row.lease.cancel_requested = false;
                let lane = LaneName {
                    kind: row.due.kind(),
                    ..row.lane.clone()
                };
                let due = row.due;
                Committed::Retried(Event::Queued { job, lane, due })
            }
            Write::Grant { job, attempt } => {
                self.granted.insert((job, attempt));
                Committed::Granted { job, attempt }
            }
            Write::Bound { now, set_back } => {
                self.bound(now, set_back);
                Committed::Tell(Event::RetriesBounded)
            }
        }
    }

    pub(crate) fn bound(&mut self, now: WallTime, set_back: Duration) {
        for row in self.rows.values_mut() {
            if let (State::Queued, Due::Retry(at)) = (row.state, &mut row.due) {
                *at = at.earlier(set_back).min(now + row.pause);
            }
        }
    }

    pub(crate) fn waiting(&self) -> impl Iterator<Item = (JobId, &Row)> {
        let rows = self.rows.iter().map(|(job, row)| (*job, row));
        rows.filter(|(_, row)| row.state == State::Queued)
    }

    pub(crate) fn lanes(&self) -> Vec<LaneName> {
        let lanes: BTreeSet<LaneName> = self
            .waiting()
            .map(|(_, row)| LaneName {
                kind: row.due.kind(),
                ..row.lane.clone()
            })
            .collect();
        lanes.into_iter().collect()
    }

    pub(crate) fn load(&self, lane: &LaneName, limit: usize) -> Event {
        let waiting = self.waiting().filter(|(_, row)| {
            (&row.lane.user, &row.lane.method, row.due.kind())
                == (&lane.user, &lane.method, lane.kind)
        });
        let mut jobs: Vec<_> = waiting.map(|(job, row)| (row.due.order(), job)).collect();
        jobs.sort_unstable();
        let complete = jobs.len() < limit;
        jobs.truncate(limit);
        let lane = lane.clone();
        Event::Loaded {
            lane,
            jobs,
            complete,
        }
    }
}

impl Row {
    pub(crate) fn new(lane: LaneName, due: Due, retry: RetryPolicy) -> Row {
        let lease = Lease {
            attempt: 0,
            failures: 0,
            interrupted: 0,
            retry,
            cancel_requested: false,
            outcome: Outcome::NotExecuted,
            unrecorded: false,
        };
        Row {
            lane,
            state: State::Queued,
            due,
            pause: Duration::ZERO,
            lease,
        }
    }

    fn settle(&mut self, next: Next) {
        self.state = match next {
            Next::Done => State::Done,
            Next::Dead => State::Dead,
            Next::Unknown => State::Unknown,
            Next::Cancelled => State::Cancelled,
            Next::Again {
                due,
                pause,
                failures,
                interrupted,
            } => {
                (self.due, self.pause) = (due, pause);
                (self.lease.failures, self.lease.interrupted) = (failures, interrupted);
                match self.lease.cancel_requested {
                    true => State::Cancelled,
                    false => State::Queued,
                }
            }
        };
    }
}
