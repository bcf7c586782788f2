//! What one user of the operating system may have at a time, all of its programs together.
//!
//! An [`Account`] counts a user's connections, unanswered calls and the bytes that are held for the user, and says when
//! one more is too many. It is shared by all sessions of the user and takes no lock on the way of a call. What was counted
//! is given back when its [`Place`], [`Charge`] or [`Kept`] is dropped, so that nothing is counted for longer than it is
//! there. It does not know what a connection or a call is.

mod guards;

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

pub use self::guards::{Charge, Kept, Place};
use crate::UserId;

/// The limits; the same for every user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaLimits {
    /// Connections at a time.
    pub sessions_max: usize,
    /// Calls that are not answered.
    pub requests_max: usize,
    /// Bytes of the parameters of those calls, and of answers that are kept.
    pub bytes_max: usize,
}

/// One of the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// Connections.
    Sessions,
    /// Unanswered calls.
    Requests,
    /// Bytes.
    Bytes,
}

impl Quota {
    /// What the setting is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Quota::Sessions => "sessions",
            Quota::Requests => "requests",
            Quota::Bytes => "bytes",
        }
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One more would have been too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// Which limit.
    pub quota: Quota,
    /// How much of it there is.
    pub limit: usize,
}

/// What a user has at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Connections.
    pub sessions: usize,
    /// Unanswered calls.
    pub requests: usize,
    /// Bytes of their parameters.
    pub waiting_bytes: usize,
    /// Bytes of answers that are kept.
    pub kept_bytes: usize,
    /// What was refused so far.
    pub refused: u64,
}

impl Usage {
    /// Whether nothing is counted for the user now.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.sessions == 0 && self.requests == 0 && self.waiting_bytes == 0 && self.kept_bytes == 0
    }
}

/// Between two lines of the log about the refusals of one user.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// One user.
#[derive(Debug)]
pub struct Account {
    number: UserId,
    user: Arc<str>,
    limits: QuotaLimits,
    sessions: AtomicUsize,
    requests: AtomicUsize,
    waiting_bytes: AtomicUsize,
    kept_bytes: AtomicUsize,
    refused: AtomicU64,
    told: Mutex<Option<Instant>>,
}

impl Account {
    /// A user who has nothing yet.
    #[must_use]
    pub fn new(number: UserId, user: &str, limits: QuotaLimits) -> Self {
        Self {
            number,
            user: user.into(),
            limits,
            sessions: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            waiting_bytes: AtomicUsize::new(0),
            kept_bytes: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
            told: Mutex::new(None),
        }
    }

    /// The service's own number for the user.
    #[must_use]
    pub const fn number(&self) -> UserId {
        self.number
    }

    /// The operating system's name for the user.
    #[must_use]
    pub fn user(&self) -> &Arc<str> {
        &self.user
    }

    /// Counts a connection. `None`: there are twice as many as may be, and this one is not even to be told so. One that
    /// is merely too many gets a place as well: somebody has to be told, and administrators may look around.
    #[must_use]
    pub fn enter(self: &Arc<Self>) -> Option<Place> {
        let before = self.sessions.fetch_add(1, Ordering::Relaxed);
        let place = Place::new(Arc::clone(self), before < self.limits.sessions_max);
        (before < self.limits.sessions_max.saturating_mul(2)).then_some(place)
    }

    /// Whether the user has more connections than may be.
    #[must_use]
    pub fn has_too_many_sessions(&self) -> bool {
        self.sessions.load(Ordering::Relaxed) > self.limits.sessions_max
    }

    /// The limit of connections, for whoever is to be told that they are too many.
    #[must_use]
    pub const fn sessions_exceeded(&self) -> Exceeded {
        Exceeded {
            quota: Quota::Sessions,
            limit: self.limits.sessions_max,
        }
    }

    /// Counts a call with so many bytes of parameters, unless it is one too many.
    ///
    /// # Errors
    /// The limit that it would have exceeded; nothing is counted.
    pub fn charge(self: &Arc<Self>, bytes: usize) -> Result<Charge, Exceeded> {
        let charge = self.charge_regardless(bytes);
        // Counted first and looked at afterwards: two at once may both be refused, but not both be taken.
        let usage = self.usage();
        let limits = self.limits;
        // A call that comes alone is never too large; the size of a message has a limit of its own.
        let bytes_max = limits.bytes_max.max(bytes);
        let (quota, limit) = if usage.requests > limits.requests_max {
            (Quota::Requests, limits.requests_max)
        } else if usage.waiting_bytes + usage.kept_bytes > bytes_max {
            (Quota::Bytes, limits.bytes_max)
        } else {
            return Ok(charge);
        };
        drop(charge);
        Err(Exceeded { quota, limit })
    }

    /// Counts a call that was taken before, or that the service makes by itself.
    #[must_use]
    pub fn charge_regardless(self: &Arc<Self>, bytes: usize) -> Charge {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        Charge::new(Arc::clone(self), bytes)
    }

    /// Bytes of answers that should be dropped if they can be had a second time. Such answers may take half of what the
    /// user has, so that they never stand in the way of a call.
    #[must_use]
    pub fn bytes_to_drop(&self) -> usize {
        let usage = self.usage();
        (usage.waiting_bytes + usage.kept_bytes).saturating_sub(self.limits.bytes_max / 2)
    }

    /// Notes that something was refused. True: it is time to say so in the log.
    #[must_use]
    pub fn refused(&self, now: Instant) -> bool {
        self.refused.fetch_add(1, Ordering::Relaxed);
        let mut told = self.told.lock().expect("nobody panics while holding it");
        let is_time = told.is_none_or(|told| now.saturating_duration_since(told) >= TOLD_EVERY);
        if is_time {
            *told = Some(now);
        }
        is_time
    }

    /// What the user has now.
    #[must_use]
    pub fn usage(&self) -> Usage {
        Usage {
            sessions: self.sessions.load(Ordering::Relaxed),
            requests: self.requests.load(Ordering::Relaxed),
            waiting_bytes: self.waiting_bytes.load(Ordering::Relaxed),
            kept_bytes: self.kept_bytes.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests;
