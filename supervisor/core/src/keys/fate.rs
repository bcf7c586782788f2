//! What the end of a call means for the key that it ran under.

use standin_protocol::{ErrorCode, Outcome, Replay};

/// What becomes of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The answer is recorded: it is the answer to this key from now on.
    Record,
    /// The key is free, and whoever waits for it gets the same answer.
    FreeForAll,
    /// The key is free, and the next one that waits for it runs.
    FreeForNext,
}

/// The rule. A key is burnt by nothing but a call that may have done something; `code` is the service's own, if the
/// answer is an error that has one.
#[must_use]
pub fn fate(replay: Replay, outcome: Outcome, code: Option<ErrorCode>) -> Fate {
    let is_free = match outcome {
        Outcome::NotExecuted => true,
        // What may run twice is better run again than unknown for ever.
        Outcome::Unknown => replay == Replay::Always,
        Outcome::Executed => false,
    };
    match code {
        _ if !is_free => Fate::Record,
        Some(ErrorCode::Cancelled | ErrorCode::DeadlineExceeded) => Fate::FreeForNext,
        _ => Fate::FreeForAll,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_burnt_only_by_a_call_that_may_have_done_something() {
        use ErrorCode::{Cancelled, DeadlineExceeded, Overloaded, WorkerLost};
        use Outcome::{Executed, NotExecuted, Unknown};
        for (replay, outcome, code, expected) in [
            (Replay::Never, Executed, None, Fate::Record),
            (
                Replay::Never,
                NotExecuted,
                Some(Overloaded),
                Fate::FreeForAll,
            ),
            (Replay::Never, NotExecuted, None, Fate::FreeForAll),
            (Replay::Never, Unknown, Some(WorkerLost), Fate::Record),
            (
                Replay::Never,
                NotExecuted,
                Some(Cancelled),
                Fate::FreeForNext,
            ),
            (Replay::Never, Unknown, Some(Cancelled), Fate::Record),
            (
                Replay::UntilEffect,
                Unknown,
                Some(DeadlineExceeded),
                Fate::Record,
            ),
            (
                Replay::UntilEffect,
                NotExecuted,
                Some(DeadlineExceeded),
                Fate::FreeForNext,
            ),
            (
                Replay::Always,
                Unknown,
                Some(DeadlineExceeded),
                Fate::FreeForNext,
            ),
            (Replay::Always, Unknown, None, Fate::FreeForAll),
            (Replay::Always, Executed, None, Fate::Record),
        ] {
            assert_eq!(
                fate(replay, outcome, code),
                expected,
                "{replay:?} {outcome:?} {code:?}"
            );
        }
    }
}
