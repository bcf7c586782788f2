//! Forgets what ended long ago.

use std::time::Duration;

use standin_core::jobs::WallTime;

use crate::{
    config::JobsSettings,
    store::{JobWrite, StoreHandle, Write},
};

/// How often is swept. Each sweep takes a few thousand jobs at most.
pub(super) const PERIOD: Duration = Duration::from_secs(60);

/// How long what ended is kept.
#[derive(Debug)]
pub(super) struct Sweep {
    keep: Duration,
    keep_failed: Duration,
}

impl Sweep {
    pub(super) fn new(settings: &JobsSettings) -> Sweep {
        Sweep {
            keep: settings.keep.0,
            keep_failed: settings.keep_failed.0,
        }
    }

    /// `now`: by a clock that does not jump ahead.
    pub(super) fn post(&self, store: &StoreHandle, now: WallTime) {
        let before = |keep: Duration| WallTime(now.0.saturating_sub(keep.as_millis() as u64));
        store.post(Write::Job(JobWrite::Purged {
            ended_before: before(self.keep),
            failed_before: before(self.keep_failed),
        }));
    }
}
