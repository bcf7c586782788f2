//! Forgets what ended long ago.

use std::time::Duration;

use standin_core::jobs::{Now, WallTime};

use crate::{
    config::JobsSettings,
    store::{JobWrite, StoreHandle, Write},
};

/// How often is swept. Each sweep takes a few thousand jobs at most.
pub(super) const PERIOD: Duration = Duration::from_secs(60);

/// How long what ended is kept, by a clock that does not jump ahead.
#[derive(Debug)]
pub(super) struct Sweep {
    keep: Duration,
    keep_failed: Duration,
    began: Now,
}

impl Sweep {
    pub(super) fn new(settings: &JobsSettings, began: Now) -> Sweep {
        Sweep {
            keep: settings.keep.0,
            keep_failed: settings.keep_failed.0,
            began,
        }
    }

    pub(super) fn post(&self, store: &StoreHandle, now: Now) {
        let now = self.at_the_earliest(now);
        let before = |keep: Duration| WallTime(now.0.saturating_sub(keep.as_millis() as u64));
        store.post(Write::Job(JobWrite::Purged {
            ended_before: before(self.keep),
            failed_before: before(self.keep_failed),
        }));
    }

    /// A wall clock that jumps ahead while the service lives makes nothing old.
    fn at_the_earliest(&self, now: Now) -> WallTime {
        let lived = now.steady.saturating_duration_since(self.began.steady);
        now.wall.min(self.began.wall + lived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn a_clock_that_jumps_ahead_makes_nothing_old() {
        let began = Now {
            steady: clock::now(),
            wall: WallTime(1_000_000),
        };
        let sweep = Sweep::new(&JobsSettings::default(), began);
        let minute = Duration::from_secs(60);
        let later = Now {
            steady: began.steady + minute,
            wall: WallTime(1 << 50),
        };
        assert_eq!(sweep.at_the_earliest(later), began.wall + minute);
        let back = Now {
            wall: WallTime(5),
            ..later
        };
        assert_eq!(sweep.at_the_earliest(back), WallTime(5));
    }
}
