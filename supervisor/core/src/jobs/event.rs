//! What happens to jobs, and what is to be done about it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use rustc_hash::FxHashMap;
use standin_protocol::{Outcome, Replay};

use super::{Answer, RetryPolicy, WallTime};
use crate::JobId;

/// When a waiting job is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// As soon as there is room, whatever a clock says.
    AtOnce,
    /// At a time of day that its owner named.
    At(WallTime),
    /// For another try, or because the service had no time for it.
    Retry(WallTime),
}

impl Due {
    /// The kind of lane it waits in.
    #[must_use]
    pub const fn kind(self) -> LaneKind {
        match self {
            Due::AtOnce => LaneKind::AtOnce,
            Due::At(_) => LaneKind::At,
            Due::Retry(_) => LaneKind::Retry,
        }
    }

    /// Its place in the lane.
    #[must_use]
    pub const fn order(self) -> WallTime {
        match self {
            Due::AtOnce => WallTime(0),
            Due::At(at) | Due::Retry(at) => at,
        }
    }
}

/// The three ways to wait. Each has lanes of its own, so that none hides the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LaneKind {
    /// [`Due::AtOnce`].
    AtOnce,
    /// [`Due::At`].
    At,
    /// [`Due::Retry`].
    Retry,
}

/// Jobs that take turns with others as one: a user's, for one method, waiting in the same way. So a thousand mails of
/// one user hold up neither another user's nor the same user's reports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneName {
    /// Whose.
    pub user: Arc<str>,
    /// What they ask for.
    pub method: Bytes,
    /// How they wait.
    pub kind: LaneKind,
}

impl LaneName {
    pub(super) fn with_kind(self, kind: LaneKind) -> LaneName {
        LaneName { kind, ..self }
    }

    pub(super) fn is_due(&self, at: WallTime, now: WallTime) -> bool {
        self.kind == LaneKind::AtOnce || at <= now
    }

    pub(super) fn due(&self, at: WallTime) -> Due {
        match self.kind {
            LaneKind::AtOnce => Due::AtOnce,
            LaneKind::At => Due::At(at),
            LaneKind::Retry => Due::Retry(at),
        }
    }
}

/// What the store says of a job as it leases it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The number of this sending, from 1; never used twice for a job.
    pub attempt: u32,
    /// How many tries failed since it was submitted, or sent again by a person.
    pub failures: u32,
    /// How many times in a row the service ended while it had the job.
    pub interrupted: u32,
    /// Its owner's wishes.
    pub retry: RetryPolicy,
    /// Its owner has taken it back.
    pub cancel_requested: bool,
    /// What is known of all tries before this one together, those before a person sent it again as well.
    pub outcome: Outcome,
    /// This one may be begun with nothing on record: see [`Effect::Lease`].
    pub unrecorded: bool,
}

/// What is known of an attempt that an earlier life of the service did not finish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing was put on record: whatever was begun can be begun again.
    NotBegun,
    /// It was given leave for its effect, or must not be begun twice and may have been.
    MayHaveHappened,
    /// Its answer is on record.
    Answered(Answer),
}

/// A job that was leased when an earlier life of the service ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupted {
    /// Which.
    pub job: JobId,
    /// Where it had waited; the kind does not matter.
    pub lane: LaneName,
    /// The lease it was under.
    pub lease: Lease,
    /// What is known.
    pub fate: Fate,
}

/// Who offers what, and how many jobs each pool may have at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    /// Jobs at a time, by the pool's name.
    pub pools: BTreeMap<Arc<str>, usize>,
    /// Where each method is.
    pub methods: FxHashMap<Bytes, MethodRoute>,
}

/// Who offers a method, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodRoute {
    /// The pool's name.
    pub pool: Arc<str>,
    /// Its class.
    pub replay: Replay,
}

impl Routes {
    /// The pool, or the empty name.
    pub(super) fn pool_of(&self, method: &Bytes) -> Arc<str> {
        let route = self.methods.get(method);
        route.map_or_else(|| Arc::from(""), |route| Arc::clone(&route.pool))
    }

    /// Whether it may be begun with nothing on record. Of a method that is not known yet nobody can say that it may not.
    pub(super) fn is_unrecorded(&self, method: &Bytes) -> bool {
        let route = self.methods.get(method);
        route.is_none_or(|route| route.replay == Replay::Always)
    }
}

/// Facts, and orders. What the store has done is told after it was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Lanes that have waiting jobs in the store. Told before anything is queued, and from time to time, so that news
    /// that went astray cost time and nothing else.
    LanesFound(Vec<LaneName>),
    /// A job was leased when an earlier life ended, and no process of that life is left.
    Interrupted(Box<Interrupted>),
    /// A job waits: it is new, or a person sent it again.
    Queued {
        /// Which.
        job: JobId,
        /// Where.
        lane: LaneName,
        /// Until when.
        due: Due,
    },
    /// The first waiting jobs of a lane, in their order.
    Loaded {
        /// Of which lane.
        lane: LaneName,
        /// Places and jobs.
        jobs: Vec<(WallTime, JobId)>,
        /// There are no more.
        complete: bool,
    },
    /// A lane could not be read.
    NotLoaded(LaneName),
    /// The store has noted that the job is ours.
    Leased {
        /// Which.
        job: JobId,
        /// What it says of it.
        lease: Lease,
    },
    /// The job was not leased.
    NotLeased {
        /// Which.
        job: JobId,
        /// It does not wait any more, or not for this; otherwise the store could not write.
        gone: bool,
    },
    /// An attempt has its answer.
    Answered {
        /// Of which job.
        job: JobId,
        /// Which attempt.
        attempt: u32,
        /// What it was.
        answer: Answer,
    },
    /// The store has noted that the owner takes the job back; one that waits has ended by that.
    CancelRequested(JobId),
    /// What [`Effect::Settle`] wanted is in the store.
    Settled {
        /// Of which job.
        job: JobId,
    },
    /// The store could not take it.
    NotSettled {
        /// Of which job.
        job: JobId,
    },
    /// [`Effect::BoundRetries`] is done.
    RetriesBounded,
    /// Pools have said what they offer.
    RoutesChanged(Routes),
    /// Begin nothing more.
    Stop,
    /// The time that [`next_wakeup`](super::JobsCore::next_wakeup) named has come.
    TimePassed,
}

/// What becomes of a job after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is done; the result is kept.
    Done,
    /// It waits again.
    Again {
        /// Until when.
        due: Due,
        /// How long that is from now: what was meant, should the clock turn out to be wrong.
        pause: Duration,
        /// How many tries have failed by now.
        failures: u32,
        /// How many times in a row the service ended while it had the job.
        interrupted: u32,
    },
    /// It failed for good, and certainly nothing more happens.
    Dead,
    /// It may have happened. Only a person sends it again.
    Unknown,
    /// Its owner took it back before anything happened.
    Cancelled,
}

/// Acts, in the order in which they are to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Read the first waiting jobs of a lane.
    Load {
        /// Which.
        lane: LaneName,
        /// How many.
        limit: usize,
    },
    /// Note that the job is ours, if it still waits for exactly this, and count the attempt.
    Lease {
        /// Which.
        job: JobId,
        /// As what it waits.
        due: Due,
        /// What may run as often as one likes is begun with nothing on record, so that after a death of the service this
        /// is all that tells that it may have happened.
        unrecorded: bool,
    },
    /// Begin the attempt.
    Run {
        /// Of which job.
        job: JobId,
        /// Its number.
        attempt: u32,
    },
    /// Tell the one who works on it that it is no longer wanted. The attempt is answered all the same.
    CancelAttempt(JobId),
    /// Write what becomes of the job, with the answer at hand, if it is still under this attempt.
    Settle {
        /// Which.
        job: JobId,
        /// Under which attempt.
        attempt: u32,
        /// What becomes of it.
        next: Next,
        /// What is known of all its tries together.
        outcome: Outcome,
    },
    /// The wall clock was set back: what waits for its next try is due so much earlier by it, and never waits longer from
    /// now than the pause that was meant.
    BoundRetries {
        /// By how much.
        set_back: Duration,
    },
}
