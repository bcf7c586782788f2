//! Opening a client.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use standin_protocol::ErrorAnswer;
use standin_transport::{Endpoint, connect, message_writer};
use tokio::task::JoinHandle;

use crate::{
    Call, CallError, OpenError,
    callbacks::{Callback, Handler},
    shared::{OnProgress, Shared, read},
};

/// How long a client waits for a service that is not there yet, unless it is told otherwise.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

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

    /// Answers the questions that workers ask in the course of this program's calls.
    #[must_use]
    pub fn callbacks<H, F>(mut self, handler: H) -> Self
    where
        H: Fn(Callback) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Bytes, ErrorAnswer>> + Send + 'static,
    {
        self.handler = Some(Handler::new(handler));
        self
    }

    /// Takes the progress of this program's calls: the call's msgid, and what the worker says, as MessagePack.
    #[must_use]
    pub fn progress(mut self, on_progress: impl Fn(u64, Bytes) + Send + Sync + 'static) -> Self {
        self.on_progress = Some(Arc::new(on_progress));
        self
    }

    /// Connects, and says hello if there is something to say.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(self) -> Result<Client, OpenError> {
        let endpoint = self.endpoint.map_or_else(Endpoint::for_client, Ok)?;
        let connection = connect(&endpoint, self.limit.unwrap_or(CONNECT_LIMIT)).await?;
        let (writer, work) = message_writer(connection.clone());
        tokio::spawn(work);
        let hello = Hello {
            client: self.name.as_deref(),
            callbacks: self.handler.is_some(),
            progress: self.on_progress.is_some(),
        };
        let has_something_to_say = hello != Hello::default();
        let shared = Arc::new(Shared::new(writer, self.handler, self.on_progress));
        let reading = tokio::spawn(read(connection, Arc::clone(&shared)));
        let client = Client {
            inner: Arc::new(Inner { shared, reading }),
        };
        if has_something_to_say {
            let said = client
                .request("standin.hello")
                .arguments(&hello)
                .send_raw()
                .await;
            said.map_err(OpenError::Hello)?;
        }
        Ok(client)
    }
}

#[derive(Default, PartialEq, Serialize)]
struct Hello<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    callbacks: bool,
    progress: bool,
}

struct Inner {
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

    /// Calls a method with one map of named arguments and waits for its result.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call<A: Serialize + ?Sized, R: DeserializeOwned>(
        &self,
        method: &str,
        arguments: &A,
    ) -> Result<R, CallError> {
        self.request(method).arguments(arguments).send().await
    }

    /// How many answers came to nothing: second ones, or to calls that were given up.
    #[must_use]
    pub fn unknown_answers(&self) -> u64 {
        self.shared().unknown_answers()
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
