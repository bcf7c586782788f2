//! The tables, and how a database of an older version becomes one of this version.

use rusqlite::{Connection, Transaction};

/// Marks the file as Standin's ("StDb"), for those who find it and for `file`.
pub(super) const APPLICATION_ID: i32 = 0x5374_4462;

/// What leads from each version to the next. What is released is never changed again: the next change is one more.
const STEPS: &[&str] = &[FIRST, JOBS, OUTCOMES, PAUSES, EVIDENCE, LISTS];

/// The version that this program writes.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// Requests are few and go soon: one tree. Keys are many and stay: their numbers are in the order of their age, by
/// which they are swept.
const FIRST: &str = "
CREATE TABLE state (
    name TEXT PRIMARY KEY NOT NULL,
    value ANY
) STRICT, WITHOUT ROWID;

CREATE TABLE instances (
    id TEXT PRIMARY KEY NOT NULL,
    boot TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    token BLOB PRIMARY KEY NOT NULL,
    user TEXT NOT NULL,
    boot TEXT NOT NULL,
    acked ANY
) STRICT, WITHOUT ROWID;

CREATE TABLE requests (
    session BLOB NOT NULL,
    msgid ANY NOT NULL,
    item INTEGER NOT NULL,
    fingerprint BLOB NOT NULL,
    state INTEGER NOT NULL,
    result BLOB,
    PRIMARY KEY (session, msgid, item)
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
    id INTEGER PRIMARY KEY,
    user TEXT NOT NULL,
    method BLOB NOT NULL,
    key BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    state INTEGER NOT NULL,
    at INTEGER NOT NULL,
    result BLOB,
    UNIQUE (user, method, key)
) STRICT;

CREATE TABLE attempts (
    job INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    fingerprint BLOB NOT NULL,
    state INTEGER NOT NULL,
    result BLOB,
    PRIMARY KEY (job, attempt)
) STRICT, WITHOUT ROWID;
";

/// The row of a job is small and changes a few times; what was asked and what came of it may be large and is written
/// once. A number is never given twice.
const JOBS: &str = "
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tag INTEGER NOT NULL,
    user TEXT NOT NULL,
    method BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    key BLOB,
    state INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    due INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    interrupted INTEGER NOT NULL,
    cancel_requested INTEGER NOT NULL,
    attempts_max INTEGER NOT NULL,
    backoff_ms INTEGER NOT NULL,
    backoff_max_ms INTEGER NOT NULL,
    timeout_ms INTEGER,
    submitted INTEGER NOT NULL,
    ended INTEGER,
    error BLOB
) STRICT;
CREATE UNIQUE INDEX jobs_by_key ON jobs (user, method, key) WHERE key IS NOT NULL;
CREATE INDEX jobs_waiting ON jobs (user, method, kind, due, id) WHERE state = 1;
CREATE INDEX jobs_of_user ON jobs (user, id);
CREATE INDEX jobs_by_state ON jobs (state, id);
CREATE INDEX jobs_ended ON jobs (state, ended) WHERE ended IS NOT NULL;
CREATE TABLE job_params (job INTEGER PRIMARY KEY, params BLOB NOT NULL) STRICT;
CREATE TABLE job_results (job INTEGER PRIMARY KEY, result BLOB NOT NULL) STRICT;
";

/// What is known of all tries of a job together. A row of before has nothing there: its last error tells.
const OUTCOMES: &str = "
ALTER TABLE jobs ADD COLUMN outcome INTEGER;
ALTER TABLE jobs ADD COLUMN unrecorded INTEGER NOT NULL DEFAULT 0;
";

/// How long a job was meant to wait for its next try, beside the time of day until when.
const PAUSES: &str = "ALTER TABLE jobs ADD COLUMN pause_ms INTEGER;";

/// What is known of a call that was begun and has no answer: when it was given to a worker, when its effect was permitted,
/// which process that was, and which attempt of the call.
const EVIDENCE: &str = "
ALTER TABLE requests ADD COLUMN begun INTEGER;
ALTER TABLE requests ADD COLUMN granted INTEGER;
ALTER TABLE requests ADD COLUMN pid INTEGER;
ALTER TABLE requests ADD COLUMN attempt INTEGER;
ALTER TABLE keys ADD COLUMN begun INTEGER;
ALTER TABLE keys ADD COLUMN granted INTEGER;
ALTER TABLE keys ADD COLUMN pid INTEGER;
ALTER TABLE keys ADD COLUMN attempt INTEGER;
";

/// The jobs of one user in one state stand together, in the order of their numbers, by which each row of an index ends. A
/// list touches those that it tells, however many others the user has, or had.
const LISTS: &str = "
DROP INDEX jobs_of_user;
CREATE INDEX jobs_of_user_by_state ON jobs (user, state);
";

/// The version of a database; 0 for an empty one.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Brings a database of `version` to [`VERSION`].
pub(super) fn migrate(transaction: &Transaction<'_>, version: i64) -> rusqlite::Result<()> {
    for step in STEPS.iter().skip(version.max(0) as usize) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_an_older_version_keeps_its_jobs_and_becomes_one_of_this_version() {
        let mut connection = Connection::open_in_memory().unwrap();
        for step in &STEPS[..2] {
            connection.execute_batch(step).unwrap();
        }
        let job = "INSERT INTO jobs VALUES (7, 0, 'anna', x'61', x'00', NULL, 1, 3, 5, 1, 1, 0, 0, 25, 60000, 7200000,
            NULL, 1, NULL, x'00')";
        connection.execute_batch(job).unwrap();
        let transaction = connection.transaction().unwrap();
        migrate(&transaction, 2).unwrap();
        transaction.commit().unwrap();
        assert_eq!(version(&connection), Ok(VERSION));
        let text = "SELECT id, due, outcome, unrecorded FROM jobs";
        let found = connection.query_row(text, [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        });
        assert_eq!(found, Ok((7, 5, None::<i64>, false)));
    }
}
