//! Opening a client.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use standin_protocol::ErrorAnswer;
use standin_transport::{Endpoint, connect};
use tokio::time::Instant;

use crate::{
    CallError, Client, OpenError,
    callbacks::{Callback, Handler},
    hello::{Greeted, Introduction, NotGreeted, greet},
    keep::Way,
    shared::{FIRST_MSGID, OnProgress, Shared},
};

/// How long a client waits for a service that is not there yet, unless it is told otherwise.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// A service that is there gets at least this long to answer the hello, however short the wait for one that is not.
const HELLO_LIMIT_MIN: Duration = Duration::from_secs(1);

/// Between two tries at a service that closes the connection at once: it is ending, or full.
const CLOSED_PAUSE: Duration = Duration::from_millis(50);

/// How long a call without a time of its own waits for a lost connection, unless it is told otherwise. For about as long
/// the service keeps the session of a client that is away.
const RESUME_LIMIT: Duration = Duration::from_secs(60);

/// Longer than anybody waits; clocks can be counted up so far.
const RESUME_LIMIT_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How to open a client.
#[derive(Default)]
pub struct Connect {
    endpoint: Option<Endpoint>,
    limit: Option<Duration>,
    name: Option<String>,
    handler: Option<Handler>,
    on_progress: Option<OnProgress>,
    resume: Resume,
}

#[derive(Default)]
enum Resume {
    #[default]
    Usual,
    Within(Duration),
    Never,
}

impl Connect {
    /// The usual endpoint, ten seconds, no callbacks; a lost connection is made again.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the service is; without it, where [`Endpoint::for_client`] says.
    #[must_use]
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// How long to wait for a service that is not there yet, or busy.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The program's name, for the service's log.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Answers the questions that workers ask in the course of this program's calls. Questions that come while others
    /// are being answered are answered at the same time. A handler that panics has failed to answer, and the worker
    /// is told so.
    #[must_use]
    pub fn callbacks<H, F>(mut self, handler: H) -> Self
    where
        H: Fn(Callback) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Bytes, ErrorAnswer>> + Send + 'static,
    {
        self.handler = Some(Handler::new(handler));
        self
    }

    /// Takes the progress of this program's calls: the call's msgid, and what the worker says, as MessagePack. It is
    /// called where answers are read, so it must not block.
    #[must_use]
    pub fn progress(mut self, on_progress: impl Fn(u64, Bytes) + Send + Sync + 'static) -> Self {
        self.on_progress = Some(Arc::new(on_progress));
        self
    }

    /// How long a call that has no [timeout](crate::Call::timeout) of its own waits for a connection that was lost; a
    /// minute, unless it is told otherwise. One that has waits for as long as its own time lasts.
    #[must_use]
    pub fn resume(mut self, limit: Duration) -> Self {
        self.resume = Resume::Within(limit.min(RESUME_LIMIT_MAX));
        self
    }

    /// A lost connection is not made again: open calls end with [`ConnectionLost`](CallError::ConnectionLost), and the
    /// client is of no use any more.
    #[must_use]
    pub fn without_resume(mut self) -> Self {
        self.resume = Resume::Never;
        self
    }

    /// Connects and says hello. A service that is not there yet, has no room or is just ending is waited for.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(self) -> Result<Client, OpenError> {
        let endpoint = match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => Endpoint::for_client()?,
        };
        let who = Introduction {
            name: self.name.clone(),
            callbacks: self.handler.is_some(),
            progress: self.on_progress.is_some(),
        };
        let limit = self.limit.unwrap_or(CONNECT_LIMIT);
        let start = Instant::now();
        loop {
            let left = limit.saturating_sub(start.elapsed());
            let connection = connect(&endpoint, left).await?;
            let left = limit.saturating_sub(start.elapsed()).max(HELLO_LIMIT_MIN);
            let greeting = greet(connection, FIRST_MSGID, &who, None);
            match tokio::time::timeout(left, greeting).await {
                Ok(Ok(greeted)) => return Ok(self.begin(Way { endpoint, who }, greeted)),
                Ok(Err(NotGreeted::Lost)) => {
                    if start.elapsed() + CLOSED_PAUSE > limit {
                        return Err(OpenError::TurnedAway { endpoint });
                    }
                    tokio::time::sleep(CLOSED_PAUSE).await;
                }
                Ok(Err(NotGreeted::Refused(answer))) => {
                    return Err(OpenError::Hello(CallError::Service(answer)));
                }
                Err(_) => {
                    let waited_ms = start.elapsed().as_millis();
                    return Err(OpenError::Silent {
                        endpoint,
                        waited_ms,
                    });
                }
            }
        }
    }

    fn begin(self, way: Way, greeted: Greeted) -> Client {
        let resume = match self.resume {
            Resume::Usual => Some(RESUME_LIMIT),
            Resume::Within(limit) => Some(limit),
            Resume::Never => None,
        };
        Client::over(
            Shared::new(self.handler, self.on_progress, resume),
            way,
            greeted,
        )
    }
}
