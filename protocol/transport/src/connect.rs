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

impl ConnectError {
    /// Whether it may be otherwise in a moment: the service is not up yet, or busy.
    fn may_pass(&self) -> bool {
        matches!(
            self,
            ConnectError::NotRunning { .. } | ConnectError::Busy { .. }
        )
    }

    /// The same after several tries.
    fn after(mut self, waited: Duration) -> Self {
        if let ConnectError::NotRunning { waited_ms, .. } | ConnectError::Busy { waited_ms, .. } =
            &mut self
        {
            *waited_ms = waited.as_millis();
        }
        self
    }
}

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
        let error = match connect_once(endpoint, left.max(PAUSE.0)).await {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        if !error.may_pass() || start.elapsed() + pause > limit {
            return Err(error.after(start.elapsed()));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
    }
}

/// Tries to connect, once. What takes longer than `limit` is taken for busy.
///
/// # Errors
/// See [`ConnectError`].
pub async fn connect_once(
    endpoint: &Endpoint,
    limit: Duration,
) -> Result<Connection, ConnectError> {
    let start = Instant::now();
    let tried = tokio::time::timeout(limit, platform::connect(endpoint)).await;
    let waited_ms = start.elapsed().as_millis();
    let endpoint = endpoint.clone();
    let Ok(tried) = tried else {
        return Err(ConnectError::Busy {
            endpoint,
            waited_ms,
        });
    };
    tried.map_err(|source| match platform::refusal(&source) {
        Refusal::Denied => ConnectError::Denied { endpoint },
        Refusal::Other => ConnectError::Failed { endpoint, source },
        Refusal::Busy => ConnectError::Busy {
            endpoint,
            waited_ms,
        },
        Refusal::NotThere => ConnectError::NotRunning {
            endpoint,
            waited_ms,
        },
    })
}
