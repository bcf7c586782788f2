//! Why a worker ends.

use standin_protocol::ErrorAnswer;
use standin_transport::{ConnectError, EndpointError, ReadError};

/// Why a worker could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It was started by hand.
    #[error(
        "{variable} is not set\n(hint: this program is a worker of Standin; name it as the command of a pool)"
    )]
    NotAWorker {
        /// What is missing.
        variable: &'static str,
    },
    /// The endpoint that the service gave is none.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The service cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The service did not take the hello.
    #[error("the service refused this worker: {0}")]
    Refused(ErrorAnswer),
    /// The service is gone, or what it said is not understood.
    #[error("the connection to the service has ended")]
    Lost(#[source] ReadError),
}
