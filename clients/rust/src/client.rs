//! The client, as a program holds it.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};
use standin_transport::Endpoint;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    Call, CallError, Connect, OpenError,
    hello::Greeted,
    keep::{Way, keep},
    shared::Shared,
};

/// How long closing waits for a service that does not read.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

pub(crate) struct Inner {
    shared: Arc<Shared>,
    keeping: JoinHandle<()>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.leave();
        self.keeping.abort();
    }
}

/// A session with the service, over one connection at a time. Clones share it; it closes when the last one is gone.
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

    pub(crate) fn over(shared: Shared, way: Way, greeted: Greeted) -> Client {
        let shared = Arc::new(shared);
        let first = shared.adopt(greeted);
        let (introduce, client) = oneshot::channel();
        let keeping = tokio::spawn(keep(Arc::clone(&shared), way, first, client));
        let inner = Arc::new(Inner { shared, keeping });
        // The task was started a line ago and waits for this.
        let _ = introduce.send(Arc::downgrade(&inner));
        Client { inner }
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

    /// Has the call with this [number](crate::Pending::msgid) taken back, and does not wait for that: what the service
    /// cannot have got ends here with the error `cancelled`, and otherwise the service is asked to, as soon as there is a
    /// connection and for as long as the call has time. The call is still answered. One that has ended stays so.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn cancel(&self, msgid: u64) -> Result<(), CallError> {
        self.shared().cancel(msgid).map(|_| ())
    }

    /// Closes the client and all its clones, and says so to the service: it need keep nothing for this program, and gives
    /// up what is still open here, which ends with [`Closed`](CallError::Closed).
    ///
    /// A client that is only dropped closes as well. Calls that are [detached](crate::Pending::detach) then still run, for
    /// as long as the service waits for a program that is away.
    pub async fn close(&self) {
        if let Some(rest) = self.shared().close() {
            // A service that does not read is not waited for.
            let _ = tokio::time::timeout(CLOSE_LIMIT, rest).await;
        }
        self.inner.keeping.abort();
    }

    /// How many answers came to nothing: second ones, or to what was never asked. After a lost connection the service may
    /// give an answer twice.
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
