//! One attempt while it runs: what it is, and whether it is still wanted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use standin_protocol::WorkerMeta;
use tokio::{sync::Notify, time::Instant};

use crate::serve::Offer;

/// Shared by the handler's context, the task that runs the handler, and the link that hears cancellations.
pub(crate) struct Attempt {
    pub(crate) id: u64,
    pub(crate) offer: Arc<Offer>,
    pub(crate) meta: WorkerMeta,
    began: Instant,
    cancelled: AtomicBool,
    cancellation: Notify,
    effect_granted: AtomicBool,
}

impl Attempt {
    /// An attempt that begins now. A service that says nothing of time leaves all the time there is.
    pub(crate) fn new(id: u64, offer: Arc<Offer>, meta: Option<&Bytes>) -> Self {
        let mut meta = meta
            .and_then(|meta| WorkerMeta::decode(meta).ok())
            .unwrap_or_default();
        if meta.timeout_ms == 0 {
            meta.timeout_ms = u64::MAX;
        }
        Self {
            id,
            offer,
            meta,
            began: Instant::now(),
            cancelled: AtomicBool::new(false),
            cancellation: Notify::new(),
            effect_granted: AtomicBool::new(false),
        }
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.meta.timeout_ms)
    }

    /// `None`: further away than the clock can say.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.began.checked_add(self.timeout())
    }

    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.cancellation.notify_waiters();
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    pub(crate) async fn cancelled(&self) {
        let cancellation = self.cancellation.notified();
        tokio::pin!(cancellation);
        // Listening begins before the look, so that a cancellation in between is not missed.
        cancellation.as_mut().enable();
        if !self.is_cancelled() {
            cancellation.await;
        }
    }

    pub(crate) fn grant_effect(&self) {
        self.effect_granted.store(true, Ordering::Release);
    }

    pub(crate) fn effect_granted(&self) -> bool {
        self.effect_granted.load(Ordering::Acquire)
    }
}
