//! The one place that asks what time it is.

use std::time::{Duration, Instant};

/// Now.
#[expect(clippy::disallowed_methods, reason = "this is the clock of the crate")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// For how long a program has waited in all for what a client has open. While it does something else nothing is read, and
/// that nothing came then says nothing about the service.
#[derive(Debug, Default)]
pub(crate) struct Driven {
    before: Duration,
    waiters: u32,
    since: Option<Instant>,
}

impl Driven {
    pub(crate) fn total(&self, now: Instant) -> Duration {
        let running = self.since.map(|since| now.saturating_duration_since(since));
        self.before + running.unwrap_or_default()
    }

    pub(crate) fn begin(&mut self, now: Instant) {
        self.waiters += 1;
        self.since.get_or_insert(now);
    }

    pub(crate) fn end(&mut self, now: Instant) {
        self.waiters = self.waiters.saturating_sub(1);
        if self.waiters == 0 {
            self.before = self.total(now);
            self.since = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_time_in_which_somebody_waits_is_counted_and_never_twice() {
        let start = now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut driven = Driven::default();
        driven.begin(at(0));
        driven.begin(at(1));
        driven.end(at(2));
        assert_eq!(driven.total(at(3)), Duration::from_secs(3));
        driven.end(at(4));
        assert_eq!(driven.total(at(100)), Duration::from_secs(4));
        driven.begin(at(200));
        assert_eq!(driven.total(at(201)), Duration::from_secs(5));
    }
}
