//! Start failures in a row. An open breaker is what "degraded" means: callers are told at once, and the pool tries
//! again by itself, one worker at a time. A worker that is ready closes it.

use std::time::{Duration, Instant};

use super::settings::{PROBE_DELAY, RETRY_AFTER_MIN, START_FAILURES_MAX, UNEXPLAINED_STARTS_MAX};

/// Counts start failures of a pool.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    /// Workers in a row that failed before they were ready.
    failures: u32,
    /// Workers in a row that a stranger killed before they were ready.
    unexplained: u32,
    /// `Some`: open, and this is when the next worker is tried.
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    /// `None`: at once.
    probe_at: Option<Instant>,
    delay: Duration,
}

impl Breaker {
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// How long a caller should wait before it asks again. While a try is going on, that is not 0.
    pub(super) fn pause(&self, now: Instant) -> Option<Duration> {
        let probe_at = self.open?.probe_at.unwrap_or(now);
        let pause = probe_at.saturating_duration_since(now);
        Some(pause.max(RETRY_AFTER_MIN))
    }

    /// How long it lies between the last try and the next one.
    pub(super) fn delay(&self) -> Option<Duration> {
        Some(self.open?.delay)
    }

    /// When the next try is due; `None`: nothing holds it back.
    pub(super) fn probe_at(&self) -> Option<Instant> {
        self.open?.probe_at
    }

    /// A worker failed to start. While another one is ready the pool serves, and nothing is degraded.
    pub(super) fn start_failed(&mut self, now: Instant, by_stranger: bool, somebody_ready: bool) {
        if by_stranger {
            self.unexplained += 1;
        } else {
            self.failures += 1;
        }
        let too_many =
            self.failures >= START_FAILURES_MAX || self.unexplained >= UNEXPLAINED_STARTS_MAX;
        // However the try of an open breaker ended, the next one waits longer.
        if !self.is_open() && (!too_many || somebody_ready) {
            return;
        }
        let delay = self
            .open
            .map_or(PROBE_DELAY.0, |open| (open.delay * 2).min(PROBE_DELAY.1));
        self.open = Some(Open {
            probe_at: Some(now + delay),
            delay,
        });
    }

    /// A worker started. Tells whether that closed the breaker.
    pub(super) fn started(&mut self) -> bool {
        self.failures = 0;
        self.unexplained = 0;
        self.open.take().is_some()
    }

    /// Somebody asks for a worker now.
    pub(super) fn probe_now(&mut self) {
        if let Some(open) = &mut self.open {
            open.probe_at = None;
        }
    }

    /// Somebody waits: the next try is then at the latest.
    pub(super) fn probe_before(&mut self, latest: Instant) {
        if let Some(probe_at) = self.open.as_mut().and_then(|open| open.probe_at.as_mut()) {
            *probe_at = (*probe_at).min(latest);
        }
    }
}

#[cfg(test)]
mod tests;
