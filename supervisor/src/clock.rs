//! The one clock of the service. The core gets its time from here, through the actors.

use std::time::Instant;

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
