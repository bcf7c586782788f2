//! The point of no return, as the senders see it.

use std::{
    future::Future,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde::de::DeserializeOwned;
use standin_worker::{Context, Failure, Outcome};
use tokio::time::Instant;

/// What a sender asks of the one who called it. [`Context`] is one; tests have their own.
pub trait Gate: Sync {
    /// Leave to do what cannot be undone.
    fn effect_begin(&self) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Resolves when the call is no longer wanted.
    fn cancelled(&self) -> impl Future<Output = ()> + Send;

    /// How long the attempt may take.
    fn timeout(&self) -> Duration;

    /// The name of the job that this is an attempt at, if it is one.
    fn job(&self) -> Option<&str> {
        None
    }

    /// What earlier tries of the job have done of it.
    ///
    /// # Errors
    /// It cannot be read.
    fn so_far<T: DeserializeOwned>(&self) -> Result<Option<T>, Failure> {
        Ok(None)
    }
}

impl Gate for Context {
    fn effect_begin(&self) -> impl Future<Output = Result<(), Failure>> + Send {
        Context::effect_begin(self)
    }

    fn cancelled(&self) -> impl Future<Output = ()> + Send {
        Context::cancelled(self)
    }

    fn timeout(&self) -> Duration {
        Context::timeout(self)
    }

    fn job(&self) -> Option<&str> {
        Context::job(self)
    }

    fn so_far<T: DeserializeOwned>(&self) -> Result<Option<T>, Failure> {
        Context::so_far(self)
    }
}

/// One attempt: its gate, its deadline, and whether the other side may have acted by now.
pub(crate) struct Attempt<'a, G> {
    gate: &'a G,
    deadline: Instant,
    may_have_happened: AtomicBool,
}

impl<'a, G: Gate> Attempt<'a, G> {
    /// An attempt that begins now and ends after `limit`, or a little before the service would end it, so that the
    /// caller gets our sentence rather than the service's.
    pub(crate) fn new(gate: &'a G, limit: Duration) -> Self {
        let allowed = gate.timeout();
        let margin = (allowed / 10).min(Duration::from_millis(500));
        Self {
            gate,
            deadline: Instant::now() + limit.min(allowed.saturating_sub(margin)),
            may_have_happened: AtomicBool::new(false),
        }
    }

    /// Asks for leave to act. It is not yet acting: see [`Attempt::touched`].
    pub(crate) async fn effect_begin(&self) -> Result<(), Failure> {
        self.gate.effect_begin().await
    }

    /// From now on the other side may have acted.
    pub(crate) fn touched(&self) {
        self.may_have_happened.store(true, Ordering::Relaxed);
    }

    /// What is known if nothing more is heard.
    pub(crate) fn outcome_if_lost(&self) -> Outcome {
        if self.may_have_happened.load(Ordering::Relaxed) {
            Outcome::Unknown
        } else {
            Outcome::NotExecuted
        }
    }

    /// When the attempt must be over.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Runs to the end, to the deadline (`None`), or until nobody wants it any more.
    pub(crate) async fn run<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Option<Result<T, Failure>> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.gate.cancelled() => Some(Err(self.cancelled())),
            () = tokio::time::sleep_until(self.deadline) => None,
        }
    }

    fn cancelled(&self) -> Failure {
        let why = "The call was cancelled.";
        Failure::service(standin_protocol::ErrorCode::Cancelled, why)
            .outcome(self.outcome_if_lost())
    }
}
