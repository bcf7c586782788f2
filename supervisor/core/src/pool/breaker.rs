//! Start failures in a row. An open breaker is what "degraded" means: callers are told at once, and the pool tries
//! again by itself, one worker at a time.

use std::time::{Duration, Instant};

use super::settings::{PROBE_DELAY, START_FAILURES_MAX};

/// Counts start failures of a pool.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    /// `Some`: open, and this is when the next worker is tried.
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    probe_at: Option<Instant>,
    delay: Duration,
}

impl Breaker {
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// How long until the next try.
    pub(super) fn pause(&self, now: Instant) -> Option<Duration> {
        let probe_at = self.open?.probe_at?;
        Some(probe_at.saturating_duration_since(now))
    }

    /// When the next try is due; `None`: nothing holds it back.
    pub(super) fn probe_at(&self) -> Option<Instant> {
        self.open?.probe_at
    }

    /// A worker failed to start. While another one is ready the pool serves, and nothing is degraded.
    pub(super) fn start_failed(&mut self, now: Instant, somebody_ready: bool) {
        self.failures += 1;
        if self.failures < START_FAILURES_MAX || somebody_ready {
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
        self.open.take().is_some()
    }

    /// Somebody asks for a worker now.
    pub(super) fn probe_now(&mut self) {
        if let Some(open) = &mut self.open {
            open.probe_at = None;
        }
    }
}
