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
