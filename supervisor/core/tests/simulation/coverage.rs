//! Rules that were never tried have proved nothing: each of these must have happened in some life.

use std::collections::BTreeSet;

/// What has happened.
pub(crate) type Seen = BTreeSet<&'static str>;

const RARE: [&str; 44] = [
    "replayed",
    "what must never run twice was replayed because it was not begun",
    "unsent",
    "incident",
    "an incident excused a request",
    "degraded",
    "no longer degraded",
    "drain",
    "effect granted",
    "effect refused",
    "effect refused for another worker's attempt",
    "a grant, and then a death",
    "a grant that was put on record for the dead",
    "a suspect runs alone",
    "a suspect waits",
    "an answer that nobody waited for",
    "an answer after a cancel",
    "a second report of a death",
    "a hello that came too late",
    "a launch request",
    "a reload whose new worker started",
    "a reload whose new worker did not start",
    "a reload that came to its end",
    "paused, and nobody left",
    "a worker too large",
    "a worker that broke the protocol",
    "worker_lost",
    "poisoned",
    "refused because the same had been deadly",
    "poisoned by deaths that look like a stranger's doing",
    "overloaded",
    "pool_unavailable",
    "cancelled",
    "shutting_down",
    "deadline_exceeded",
    "deadline exceeded while waiting",
    "deadline exceeded before a late timer said so",
    "killed at its deadline",
    "killed at its start time",
    "killed for ignoring the drain",
    "killed at the end of a stop",
    "killed again",
    "the pool was of use at the end",
    "the pool was of use at the end though it had been degraded",
];

pub(crate) fn assert_all_reached(seen: &Seen) {
    let missing: Vec<&str> = RARE
        .into_iter()
        .filter(|branch| !seen.contains(branch))
        .collect();
    assert!(missing.is_empty(), "no life came to this: {missing:?}");
}
