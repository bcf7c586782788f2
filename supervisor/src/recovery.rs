//! What the end of the run before this one did to its programs, if nobody had asked it to stop: for the status.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};

/// There is one run in a process.
static RECOVERY: OnceLock<Recovery> = OnceLock::new();

/// How a run ended that nobody had asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Interruption {
    /// It was killed, or failed.
    Killed,
    /// It ended with the machine.
    Reboot,
}

struct Recovery {
    after: Interruption,
    sessions: u64,
    resumed: AtomicU64,
    unknown: AtomicU64,
}

/// The same as the status tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecoveryStatus {
    pub(crate) after: Interruption,
    /// Sessions that could be resumed.
    pub(crate) sessions: u64,
    /// Those whose programs have come back.
    pub(crate) resumed: u64,
    /// Calls and tries of jobs of which nobody knows whether they were executed.
    pub(crate) unknown: u64,
}

/// This run begins after one that was interrupted, and `sessions` wait for their programs.
pub(crate) fn begin(after: Interruption, sessions: u64) {
    let _ = RECOVERY.set(Recovery {
        after,
        sessions,
        resumed: AtomicU64::new(0),
        unknown: AtomicU64::new(0),
    });
}

/// A program has come back to a session that had to be read from the store.
pub(crate) fn session_resumed() {
    count(|recovery| &recovery.resumed);
}

/// A call had begun in an earlier run, and how it ended is not known.
pub(crate) fn outcome_unknown() {
    count(|recovery| &recovery.unknown);
}

fn count(counter: impl FnOnce(&Recovery) -> &AtomicU64) {
    if let Some(recovery) = RECOVERY.get() {
        counter(recovery).fetch_add(1, Ordering::Relaxed);
    }
}

/// `None`: the run before was asked to stop, or there was none.
pub(crate) fn status() -> Option<RecoveryStatus> {
    let Recovery {
        after,
        sessions,
        resumed,
        unknown,
    } = RECOVERY.get()?;
    Some(RecoveryStatus {
        after: *after,
        sessions: *sessions,
        // A session whose actor has failed in this run is read from the store as well.
        resumed: resumed.load(Ordering::Relaxed).min(*sessions),
        unknown: unknown.load(Ordering::Relaxed),
    })
}
