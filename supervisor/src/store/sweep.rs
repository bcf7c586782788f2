//! Old keys: their answers go, and that they were used stays for ever.
//!
//! Keys are numbered in the order in which their calls ended; what runs has no answer that could be old. So whoever sweeps
//! asks for the first that still has its answer, and has a stretch of numbers from there looked at, again and again, until
//! the first is a young one. No stretch holds up others. How far that has come is kept, so that no later life of the service
//! passes over all keys that ever were to find the first.

use rusqlite::{Connection, OptionalExtension, params};

use super::record::StateNumber;

/// Keys that one write looks at: a few milliseconds' work.
const STRETCH: i64 = 2000;

/// A key is not of tomorrow. One that says so was recorded while the clock was wrong, and its age counts from now on.
const AHEAD_MAX_MS: u64 = 24 * 3600 * 1000;

/// The states of a key that has an answer.
const ENDED: [i64; 2] = [StateNumber::Result as i64, StateNumber::Error as i64];

/// The first key that still has its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OldestKey {
    pub(crate) number: i64,
    /// When its call had ended, in milliseconds since 1970.
    pub(crate) at: u64,
}

/// No key before that number has an answer.
const SWEPT: &str = "INSERT OR REPLACE INTO state (name, value) VALUES ('keys_swept', ?1)";

pub(super) const OLDEST: &str = "SELECT id, at FROM keys
    WHERE id >= max(?1, coalesce((SELECT value FROM state WHERE name = 'keys_swept'), 0)) AND state IN (?2, ?3)
    ORDER BY id LIMIT 1";

/// The first that has its answer, of which none before `from` has one.
pub(super) fn oldest_key(
    connection: &Connection,
    from: i64,
) -> rusqlite::Result<Option<OldestKey>> {
    let mut statement = connection.prepare_cached(OLDEST)?;
    let [result, error] = ENDED;
    let found = statement.query_row(params![from, result, error], |row| {
        Ok(OldestKey {
            number: row.get(0)?,
            at: row.get::<_, i64>(1)?.max(0) as u64,
        })
    });
    found.optional()
}

/// Of the stretch that begins with number `from`, what ended before `before` becomes a tombstone. No key before it has an
/// answer.
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
        WHERE id BETWEEN ?1 AND ?2 AND state IN (?4, ?5) AND at < ?6";
    let mut old = connection.prepare_cached(text)?;
    let (expired, [result, error]) = (StateNumber::Expired as i64, ENDED);
    old.execute(params![from, last, expired, result, error, before as i64])?;
    let mut swept = connection.prepare_cached(SWEPT)?;
    swept.execute([from]).map(|_| ())
}
