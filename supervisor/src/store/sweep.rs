//! Old keys: their answers go, and that they were used stays for ever.
//!
//! Keys are numbered in the order of their age. So whoever sweeps asks for the first that still has its answer, and has a
//! stretch of numbers from there looked at, again and again, until the first is a young one. No stretch holds up others.

use rusqlite::{Connection, OptionalExtension, params};

use super::record::StateNumber;

/// Keys that one write looks at: a few milliseconds' work.
const STRETCH: i64 = 2000;

/// A key is not of tomorrow. One that says so was recorded while the clock was wrong, and its age counts from now on.
const AHEAD_MAX_MS: u64 = 24 * 3600 * 1000;

/// The first key that still has its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OldestKey {
    pub(crate) number: i64,
    /// When it was recorded, in milliseconds since 1970.
    pub(crate) at: u64,
}

pub(super) fn oldest_key(
    connection: &Connection,
    from: i64,
) -> rusqlite::Result<Option<OldestKey>> {
    let text = "SELECT id, at FROM keys WHERE id >= ?1 AND state < ?2 ORDER BY id LIMIT 1";
    let mut statement = connection.prepare_cached(text)?;
    let found = statement.query_row(params![from, StateNumber::Expired as i64], |row| {
        Ok(OldestKey {
            number: row.get(0)?,
            at: row.get::<_, i64>(1)?.max(0) as u64,
        })
    });
    found.optional()
}

/// Of the stretch that begins with number `from`, what was recorded before `before` becomes a tombstone.
pub(super) fn expire(
    connection: &Connection,
    from: i64,
    before: u64,
    now: u64,
) -> rusqlite::Result<()> {
    let last = from.saturating_add(STRETCH - 1);
    let text = "UPDATE keys SET at = ?3 WHERE id BETWEEN ?1 AND ?2 AND at > ?4";
    let mut wrong = connection.prepare_cached(text)?;
    let ahead = now.saturating_add(AHEAD_MAX_MS) as i64;
    wrong.execute(params![from, last, now as i64, ahead])?;
    let text = "UPDATE keys SET state = ?3, result = NULL
        WHERE id BETWEEN ?1 AND ?2 AND state < ?3 AND at < ?4";
    let mut old = connection.prepare_cached(text)?;
    let expired = StateNumber::Expired as i64;
    old.execute(params![from, last, expired, before as i64])
        .map(|_| ())
}
