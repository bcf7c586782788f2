//! Who waits for the end of which job. They look at the store themselves when they are told that something happened.

use rustc_hash::FxHashMap;
use standin_core::JobId;
use tokio::sync::oneshot;

/// Those who wait.
#[derive(Debug, Default)]
pub(super) struct Waiters(FxHashMap<JobId, Vec<oneshot::Sender<()>>>);

impl Waiters {
    pub(super) fn add(&mut self, job: JobId, waiter: oneshot::Sender<()>) {
        self.0.entry(job).or_default().push(waiter);
    }

    pub(super) fn tell(&mut self, job: JobId) {
        for waiter in self.0.remove(&job).into_iter().flatten() {
            // One that is gone needs nothing.
            let _ = waiter.send(());
        }
    }

    /// Forgets those that are gone.
    pub(super) fn sweep(&mut self) {
        self.0.retain(|_, waiters| {
            waiters.retain(|waiter| !waiter.is_closed());
            !waiters.is_empty()
        });
    }
}
