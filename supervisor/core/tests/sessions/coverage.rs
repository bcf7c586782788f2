//! Rules that were never tried have proved nothing: each of these must have happened in some life.

use std::collections::BTreeSet;

/// What has happened.
pub(crate) type Seen = BTreeSet<&'static str>;

const RARE: [&str; 23] = [
    "replayed",
    "unknown",
    "taken back before it was sent",
    "an intent that could not be put on record",
    "a grant that could not be put on record",
    "nobody came back in time",
    "an older connection was not heard",
    "news of an older connection was no news",
    "a newer connection took the session over",
    "a connection that was left was heard last",
    "sent again while it ran",
    "sent again and answered again",
    "sent again after it was acknowledged",
    "begun in an earlier life",
    "a session of an earlier life",
    "too many open",
    "no room for one more answer",
    "a batch of which some was known",
    "acknowledged before it was answered",
    "the service died again while it recovered",
    "a session was lost with what was asked in it",
    "a connection broke in both directions",
    "a client came back over a second connection while it had the first",
];

pub(crate) fn assert_all_reached(seen: &Seen) {
    let missing = RARE.into_iter().filter(|branch| !seen.contains(branch));
    let missing: Vec<&str> = missing.collect();
    assert!(missing.is_empty(), "no life came to this: {missing:?}");
}
