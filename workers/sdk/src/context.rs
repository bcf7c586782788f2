//! What a handler knows of its call, and may ask the service.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use standin_protocol::{self as protocol, ErrorCode, Outcome, WorkerMeta, value};
use tokio::sync::watch;

use crate::{Failure, link::Link};

/// The circumstances of one attempt.
#[derive(Clone)]
pub struct Context {
    link: Arc<Link>,
    attempt: u64,
    meta: Arc<WorkerMeta>,
    cancelled: watch::Receiver<bool>,
}

impl Context {
    pub(crate) fn new(
        link: Arc<Link>,
        attempt: u64,
        meta: WorkerMeta,
        cancelled: watch::Receiver<bool>,
    ) -> Self {
        Self {
            link,
            attempt,
            meta: Arc::new(meta),
            cancelled,
        }
    }

    /// Which attempt of the call this is, from 1. Above 1 an earlier worker died.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.meta.number
    }

    /// The user who asks, as the operating system names them.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.meta.user
    }

    /// The session that asks.
    #[must_use]
    pub fn session(&self) -> u64 {
        self.meta.session
    }

    /// How long the attempt may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.meta.timeout_ms)
    }

    /// Asks for leave to do what cannot be undone. Go on only when this is `Ok`: after it the call is not replayed.
    ///
    /// # Errors
    /// The call was cancelled, is late, or belongs to somebody else by now. Nothing has been done: return the error.
    pub async fn effect_begin(&self) -> Result<(), Failure> {
        let params = protocol::encode(&[self.attempt]);
        let answer = self
            .link
            .ask("effect.begin", &params)
            .await
            .map_err(Failure)?;
        if value::read_bool(&answer) == Some(true) {
            return Ok(());
        }
        let why = "The call was taken back before it had any effect.";
        Err(Failure::service(ErrorCode::Cancelled, why).outcome(Outcome::NotExecuted))
    }

    /// Tells how the call is getting on: whatever map makes sense to the caller. It also shows the service that this
    /// worker is alive and at it.
    pub fn progress<T: Serialize + ?Sized>(&self, what: &T) {
        let params = protocol::encode(&(self.attempt, what));
        self.link
            .send(protocol::notification(b"request.progress", &params));
    }

    /// Resolves when the call is no longer wanted.
    pub async fn cancelled(&self) {
        let mut cancelled = self.cancelled.clone();
        if cancelled.wait_for(|cancelled| *cancelled).await.is_err() {
            std::future::pending().await
        }
    }

    /// Whether the call is no longer wanted.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        *self.cancelled.borrow()
    }

    /// Calls a method of the program that made this call.
    ///
    /// # Errors
    /// `callback_failed`, with the program's own words; `invalid_params` if its result is not of the type.
    pub async fn call_client<A: Serialize + ?Sized, R: DeserializeOwned>(
        &self,
        method: &str,
        arguments: &A,
    ) -> Result<R, Failure> {
        let params = protocol::encode(&(self.attempt, method, [arguments]));
        let answer: Bytes = self
            .link
            .ask("client.call", &params)
            .await
            .map_err(Failure)?;
        protocol::decode_exact(&answer).map_err(|error| {
            let why =
                format!("The program answered \"{method}\" with something unexpected: {error}.");
            Failure::service(ErrorCode::CallbackFailed, why)
        })
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("attempt", &self.attempt)
            .field("meta", &self.meta)
            .finish_non_exhaustive()
    }
}
