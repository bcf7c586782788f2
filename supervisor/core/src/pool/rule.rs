//! The rule that decided about a request. Each has a name of its own here; the words for it are the pool actor's.

use standin_protocol::ErrorCode;

/// Why a request that lost its worker is sent once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayRule {
    /// The dead worker had not been given it.
    NotGiven,
    /// It may run twice.
    Always,
    /// Its effect had not been granted.
    EffectNotGranted,
}

/// Why a request ended without a worker's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndRule {
    /// Refused: the pool is stopping.
    Stopping,
    /// Refused, or it waited: somebody has stopped the pool until further notice.
    Paused,
    /// Refused: it came too late.
    CameLate,
    /// Refused, or it waited in vain: the pool cannot start its workers.
    NoWorkers,
    /// Refused: as many wait as may.
    QueueFull,
    /// Refused: half of the queue is this session's already.
    SessionShare,
    /// Refused: three quarters of the queue are this user's already.
    UserShare,
    /// Refused: as many bytes wait as may.
    QueueBytes,
    /// Refused: the same has just ended too many workers.
    KnownDeadly,
    /// What has to be on record before it begins could not be put there.
    NotRecorded,
    /// No worker was free for it within the time that one may wait.
    WaitedLong,
    /// The caller's deadline came while it waited.
    LateInQueue,
    /// It was taken back while it waited.
    CancelledInQueue,
    /// The pool stopped while it waited.
    StoppedInQueue,
    /// The caller's deadline came while a worker had it.
    LateInWorker,
    /// It was taken back, and its worker did not answer in time.
    CancelledInWorker,
    /// The pool's time to stop was over while a worker had it.
    StoppedInWorker,
    /// Its worker died. It was to run once at most, and the worker may have begun it.
    OnceAtMost,
    /// Its worker died after its effect had been granted.
    EffectGranted,
    /// Its worker died, and it had been taken back.
    CancelledBefore,
    /// Its worker died, and the caller's deadline leaves no room for another try.
    NoRoom,
    /// It has ended too many workers.
    Deadly,
    /// It was tried once more after the same had ended too many workers, and ended another one.
    DeadlyAgain,
    /// Too many of its workers were killed from outside to be chance.
    Suspicious,
}

impl EndRule {
    /// The code of the answer.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            EndRule::Stopping | EndRule::StoppedInQueue | EndRule::StoppedInWorker => {
                ErrorCode::ShuttingDown
            }
            EndRule::CameLate | EndRule::LateInQueue | EndRule::LateInWorker | EndRule::NoRoom => {
                ErrorCode::DeadlineExceeded
            }
            EndRule::NoWorkers | EndRule::Paused => ErrorCode::PoolUnavailable,
            EndRule::QueueFull
            | EndRule::SessionShare
            | EndRule::UserShare
            | EndRule::QueueBytes
            | EndRule::NotRecorded
            | EndRule::WaitedLong => ErrorCode::Overloaded,
            EndRule::CancelledInQueue | EndRule::CancelledInWorker | EndRule::CancelledBefore => {
                ErrorCode::Cancelled
            }
            EndRule::OnceAtMost | EndRule::EffectGranted => ErrorCode::WorkerLost,
            EndRule::KnownDeadly | EndRule::Deadly | EndRule::DeadlyAgain | EndRule::Suspicious => {
                ErrorCode::Poisoned
            }
        }
    }

    /// Whether a worker that had the request had just died.
    #[must_use]
    pub const fn follows_a_death(self) -> bool {
        match self {
            EndRule::OnceAtMost
            | EndRule::EffectGranted
            | EndRule::CancelledBefore
            | EndRule::NoRoom
            | EndRule::Deadly
            | EndRule::DeadlyAgain
            | EndRule::Suspicious => true,
            EndRule::Stopping
            | EndRule::Paused
            | EndRule::CameLate
            | EndRule::NoWorkers
            | EndRule::QueueFull
            | EndRule::SessionShare
            | EndRule::UserShare
            | EndRule::QueueBytes
            | EndRule::KnownDeadly
            | EndRule::NotRecorded
            | EndRule::WaitedLong
            | EndRule::LateInQueue
            | EndRule::CancelledInQueue
            | EndRule::StoppedInQueue
            | EndRule::LateInWorker
            | EndRule::CancelledInWorker
            | EndRule::StoppedInWorker => false,
        }
    }
}

#[cfg(test)]
mod tests;
