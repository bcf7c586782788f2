//! The rules in words, each as it reads behind "replayed" or "not replayed".

use standin_core::pool::{BLAMED_DEATHS_MAX, EndRule, ReplayRule, UNEXPLAINED_DEATHS_MAX};

use super::NoPool;

// The words below say these numbers.
const _: () = assert!(BLAMED_DEATHS_MAX == 3 && UNEXPLAINED_DEATHS_MAX == 20);

/// Why a request was sent once more.
pub(super) fn of_replay(rule: ReplayRule) -> &'static str {
    match rule {
        ReplayRule::NotGiven => "replayed: the worker had not been given it",
        ReplayRule::Always => "replayed: it is `always`, by its method or by the caller's word",
        ReplayRule::EffectNotGranted => {
            "replayed: it is `until_effect`, and its effect had not been granted"
        }
    }
}

/// Why a request ended without a worker's answer.
pub(super) fn of_end(rule: EndRule) -> &'static str {
    match rule {
        EndRule::Stopping => "refused: the pool was stopping",
        EndRule::Paused => "refused: somebody had stopped the pool",
        EndRule::CameLate => "refused: the caller's time was up when it came",
        EndRule::NoWorkers => "the pool could not start its workers",
        EndRule::QueueFull => "refused: as many calls were waiting as `queue.max` lets wait",
        EndRule::SessionShare => "refused: half of the queue was this session's already",
        EndRule::UserShare => "refused: three quarters of the queue were this user's already",
        EndRule::QueueBytes => "refused: as many bytes were waiting as may wait",
        EndRule::KnownDeadly => "refused: the same call had ended one worker after the other",
        EndRule::NotRecorded => "refused: that it begins could not be put on record",
        EndRule::WaitedLong => "no worker was free for it within `queue.wait`",
        EndRule::LateInQueue => "the caller's time was up before a worker was free for it",
        EndRule::CancelledInQueue => "it was taken back while it waited",
        EndRule::StoppedInQueue => "the pool stopped while it waited",
        EndRule::LateInWorker => "the caller's time was up while the worker had it",
        EndRule::CancelledInWorker => "it was taken back, and the worker did not leave off in time",
        EndRule::StoppedInWorker => "the pool stopped, and the worker was not done in time",
        EndRule::OnceAtMost => "not replayed: it is `never`, and the worker may have begun with it",
        EndRule::EffectGranted => "not replayed: its effect had been granted",
        EndRule::CancelledBefore => "not replayed: the caller had taken it back",
        EndRule::NoRoom => "not replayed: no room before the caller's deadline",
        EndRule::Deadly => "poisoned: three deaths of its own doing",
        EndRule::DeadlyAgain => {
            "poisoned: the same call was poisoned before, and this one ended a worker, too"
        }
        EndRule::Suspicious => "poisoned: twenty of its workers were killed from outside",
    }
}

/// Why a request ended with the pool's actor.
pub(super) const OF_LOST_POOL: &str =
    "not replayed: a part of Standin failed that had given it to a worker";

/// Why a try of a job ended before any pool had it.
pub(super) fn of_no_pool(why: NoPool) -> &'static str {
    match why {
        NoPool::Denied => "the pool of the method is not for the job's owner",
        NoPool::Unknown => "no pool offered the method at that time",
        NoPool::NotForUser => "the job's owner could not have a pool of their own at that time",
        NoPool::TakenBack => "its owner took it back before any pool had it",
    }
}

/// Why nobody was answered.
pub(super) const OF_ABANDONED: &str = "the caller had gone";
