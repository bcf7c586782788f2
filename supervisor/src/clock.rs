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

/// A moment, in milliseconds since 1970, as the log writes it.
pub(crate) fn utc(unix_ms: u64) -> String {
    let (seconds, ms) = (unix_ms / 1000, unix_ms % 1000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": a year begins in March, so that the day that may
    // be missing is its last.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
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
