//! The client for programs without a runtime. It has no thread of its own: what there is to do is done while the
//! program waits for an answer, callbacks and lost connections included, so a call costs no wake-up across threads.
//!
//! ```no_run
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = standin_client::blocking::Client::open(standin_client::Connect::new())?;
//! let pong: String = client.call("standin.ping", &())?;
//! # Ok(()) }
//! ```

use std::time::Duration;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use tokio::runtime::Runtime;

use crate::{CallError, Connect, Endpoint, OpenError, Pending};

/// A session with the service. Threads may share it; each call is then waited for by its own thread.
#[derive(Debug)]
pub struct Client {
    // Dropped before the runtime that its task runs on.
    client: crate::Client,
    runtime: Runtime,
}

impl Client {
    /// Opens a client as [`Connect`] says.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(connect: Connect) -> Result<Client, OpenError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(OpenError::Runtime)?;
        let client = runtime.block_on(connect.open())?;
        Ok(Client { client, runtime })
    }

    /// Connects to an endpoint.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn connect(endpoint: &Endpoint, limit: Duration) -> Result<Client, OpenError> {
        Self::open(Connect::new().endpoint(endpoint.clone()).limit(limit))
    }

    /// Calls a method with one map of named arguments and waits for its result.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn call<A: Serialize + ?Sized, R: DeserializeOwned>(
        &self,
        method: &str,
        arguments: &A,
    ) -> Result<R, CallError> {
        self.runtime.block_on(self.client.call(method, arguments))
    }

    /// Begins a call, to set more than its arguments; hand it to [`send`](Self::send).
    pub fn request(&self, method: &str) -> crate::Call {
        self.client.request(method)
    }

    /// Sends a call and waits for its result.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn send<R: DeserializeOwned>(&self, call: crate::Call) -> Result<R, CallError> {
        self.runtime.block_on(call.send())
    }

    /// Sends a call and waits for its result as MessagePack.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn send_raw(&self, call: crate::Call) -> Result<Bytes, CallError> {
        self.runtime.block_on(call.send_raw())
    }

    /// Sends a call and does not wait for its result. It is on its way when this returns, unless the service does not
    /// read; what is then left goes out while the program waits for something.
    ///
    /// # Errors
    /// The arguments cannot be written, or are larger or deeper than the service takes.
    pub fn start(&self, call: crate::Call) -> Result<Pending, CallError> {
        self.runtime.block_on(async {
            let pending = call.start()?;
            // The writer has its turn.
            tokio::task::yield_now().await;
            Ok(pending)
        })
    }

    /// Waits for a call that was [started](Self::start).
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn wait<R: DeserializeOwned>(&self, pending: Pending) -> Result<R, CallError> {
        self.runtime.block_on(pending.wait())
    }

    /// Has a started call taken back. The call is still answered: wait for it.
    ///
    /// # Errors
    /// See [`Pending::cancel`].
    pub fn cancel(&self, pending: &Pending) -> Result<(), CallError> {
        self.runtime.block_on(pending.cancel())
    }

    /// Closes the client; see [`Client::close`](crate::Client::close).
    pub fn close(self) {
        self.runtime.block_on(self.client.close());
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // In a task of somebody else's runtime nothing may be waited for; then the service learns of the end as it would
        // of a killed program.
        if tokio::runtime::Handle::try_current().is_ok() {
            return;
        }
        self.runtime.block_on(async {
            self.client.shared().leave();
            // The writer has its turn.
            tokio::task::yield_now().await;
        });
    }
}
