//! Why a worker ends.

use standin_protocol::ErrorAnswer;
use standin_transport::{ConnectError, EndpointError, ReadError};

/// Why a worker could not start, or had to end. A `main` that returns it prints these words.
#[derive(thiserror::Error)]
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

impl std::fmt::Debug for Error {
    /// The same words as `Display`, with what lies behind them: this is what `main` prints.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")?;
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
