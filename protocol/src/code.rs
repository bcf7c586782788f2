//! The error codes that the service itself gives. Numbers and names are promised for ever; a new code is added at
//! the end. A worker's own codes (`smtp.rejected`, ...) pass through with the worker's own numbers, 1000 and up.

use crate::Outcome;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal, $outcome:ident;)*) => {
        /// What went wrong, as the service says it. The position of each number and name never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ErrorCode { $($(#[$doc])* $variant,)* }

        impl ErrorCode {
            /// Every code, in the order of its number.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$variant,)*];

            /// The first element of an error answer.
            #[must_use]
            pub const fn number(self) -> u32 {
                match self { $(ErrorCode::$variant => $number,)* }
            }

            /// The name of the number, as it stands under `code` in an error answer.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(ErrorCode::$variant => $name,)* }
            }

            /// What is known about the effect when nothing more exact is.
            #[must_use]
            pub const fn usual_outcome(self) -> Outcome {
                match self { $(ErrorCode::$variant => Outcome::$outcome,)* }
            }

            /// The code of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<ErrorCode> {
                match name { $($name => Some(ErrorCode::$variant),)* _ => None }
            }
        }
    };
}

codes! {
    /// The bytes were no message; the connection is closed after it.
    ParseError = 1, "parse_error", NotExecuted;
    /// A message, but not a request as the protocol wants it.
    InvalidRequest = 2, "invalid_request", NotExecuted;
    /// Nobody here offers that method.
    MethodNotFound = 3, "method_not_found", NotExecuted;
    /// The arguments do not fit the method.
    InvalidParams = 4, "invalid_params", NotExecuted;
    /// Larger than the limit; the connection is closed after it.
    MessageTooLarge = 5, "message_too_large", NotExecuted;
    /// Too much is waiting already; come again after `retry_after_ms`.
    Overloaded = 6, "overloaded", NotExecuted;
    /// The call's time ran out.
    DeadlineExceeded = 7, "deadline_exceeded", Unknown;
    /// The caller took the call back.
    Cancelled = 8, "cancelled", Unknown;
    /// The worker died during the call, and a second try would not have been safe.
    WorkerLost = 9, "worker_lost", Unknown;
    /// The call killed its workers, one after the other, and is not tried again.
    Poisoned = 10, "poisoned", Unknown;
    /// The pool cannot start its workers; the message holds their last lines.
    PoolUnavailable = 11, "pool_unavailable", NotExecuted;
    /// `pool.start` saw the worker fail; exit status and last lines are in the message.
    StartFailed = 12, "start_failed", NotExecuted;
    /// The same key came with another payload.
    KeyConflict = 13, "key_conflict", NotExecuted;
    /// It may or may not have happened.
    OutcomeUnknown = 14, "outcome_unknown", Unknown;
    /// The session belongs to somebody else, or is not known.
    SessionDenied = 15, "session_denied", NotExecuted;
    /// A newer connection has taken the session over.
    SessionMoved = 16, "session_moved", Unknown;
    /// This user may not do that.
    AccessDenied = 17, "access_denied", NotExecuted;
    /// A callback into the client failed or was refused.
    CallbackFailed = 18, "callback_failed", Unknown;
    /// The service is stopping.
    ShuttingDown = 19, "shutting_down", NotExecuted;
    /// A fault of Standin's own.
    Internal = 20, "internal", Unknown;
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_by_its_name_and_numbers_count_up_from_one() {
        for (index, code) in ErrorCode::ALL.iter().enumerate() {
            assert_eq!(ErrorCode::from_name(code.name()), Some(*code));
            assert_eq!(code.number() as usize, index + 1);
        }
    }
}
