//! What can go wrong on the client's side, and what the service says went wrong.

use std::time::Duration;

use standin_protocol::{ErrorAnswer, ErrorCode, Outcome};
use standin_transport::{ConnectError, Endpoint, EndpointError};

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The name of the endpoint is wrong.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Something takes connections there, but does not answer.
    #[error(
        "the service at `{endpoint}` takes connections but does not answer (waited {waited_ms} ms)\n\
         (hint: see whether its process is stopped or stuck)"
    )]
    Silent {
        /// Where.
        endpoint: Endpoint,
        /// How long was waited.
        waited_ms: u128,
    },
    /// The service closes the connection at once, and went on doing so for as long as was waited.
    #[error(
        "the service at `{endpoint}` closes every connection at once\n\
         (hint: it may have as many clients as it takes; its log tells)"
    )]
    TurnedAway {
        /// Where.
        endpoint: Endpoint,
    },
    /// The service did not take the hello.
    #[error("the service refused the hello: {0}")]
    Hello(#[source] CallError),
    /// A blocking client could not make what it runs on.
    #[error("cannot start the client's runtime")]
    Runtime(#[source] std::io::Error),
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The service, or a worker by way of it, answered with an error.
    #[error("{0}")]
    Service(ErrorAnswer),
    /// The connection ended before the answer came, and no session can go on: the program did
    /// [without](crate::Connect::without_resume); or the service kept none, since it is an older one or its disk is full. A
    /// client that did not do without connects again for the next call.
    #[error("the connection to the service was lost before the answer came; {}", words(*.outcome))]
    ConnectionLost {
        /// `not_executed` if the request had not been given to the system yet.
        outcome: Outcome,
    },
    /// The call's own time ran out while there was no connection to the service.
    #[error("the call's time ran out while there was no connection to the service; {}", words(*.outcome))]
    DeadlineExceeded {
        /// `not_executed` if the service cannot have got the request.
        outcome: Outcome,
    },
    /// The connection was lost and did not come back for as long as [`Connect::resume`](crate::Connect::resume) says.
    #[error(
        "the connection to the service was lost and could not be made again within {waited:?}: {reason}; {}",
        words(*.outcome)
    )]
    NotResumed {
        /// `not_executed` if the service cannot have got the request.
        outcome: Outcome,
        /// How long was waited.
        waited: Duration,
        /// Why the last try came to nothing.
        reason: String,
    },
    /// The connection came back, but the service no longer knows what it was asked: it has lost its memory, or the client
    /// was away for too long. The call may have been executed, and may not run twice.
    #[error(
        "the service no longer knows what it was asked before the connection was lost; \
         whether the call was executed is not known"
    )]
    OutcomeUnknown,
    /// A newer connection has taken the session over, and gets the answers.
    #[error("a newer connection has taken over this program's session with the service; {}", words(*.outcome))]
    SessionMoved {
        /// `not_executed` if the service cannot have got the request.
        outcome: Outcome,
    },
    /// The program has closed the client.
    #[error("the client was closed before the answer came; {}", words(*.outcome))]
    Closed {
        /// `not_executed` if the request was not sent.
        outcome: Outcome,
    },
    /// The request is larger than the service takes. It was not sent.
    #[error("the call is {length} bytes long and the service takes {limit}; it was not sent")]
    TooLarge {
        /// How large the message would have been, in bytes.
        length: usize,
        /// How large it may be.
        limit: usize,
    },
    /// The arguments nest deeper than the service reads, or are no whole value. The request was not sent.
    #[error(
        "the call nests lists and maps more than the {limit} levels deep that a message may have, or ends in the middle \
         of one; it was not sent"
    )]
    TooDeep {
        /// How many levels a message may have, its own among them.
        limit: usize,
    },
    /// The service gave no answer, not even within a grace beyond the call's own time.
    #[error("the service gave no answer within {waited:?}")]
    NoAnswer {
        /// How long was waited.
        waited: Duration,
    },
    /// The result is not of the type that was asked for.
    #[error("the result is not of the expected shape")]
    Decode(#[source] rmp_serde::decode::Error),
    /// The arguments cannot be written.
    #[error("the arguments cannot be written as MessagePack")]
    Encode(#[source] rmp_serde::encode::Error),
}

impl CallError {
    /// What is known about the effect of the call.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            CallError::Service(answer) => answer.outcome,
            CallError::ConnectionLost { outcome }
            | CallError::DeadlineExceeded { outcome }
            | CallError::NotResumed { outcome, .. }
            | CallError::SessionMoved { outcome }
            | CallError::Closed { outcome } => *outcome,
            CallError::NoAnswer { .. } | CallError::OutcomeUnknown => Outcome::Unknown,
            CallError::Decode(_) => Outcome::Executed,
            CallError::TooLarge { .. } | CallError::TooDeep { .. } | CallError::Encode(_) => {
                Outcome::NotExecuted
            }
        }
    }

    /// The code of the service's answer, if it is one, or the one that the service would have given.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            CallError::Service(answer) => Some(&answer.code),
            CallError::TooLarge { .. } | CallError::TooDeep { .. } => {
                Some(ErrorCode::MessageTooLarge.name())
            }
            CallError::DeadlineExceeded { .. } => Some(ErrorCode::DeadlineExceeded.name()),
            CallError::OutcomeUnknown => Some(ErrorCode::OutcomeUnknown.name()),
            CallError::SessionMoved { .. } => Some(ErrorCode::SessionMoved.name()),
            CallError::ConnectionLost { .. }
            | CallError::NotResumed { .. }
            | CallError::Closed { .. }
            | CallError::NoAnswer { .. }
            | CallError::Decode(_)
            | CallError::Encode(_) => None,
        }
    }

    /// What else the service's answer says (its number, its words, when to ask again), if it is one.
    #[must_use]
    pub fn answer(&self) -> Option<&ErrorAnswer> {
        match self {
            CallError::Service(answer) => Some(answer),
            _ => None,
        }
    }
}

fn words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::NotExecuted => "the call was not executed",
        Outcome::Executed => "the call was executed",
        Outcome::Unknown => "whether the call was executed is not known",
    }
}
