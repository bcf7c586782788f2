//! What can go wrong on the client's side, and what the service says went wrong.

use std::time::Duration;

use standin_protocol::{ErrorAnswer, Outcome};
use standin_transport::{ConnectError, EndpointError};

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The name of the endpoint is wrong.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
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
    /// The connection ended before the answer came.
    #[error("the connection to the service was lost before the answer came")]
    ConnectionLost {
        /// `not_executed` if the request had not been given to the system yet.
        outcome: Outcome,
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
            CallError::ConnectionLost { outcome } => *outcome,
            CallError::NoAnswer { .. } => Outcome::Unknown,
            CallError::Decode(_) => Outcome::Executed,
            CallError::Encode(_) => Outcome::NotExecuted,
        }
    }

    /// The code of the service's answer, if it is one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            CallError::Service(answer) => Some(&answer.code),
            _ => None,
        }
    }
}
