//! What becomes of a job after an attempt. The only place where a second try is allowed.

use std::time::Duration;

use standin_protocol::{ErrorAnswer, ErrorCode, Outcome, Replay};

use super::{
    event::{Due, Fate, Lease, Next},
    time::Now,
};
use crate::Random;

/// How an attempt was answered, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// With a result.
    Done,
    /// With an error.
    Failed {
        /// What is known about the effect.
        outcome: Outcome,
        /// The code, if it is one of the service's own.
        code: Option<ErrorCode>,
        /// When asking again makes sense; whoever says so says that the failure is temporary.
        retry_after: Option<Duration>,
        /// The method may be run as often as one likes.
        idempotent: bool,
        /// A part of it is done, and the next try is told which.
        partly: bool,
    },
}

impl Answer {
    /// An error, of a method of this class.
    #[must_use]
    pub fn failed(error: &ErrorAnswer, replay: Replay) -> Answer {
        Answer::Failed {
            outcome: error.outcome,
            code: error.service_code(),
            retry_after: error.retry_after_ms.map(Duration::from_millis),
            idempotent: replay == Replay::Always,
            partly: error.so_far().is_some(),
        }
    }
}

impl Answer {
    /// There was no worker that could have been given the job.
    pub(super) fn is_of_no_worker(self) -> bool {
        let Answer::Failed {
            outcome,
            code,
            idempotent,
            ..
        } = self
        else {
            return false;
        };
        let is_harmless = match outcome {
            Outcome::NotExecuted => true,
            // A pool that was lost had begun it.
            Outcome::Unknown => idempotent,
            Outcome::Executed => false,
        };
        is_harmless && code == Some(ErrorCode::PoolUnavailable)
    }

    /// What is known about the effect of this attempt.
    const fn outcome(self) -> Outcome {
        match self {
            Answer::Done => Outcome::Executed,
            Answer::Failed { outcome, .. } => outcome,
        }
    }
}

/// What is known of two tries together.
#[must_use]
pub const fn together(one: Outcome, other: Outcome) -> Outcome {
    match (one, other) {
        (Outcome::Executed, _) | (_, Outcome::Executed) => Outcome::Executed,
        (Outcome::Unknown, _) | (_, Outcome::Unknown) => Outcome::Unknown,
        (Outcome::NotExecuted, Outcome::NotExecuted) => Outcome::NotExecuted,
    }
}

pub(super) fn outcome_after(lease: &Lease, answer: Answer) -> Outcome {
    together(lease.outcome, answer.outcome())
}

pub(super) fn outcome_of_interrupted(lease: &Lease, fate: Fate) -> Outcome {
    let outcome = match fate {
        Fate::MayHaveHappened => Outcome::Unknown,
        Fate::NotBegun if lease.unrecorded => Outcome::Unknown,
        Fate::NotBegun => Outcome::NotExecuted,
        Fate::Answered(answer) => answer.outcome(),
    };
    together(lease.outcome, outcome)
}

/// How bad an error is for a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Severity {
    /// Nobody has tried it; the job has not failed, and waits until its pool is there.
    Unavailable,
    /// The service had no time for it; the job has not failed.
    Postponed,
    /// It may work later.
    Temporary,
    /// It will not.
    Permanent,
    /// It may have happened.
    Unknown,
}

/// A job that the service had no time for comes back after this at the earliest.
const POSTPONED: Duration = Duration::from_secs(1);

/// So many times in a row a job may be running when the service is killed before it is put off: it might be the job
/// that kills it.
const INTERRUPTED_MAX: u32 = 3;

pub(super) fn judge(
    lease: &Lease,
    answer: Answer,
    cancel_requested: bool,
    now: Now,
    random: &mut Random,
) -> Next {
    let Answer::Failed {
        outcome,
        code,
        retry_after,
        idempotent,
        partly,
    } = answer
    else {
        return Next::Done;
    };
    let severity = match severity(outcome, code, retry_after, idempotent) {
        Severity::Permanent if partly => Severity::Temporary,
        severity => severity,
    };
    match severity {
        Severity::Unknown => Next::Unknown,
        Severity::Permanent if outcome == Outcome::Executed => Next::Dead,
        // What is done of it cannot be taken back.
        Severity::Temporary if partly && (cancel_requested || lease.cancel_requested) => Next::Dead,
        _ if cancel_requested || lease.cancel_requested => Next::Cancelled,
        Severity::Permanent => Next::Dead,
        Severity::Unavailable => lease.again_after(Duration::ZERO, now),
        Severity::Postponed => {
            let wait = retry_after.unwrap_or_default().min(lease.retry.backoff_max);
            lease.again_after(wait.max(POSTPONED), now)
        }
        Severity::Temporary => {
            let failures = lease.failures + 1;
            if failures >= lease.retry.attempts_max {
                return Next::Dead;
            }
            let pause = lease.retry.pause(failures, retry_after, random);
            Next::Again {
                due: Due::Retry(now.wall + pause),
                pause,
                failures,
                interrupted: 0,
            }
        }
    }
}

fn severity(
    outcome: Outcome,
    code: Option<ErrorCode>,
    retry_after: Option<Duration>,
    idempotent: bool,
) -> Severity {
    use ErrorCode::{
        Cancelled, DeadlineExceeded, Internal, MethodNotFound, OutcomeUnknown, Overloaded,
        Poisoned, PoolUnavailable, ShuttingDown, StartFailed, WorkerLost,
    };
    match (outcome, code) {
        // Whatever it says about later: it ends one process after the other.
        (Outcome::NotExecuted, Some(Poisoned)) => Severity::Permanent,
        (Outcome::NotExecuted, Some(Overloaded | ShuttingDown)) => Severity::Postponed,
        (Outcome::NotExecuted, Some(PoolUnavailable)) => Severity::Unavailable,
        // Begun by a pool that was lost, and refused by the one in its place.
        (Outcome::Unknown, Some(Overloaded)) if idempotent => Severity::Postponed,
        (Outcome::Unknown, Some(PoolUnavailable)) if idempotent => Severity::Unavailable,
        // A method that nobody offers today may be offered again when somebody has put the settings right.
        (
            Outcome::NotExecuted,
            Some(
                StartFailed | MethodNotFound | DeadlineExceeded | WorkerLost | Cancelled | Internal,
            ),
        ) => Severity::Temporary,
        (
            Outcome::Unknown,
            Some(
                DeadlineExceeded | WorkerLost | OutcomeUnknown | Cancelled | Internal
                | ShuttingDown,
            ),
        ) if idempotent => Severity::Temporary,
        (Outcome::NotExecuted, _) if retry_after.is_some() => Severity::Temporary,
        (Outcome::Unknown, _) if idempotent && retry_after.is_some() => Severity::Temporary,
        (Outcome::Unknown, _) if !idempotent => Severity::Unknown,
        _ => Severity::Permanent,
    }
}

pub(super) fn judge_interrupted(lease: &Lease, fate: Fate, now: Now, random: &mut Random) -> Next {
    match fate {
        Fate::MayHaveHappened => Next::Unknown,
        Fate::Answered(answer) => judge(lease, answer, false, now, random),
        Fate::NotBegun if lease.cancel_requested => Next::Cancelled,
        Fate::NotBegun => {
            let interrupted = lease.interrupted + 1;
            let pause = match interrupted.checked_sub(INTERRUPTED_MAX) {
                None | Some(0) => Duration::ZERO,
                Some(more) => lease.retry.pause(more, None, random),
            };
            Next::Again {
                due: Due::Retry(now.wall + pause),
                pause,
                failures: lease.failures,
                interrupted,
            }
        }
    }
}

impl Lease {
    /// As if it had not been leased, for a later time.
    pub(super) fn again_after(&self, pause: Duration, now: Now) -> Next {
        Next::Again {
            due: Due::Retry(now.wall + pause),
            pause,
            failures: self.failures,
            interrupted: 0,
        }
    }
}

#[cfg(test)]
mod tests;
