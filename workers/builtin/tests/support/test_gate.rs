//! The service's part, for tests: grants leave or refuses it, and counts.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use standin_builtin::Gate;
use standin_worker::Failure;
use tokio::sync::Notify;

pub(crate) struct TestGate {
    pub(crate) asked: AtomicU32,
    pub(crate) refuses: bool,
    pub(crate) timeout: Duration,
    pub(crate) cancel: Notify,
}

impl TestGate {
    pub(crate) fn new() -> Self {
        Self {
            asked: AtomicU32::new(0),
            refuses: false,
            timeout: Duration::from_secs(60),
            cancel: Notify::new(),
        }
    }

    pub(crate) fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Gate for TestGate {
    async fn effect_begin(&self) -> Result<(), Failure> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.refuses {
            return Err(Failure::new(6, "cancelled", "The call was taken back.")
                .outcome(standin_worker::Outcome::NotExecuted));
        }
        Ok(())
    }

    async fn cancelled(&self) {
        self.cancel.notified().await;
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }
}
