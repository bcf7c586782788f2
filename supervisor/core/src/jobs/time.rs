//! Two clocks: one that only goes on, and the one on the wall.

use std::{
    ops::Add,
    time::{Duration, Instant},
};

/// The time of day, in milliseconds since the beginning of 1970 in Greenwich. It may jump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct WallTime(pub u64);

impl WallTime {
    /// How long until then; nothing, if it is over.
    #[must_use]
    pub fn saturating_since(self, earlier: WallTime) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// So much before.
    #[must_use]
    pub fn earlier(self, by: Duration) -> WallTime {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        WallTime(self.0.saturating_sub(ms))
    }
}

impl Add<Duration> for WallTime {
    type Output = WallTime;

    fn add(self, duration: Duration) -> WallTime {
        let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        WallTime(self.0.saturating_add(ms))
    }
}

/// One moment on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// For measuring.
    pub steady: Instant,
    /// For people.
    pub wall: WallTime,
}
