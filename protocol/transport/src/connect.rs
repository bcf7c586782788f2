//! Connecting, within a limit that holds.

use std::{io, time::Duration};

use tokio::time::Instant;

use crate::{Connection, Endpoint, platform};

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing listens there, and nothing came within the limit.
    #[error(
        "no Standin service answers at `{endpoint}` (waited {waited_ms} ms)\n\
         (hint: start it with `standin serve`, or name another endpoint with STANDIN_ENDPOINT)"
    )]
    NotRunning {
        /// Where it was looked for.
        endpoint: Endpoint,
        /// How long.
        waited_ms: u128,
    },
    /// It is there, but took no connection within the limit.
    #[error("the service at `{endpoint}` is busy and took no connection within {waited_ms} ms")]
    Busy {
        /// Where.
        endpoint: Endpoint,
        /// How long was waited.
        waited_ms: u128,
    },
    /// It is there, but this user may not connect. Waiting would not help.
    #[error(
        "this user may not connect to `{endpoint}`\n(hint: ask the administrator for membership in the group of its users)"
    )]
    Denied {
        /// Where.
        endpoint: Endpoint,
    },
    /// Something else went wrong.
    #[error("cannot connect to `{endpoint}`")]
    Failed {
        /// Where.
        endpoint: Endpoint,
        /// What.
        #[source]
        source: io::Error,
    },
}

/// What one try says about the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    NotThere,
    Busy,
    Denied,
    Other,
}

/// The first pause between two tries; it doubles up to the second.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(50));

/// Connects, waiting for a service that is not there yet or has no room, until `limit` has passed. At least one try
/// is made.
///
/// # Errors
/// See [`ConnectError`]; a denial is told at once.
pub async fn connect(endpoint: &Endpoint, limit: Duration) -> Result<Connection, ConnectError> {
    let start = Instant::now();
    let mut pause = PAUSE.0;
    loop {
        let left = limit.saturating_sub(start.elapsed());
        let tried = tokio::time::timeout(left.max(PAUSE.0), platform::connect(endpoint)).await;
        let refusal = match tried {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => match platform::refusal(&error) {
                Refusal::Denied => {
                    return Err(ConnectError::Denied {
                        endpoint: endpoint.clone(),
                    });
                }
                Refusal::Other => {
                    return Err(ConnectError::Failed {
                        endpoint: endpoint.clone(),
                        source: error,
                    });
                }
                refusal => refusal,
            },
            Err(_) => Refusal::Busy,
        };
        if start.elapsed() + pause > limit {
            let (endpoint, waited_ms) = (endpoint.clone(), start.elapsed().as_millis());
            return Err(match refusal {
                Refusal::Busy => ConnectError::Busy {
                    endpoint,
                    waited_ms,
                },
                _ => ConnectError::NotRunning {
                    endpoint,
                    waited_ms,
                },
            });
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
    }
}
