//! What becomes of a session's requests when the actor of their pool is lost, and with it all that it knew.

use standin_protocol::{Outcome, Replay};

/// How far a request had come, as the pool noted it outside of itself before each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Stage {
    /// Waiting in the pool; no worker has seen it.
    Waiting = 0,
    /// Given to a worker.
    Sent = 1,
    /// A worker was granted its effect.
    EffectGranted = 2,
    /// The answer is there and is being put on record.
    Answered = 3,
}

impl Stage {
    /// The stage of that number; a number that is none is the furthest, which is the careful reading.
    #[must_use]
    pub const fn from_u8(number: u8) -> Stage {
        match number {
            0 => Stage::Waiting,
            1 => Stage::Sent,
            3 => Stage::Answered,
            _ => Stage::EffectGranted,
        }
    }
}

/// What to do with a request of a lost pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterPoolLost {
    /// Give it to the new pool.
    Resubmit,
    /// Answer `worker_lost` with this outcome.
    Fail(Outcome),
    /// Nothing: its answer is on its way.
    Leave,
}

/// The rule: as for a dead worker.
#[must_use]
pub fn after_pool_lost(replay: Replay, stage: Stage) -> AfterPoolLost {
    match (replay, stage) {
        (_, Stage::Answered) => AfterPoolLost::Leave,
        (_, Stage::Waiting) | (Replay::Always, _) | (Replay::UntilEffect, Stage::Sent) => {
            AfterPoolLost::Resubmit
        }
        (Replay::UntilEffect | Replay::Never, _) => AfterPoolLost::Fail(Outcome::Unknown),
    }
}

/// What is known about the effect of a request that the new pool has answered for with `outcome`. That pool knows
/// nothing of what the lost one had `begun`.
#[must_use]
pub fn outcome_after_pool_lost(replay: Replay, begun: bool, outcome: Outcome) -> Outcome {
    match (replay, begun, outcome) {
        (Replay::Always | Replay::Never, true, Outcome::NotExecuted) => Outcome::Unknown,
        // What waits for its leave has done nothing, and the lost pool can grant no leave any more.
        _ => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_lost_pool_had_begun_is_never_said_not_to_have_been_executed() {
        use Outcome::{Executed, NotExecuted, Unknown};
        for (replay, begun, outcome, known) in [
            (Replay::Always, true, NotExecuted, Unknown),
            (Replay::Always, false, NotExecuted, NotExecuted),
            (Replay::Always, true, Executed, Executed),
            (Replay::UntilEffect, true, NotExecuted, NotExecuted),
            (Replay::UntilEffect, true, Unknown, Unknown),
            (Replay::Never, true, NotExecuted, Unknown),
        ] {
            assert_eq!(outcome_after_pool_lost(replay, begun, outcome), known);
        }
    }

    #[test]
    fn what_must_not_run_twice_is_not_given_to_a_second_pool() {
        assert_eq!(
            after_pool_lost(Replay::Never, Stage::Waiting),
            AfterPoolLost::Resubmit
        );
        for (replay, stage) in [
            (Replay::Never, Stage::Sent),
            (Replay::Never, Stage::EffectGranted),
            (Replay::UntilEffect, Stage::EffectGranted),
        ] {
            assert_eq!(
                after_pool_lost(replay, stage),
                AfterPoolLost::Fail(Outcome::Unknown)
            );
        }
        assert_eq!(
            after_pool_lost(Replay::Never, Stage::Answered),
            AfterPoolLost::Leave
        );
        assert_eq!(
            after_pool_lost(Replay::UntilEffect, Stage::Sent),
            AfterPoolLost::Resubmit
        );
        assert_eq!(
            after_pool_lost(Replay::Always, Stage::EffectGranted),
            AfterPoolLost::Resubmit
        );
    }
}
