//! The clock of the chaos suite: nanoseconds of the system's monotonic clock, which all processes of a machine share,
//! so that what they wrote down can be put in order.

use std::time::Instant;

/// Now, for measuring.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one clock of the suite"
)]
pub fn now() -> Instant {
    Instant::now()
}

/// Now, for a ledger that several processes write.
pub(crate) use crate::platform::monotonic_ns;

/// Pauses a thread that has nothing to wait on.
#[expect(
    clippy::disallowed_methods,
    reason = "a worker that is told to take its time takes it"
)]
pub fn pause(ms: u64) {
    std::thread::sleep(std::time::Duration::from_millis(ms));
}
