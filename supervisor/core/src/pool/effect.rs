//! What a pool wants done.

use std::time::Duration;

use standin_protocol::{ErrorCode, Outcome};

use super::{EndRule, ReplayRule};
use crate::{AttemptId, Cause, KillReason, RequestId, WorkerId};

/// Why a request ended without a worker's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// The code of the answer.
    pub code: ErrorCode,
    /// The rule that decided.
    pub rule: EndRule,
    /// What is known about the effect.
    pub outcome: Outcome,
    /// How the last worker died, if one did.
    pub cause: Option<Cause>,
    /// How many times the request was sent to a worker.
    pub attempts: u32,
    /// When asking again makes sense.
    pub retry_after: Option<Duration>,
}

/// Acts, in the order in which they are to be done.
#[derive(Debug)]
pub enum Effect<P> {
    /// Start a process in this slot.
    StartWorker(WorkerId),
    /// Send the request as this attempt. Its payload is [`payload`](super::PoolCore::payload).
    Send {
        /// To whom.
        worker: WorkerId,
        /// What.
        request: RequestId,
        /// Under which name.
        attempt: AttemptId,
        /// Which attempt of the request it is, from 1.
        number: u32,
        /// How long it may take.
        timeout: Duration,
    },
    /// Tell the worker that the attempt is no longer wanted.
    CancelAttempt {
        /// Whom.
        worker: WorkerId,
        /// What.
        attempt: AttemptId,
    },
    /// Put on record that the effect may happen; until that is so, it has not been granted.
    RecordEffect {
        /// Whose.
        worker: WorkerId,
        /// Of what.
        attempt: AttemptId,
    },
    /// Answer a worker's `effect.begin`.
    AnswerEffect {
        /// Whom.
        worker: WorkerId,
        /// For what.
        attempt: AttemptId,
        /// Whether it may go on.
        granted: bool,
    },
    /// Ask the worker to end when it is done.
    Drain(WorkerId),
    /// End the worker's process tree now.
    Kill {
        /// Whom.
        worker: WorkerId,
        /// Why; note it before the kill.
        reason: KillReason,
    },
    /// Give the caller the worker's answer that is at hand.
    Deliver {
        /// To what.
        request: RequestId,
        /// What was handed in with the request.
        payload: P,
        /// How many attempts it took.
        attempts: u32,
    },
    /// Give the caller an error.
    Fail {
        /// To what.
        request: RequestId,
        /// What was handed in with the request.
        payload: P,
        /// Which.
        failure: Failure,
    },
    /// The request lost its worker and waits for the next one. For the log and the record.
    Replayed {
        /// What.
        request: RequestId,
        /// The worker that is gone.
        worker: WorkerId,
        /// How it went.
        cause: Cause,
        /// Why that can do no harm.
        rule: ReplayRule,
    },
    /// Nobody waits for the request any more. For the record.
    Abandoned {
        /// What was handed in with it.
        payload: P,
        /// What is known about the effect: none is granted any more.
        outcome: Outcome,
    },
    /// Several workers died in a blink; nobody is blamed. For the log.
    Incident {
        /// How many so far.
        deaths: usize,
    },
    /// The pool cannot start its workers, or can again.
    DegradedChanged(bool),
    /// The first new worker of a reload has started, and the old ones are replaced; or it has not, and they stay.
    ReloadDecided(bool),
    /// No old worker takes anything more.
    Reloaded,
    /// A pool that was paused has no worker any more.
    Paused,
    /// Nobody has needed the pool for a while: it stops by itself. Nothing that comes from now on is its own any more.
    Retired,
    /// Everything has ended after a stop.
    Stopped,
}
