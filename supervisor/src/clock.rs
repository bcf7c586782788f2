//! The one clock of the service. The core gets its time from here, through the actors.

use std::{sync::OnceLock, time::Instant};

/// Now, on the monotonic clock.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one clock of the service"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Milliseconds since 1970 on the wall clock, which jumps: for people to read, and to tell how many days old something
/// is that outlives the service; never to decide what must be right.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one clock of the service"
)]
pub(crate) fn unix_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

/// The wall clock at its latest: what is written down by it does not look old when a clock that was set back is set right.
pub(crate) fn latest_unix_ms() -> u64 {
    Life::of_this_process().latest(now(), unix_ms())
}

/// The wall clock at its earliest: what is judged by it has not become old because a clock was set ahead.
pub(crate) fn earliest_unix_ms() -> u64 {
    Life::of_this_process().earliest(now(), unix_ms())
}

/// When this life of the service began, on both clocks. The wall clock is believed then, and checked by the other one
/// from then on.
#[derive(Debug, Clone, Copy)]
struct Life {
    began: Instant,
    began_unix_ms: u64,
}

impl Life {
    fn of_this_process() -> Life {
        static LIFE: OnceLock<Life> = OnceLock::new();
        *LIFE.get_or_init(|| Life {
            began: now(),
            began_unix_ms: unix_ms(),
        })
    }

    fn latest(self, now: Instant, wall: u64) -> u64 {
        wall.max(self.untouched(now))
    }

    fn earliest(self, now: Instant, wall: u64) -> u64 {
        wall.min(self.untouched(now))
    }

    /// What the wall clock would show if nobody had touched it since.
    fn untouched(self, now: Instant) -> u64 {
        let lived = now.saturating_duration_since(self.began).as_millis();
        let lived = u64::try_from(lived).unwrap_or(u64::MAX);
        self.began_unix_ms.saturating_add(lived)
    }
}

#[cfg(test)]
mod tests;
