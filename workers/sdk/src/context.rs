//! What a handler knows of its call, and may ask the service.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use standin_protocol::{self as protocol, ErrorCode, Outcome, WorkerMeta, value};
use tokio::time::Instant;

use crate::{Failure, attempt::Attempt, link::Link};

/// The circumstances of one attempt. Clones are the same attempt.
#[derive(Clone)]
pub struct Context {
    pub(crate) link: Arc<Link>,
    pub(crate) attempt: Arc<Attempt>,
}

impl Context {
    pub(crate) fn new(link: Arc<Link>, attempt: Arc<Attempt>) -> Self {
        Self { link, attempt }
    }

    /// The method that was called.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.attempt.offer.name
    }

    /// The service's number for this attempt; never used twice.
    #[must_use]
    pub fn attempt(&self) -> u64 {
        self.attempt.id
    }

    /// Everything that the service said beside the call.
    #[must_use]
    pub fn meta(&self) -> &WorkerMeta {
        &self.attempt.meta
    }

    /// Which attempt of the call this is, from 1. Above 1 an earlier worker died.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.attempt.meta.number
    }

    /// The user who asks, as the operating system names them.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.attempt.meta.user
    }

    /// The name of the job that the call belongs to, if it belongs to one. It is the same for every attempt, over days
    /// and restarts, and no other job has it: what is made from it can be recognised where it arrives.
    #[must_use]
    pub fn job(&self) -> Option<&str> {
        self.attempt.meta.job.as_deref()
    }

    /// What earlier tries of the job have done of it: the `so_far` in the data of the last error that had one.
    ///
    /// # Errors
    /// It is of another shape: another version of the program has written it. Return the error; what is done already
    /// must not be done again.
    pub fn so_far<T: serde::de::DeserializeOwned>(&self) -> Result<Option<T>, Failure> {
        let Some(bytes) = &self.attempt.meta.so_far else {
            return Ok(None);
        };
        protocol::decode_exact(bytes).map(Some).map_err(|error| {
            let why = format!("What earlier tries have done of this job cannot be read: {error}.");
            Failure::service(ErrorCode::InvalidParams, why)
        })
    }

    /// The session that asks.
    #[must_use]
    pub fn session(&self) -> u64 {
        self.attempt.meta.session
    }

    /// How long the attempt may take, counted from its begin.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.attempt.timeout()
    }

    /// When the service will end the attempt and this process with it, unless [`progress`](Self::progress) is told
    /// before. `None`: never.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.attempt.deadline()
    }

    /// Asks for leave to do what cannot be undone. Go on only when this is `Ok`: after it the call is not replayed.
    /// Leave is given once and holds for the rest of the attempt.
    ///
    /// # Errors
    /// The call was cancelled, is late, or belongs to somebody else by now. Nothing has been done: return the error.
    pub async fn effect_begin(&self) -> Result<(), Failure> {
        if self.attempt.effect_granted() {
            return Ok(());
        }
        let params = protocol::encode(&[self.attempt.id]);
        let answer = self
            .link
            .ask("effect.begin", &params)
            .await
            .map_err(Failure)?;
        if value::read_bool(&answer) == Some(true) {
            self.attempt.grant_effect();
            return Ok(());
        }
        let why = "The call was taken back before it had any effect.";
        Err(Failure::service(ErrorCode::Cancelled, why).outcome(Outcome::NotExecuted))
    }

    /// The same for a [blocking](crate::Method::blocking) handler.
    ///
    /// # Errors
    /// As [`effect_begin`](Self::effect_begin).
    ///
    /// # Panics
    /// In an async handler: it would wait for itself.
    pub fn effect_begin_blocking(&self) -> Result<(), Failure> {
        tokio::runtime::Handle::current().block_on(self.effect_begin())
    }

    /// Tells how the call is getting on: whatever map makes sense to the caller. It also shows the service that this
    /// worker is alive and at it, which gives the attempt its time anew. When the service does not keep up with
    /// reading, some are left out.
    pub fn progress<T: Serialize + ?Sized>(&self, what: &T) {
        let params = protocol::encode(&(self.attempt.id, what));
        self.link
            .hint(protocol::notification(b"request.progress", &params));
    }

    /// Resolves when the call is no longer wanted.
    pub async fn cancelled(&self) {
        self.attempt.cancelled().await;
    }

    /// Whether the call is no longer wanted.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.attempt.is_cancelled()
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("method", &self.method())
            .field("attempt", &self.attempt.id)
            .field("meta", &self.attempt.meta)
            .finish_non_exhaustive()
    }
}
