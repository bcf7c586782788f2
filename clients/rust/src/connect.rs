//! Opening a client.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use standin_protocol::{self as protocol, ErrorAnswer};
use standin_transport::{Connection, Endpoint, connect, message_writer};
use tokio::{sync::oneshot, task::JoinHandle, time::Instant};

use crate::{
    Call, CallError, OpenError,
    callbacks::{Callback, Handler},
    reading::read,
    shared::{OnProgress, Shared},
};

/// How long a client waits for a service that is not there yet, unless it is told otherwise.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// A service that is there gets at least this long to answer the hello, however short the wait for one that is not.
const HELLO_LIMIT_MIN: Duration = Duration::from_secs(1);

/// Between two tries at a service that closes the connection at once: it is ending, or full.
const CLOSED_PAUSE: Duration = Duration::from_millis(50);

/// How to open a client.
#[derive(Default)]
pub struct Connect {
    endpoint: Option<Endpoint>,
    limit: Option<Duration>,
    name: Option<String>,
    handler: Option<Handler>,
    on_progress: Option<OnProgress>,
}

impl Connect {
    /// The usual endpoint, ten seconds, no callbacks.
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

    /// Connects and says hello. A service that is not there yet, has no room or is just ending is waited for.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(self) -> Result<Client, OpenError> {
        let endpoint = match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => Endpoint::for_client()?,
        };
        let limit = self.limit.unwrap_or(CONNECT_LIMIT);
        let start = Instant::now();
        loop {
            let left = limit.saturating_sub(start.elapsed());
            let client = self.over(connect(&endpoint, left).await?);
            let left = limit.saturating_sub(start.elapsed()).max(HELLO_LIMIT_MIN);
            match tokio::time::timeout(left, self.greet(&client)).await {
                Ok(Ok(())) => return Ok(client),
                Ok(Err(CallError::ConnectionLost { .. })) => {
                    if start.elapsed() + CLOSED_PAUSE > limit {
                        return Err(OpenError::TurnedAway { endpoint });
                    }
                    tokio::time::sleep(CLOSED_PAUSE).await;
                }
                Ok(Err(error)) => return Err(OpenError::Hello(error)),
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

    fn over(&self, connection: Connection) -> Client {
        let (writer, work) = message_writer(connection.clone());
        tokio::spawn(work);
        let shared = Shared::new(writer, self.handler.clone(), self.on_progress.clone());
        let shared = Arc::new(shared);
        let (introduce, client) = oneshot::channel();
        let reading = tokio::spawn(read(connection, Arc::clone(&shared), client));
        let inner = Arc::new(Inner { shared, reading });
        // The task was started a line ago and waits for this.
        let _ = introduce.send(Arc::downgrade(&inner));
        Client { inner }
    }

    async fn greet(&self, client: &Client) -> Result<(), CallError> {
        let hello = Hello {
            client: self.name.as_deref(),
            callbacks: self.handler.is_some(),
            progress: self.on_progress.is_some(),
        };
        let said = client
            .request("standin.hello")
            .arguments(&hello)
            .send_raw()
            .await?;
        // A service that says nothing about its limits refuses what is too large itself.
        if let Ok(said) = protocol::decode_exact::<Said>(&said) {
            client.shared().limit_messages(said.limits.message_size_max);
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Hello<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    callbacks: bool,
    progress: bool,
}

/// What of the service's answer this library goes by.
#[derive(Deserialize)]
struct Said {
    limits: SaidLimits,
}

#[derive(Deserialize)]
struct SaidLimits {
    message_size_max: usize,
}

pub(crate) struct Inner {
    shared: Arc<Shared>,
    reading: JoinHandle<()>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

/// A connection to the service. Clones share it; it closes when the last one is gone.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

impl Client {
    /// Connects to an endpoint; see [`Connect`] for more.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn connect(endpoint: &Endpoint, limit: Duration) -> Result<Client, OpenError> {
        Connect::new()
            .endpoint(endpoint.clone())
            .limit(limit)
            .open()
            .await
    }

    /// Begins a call.
    pub fn request(&self, method: &str) -> Call {
        Call::new(self.clone(), method)
    }

    /// Calls a method with one map of named arguments and waits for its result. The arguments are written at once, so
    /// the future borrows nothing; nothing is sent before it is first polled.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn call<A: Serialize + ?Sized, R: DeserializeOwned>(
        &self,
        method: &str,
        arguments: &A,
    ) -> impl Future<Output = Result<R, CallError>> + use<A, R> {
        self.request(method).arguments(arguments).send()
    }

    /// How many answers came to nothing: second ones, or to what was never asked.
    #[must_use]
    pub fn unknown_answers(&self) -> u64 {
        self.shared().unknown_answers()
    }

    pub(crate) fn upgrade(inner: &Weak<Inner>) -> Option<Client> {
        inner.upgrade().map(|inner| Client { inner })
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
