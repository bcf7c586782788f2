//! What happens to a pool.

use std::time::{Duration, Instant};

use standin_protocol::Replay;

use super::EndRule;
use crate::{AttemptId, Cause, RequestId, SessionId, UserId, WorkerId};

/// A request as it reaches the pool. `payload` is whatever the caller wants back with the effects.
#[derive(Debug)]
pub struct Submission<P> {
    /// Its name.
    pub request: RequestId,
    /// Who asks; the queue is fair between sessions.
    pub session: SessionId,
    /// For whom; none has all of the queue.
    pub user: UserId,
    /// When it may be sent a second time. `meta.idempotent` has been taken into account.
    pub replay: Replay,
    /// When the caller stops waiting.
    pub deadline: Instant,
    /// How long one attempt may take; `None`: as the pool is set.
    pub attempt_timeout: Option<Duration>,
    /// Bytes of its parameters.
    pub size: usize,
    /// Handed back with the effects.
    pub payload: P,
}

/// Facts, in the past tense, and orders.
#[derive(Debug)]
pub enum Event<P> {
    /// A session asks.
    Submit(Submission<P>),
    /// The caller takes its request back and wants an answer to it.
    Cancel(RequestId),
    /// The caller is gone; nobody wants the answer.
    Abandon(RequestId),
    /// Somebody wants a worker, now, even if the pool has given up for a while.
    StartRequested,
    /// Another program is in the place of the workers': replace them all, if the new ones start.
    ReloadRequested,
    /// Finish what runs, take nothing more and end the workers, until somebody wants one.
    PauseRequested,
    /// A worker said hello.
    WorkerReady {
        /// Which.
        worker: WorkerId,
        /// How many requests it takes at a time.
        concurrency: u32,
    },
    /// A worker answered an attempt, well or badly.
    Answered {
        /// Which.
        worker: WorkerId,
        /// What.
        attempt: AttemptId,
    },
    /// A worker asks for leave to do what cannot be undone.
    EffectRequested {
        /// Which.
        worker: WorkerId,
        /// For what.
        attempt: AttemptId,
        /// Nothing has to be put on record before it is granted: it is there already, or need not be.
        is_on_record: bool,
    },
    /// That the effect may happen is on record. The worker has not heard of it.
    EffectRecorded {
        /// Which worker.
        worker: WorkerId,
        /// For what.
        attempt: AttemptId,
    },
    /// An attempt could not be put on record, or is no longer wanted, and was not given to its worker.
    NotSent {
        /// Which worker.
        worker: WorkerId,
        /// What.
        attempt: AttemptId,
        /// The rule for the answer, if the caller still waits.
        why: EndRule,
    },
    /// The grant of an effect could not be put on record. The worker has not heard of it.
    GrantRefused {
        /// Which worker.
        worker: WorkerId,
        /// For what.
        attempt: AttemptId,
        /// The rule for the answer, if the caller still waits.
        why: EndRule,
    },
    /// A worker shows that it is getting on.
    Progressed {
        /// Which.
        worker: WorkerId,
        /// With what.
        attempt: AttemptId,
    },
    /// A worker asks the client whose call it works on. Until that is answered it is not the worker who is slow.
    ClientAsked {
        /// Which.
        worker: WorkerId,
        /// In the course of what.
        attempt: AttemptId,
    },
    /// The worker has the answer.
    ClientAnswered {
        /// Which.
        worker: WorkerId,
        /// To what.
        attempt: AttemptId,
    },
    /// A worker sent something that no worker may send.
    ProtocolViolated(WorkerId),
    /// A worker's process is dead, confirmed.
    WorkerExited {
        /// Which.
        worker: WorkerId,
        /// Why.
        cause: Cause,
        /// Attempts of which not a byte was given to its pipe.
        unsent: Vec<AttemptId>,
    },
    /// A worker's resident memory was measured, in bytes.
    MemoryMeasured {
        /// Which.
        worker: WorkerId,
        /// How much.
        rss: u64,
    },
    /// The machine is, or is no longer, starved: lateness proves nothing.
    Starved(bool),
    /// Another user needs a pool, and there are as many as may be: end, if nobody has needed this one lately.
    RoomWanted,
    /// Take nothing more, finish by then, end the workers.
    Stop {
        /// When what still runs is ended.
        deadline: Instant,
    },
    /// The time that [`next_wakeup`](super::PoolCore::next_wakeup) named has come.
    TimePassed,
}
