//! What a write changes in the tables of the jobs.

use std::time::Duration;

use bytes::Bytes;
use rusqlite::{Connection, params};
use standin_core::{
    JobId,
    jobs::{Due, Next, WallTime},
};
use standin_protocol::Outcome;

use super::{
    JobWrite, NewJob,
    row::{JobState, as_ms, as_wall, kind_number, outcome_number},
};

/// Rows that one sweep takes, so that nobody's commit waits for it.
const PURGED_MAX: i64 = 5_000;

/// Carries out one write, within the transaction that is open. `at`: milliseconds since 1970.
pub(in crate::store) fn apply(
    connection: &Connection,
    write: &JobWrite,
    at: u64,
) -> rusqlite::Result<()> {
    let at = WallTime(at);
    match write {
        JobWrite::Submitted(job) => submitted(connection, job, at),
        JobWrite::Leased {
            job,
            due,
            unrecorded,
        } => leased(connection, *job, *due, *unrecorded),
        JobWrite::Settled {
            job,
            attempt,
            next,
            outcome,
            answer,
            so_far,
        } => {
            let try_ended = TryEnded {
                job: *job,
                attempt: *attempt,
                outcome: *outcome,
                error: answer.as_ref().and_then(|answer| answer.as_ref().err()),
            };
            if settled(connection, &try_ended, *next, at)? {
                let result = answer.as_ref().and_then(|answer| answer.as_ref().ok());
                tidied(connection, *job, result.or(so_far.as_ref()))?;
            }
            Ok(())
        }
        JobWrite::CancelRequested(job) => cancel_requested(connection, *job, at),
        JobWrite::SentAgain(job) => sent_again(connection, *job),
        JobWrite::RetriesBounded { now, set_back } => retries_bounded(connection, *now, *set_back),
        JobWrite::Purged {
            ended_before,
            failed_before,
        } => purged(connection, *ended_before, *failed_before),
    }
}

fn submitted(connection: &Connection, job: &NewJob, at: WallTime) -> rusqlite::Result<()> {
    let text = "INSERT INTO jobs (id, tag, user, method, fingerprint, key, state, kind, due, attempt, failures,
            interrupted, cancel_requested, attempts_max, backoff_ms, backoff_max_ms, timeout_ms, submitted, outcome)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8, 0, 0, 0, 0, ?9, ?10, ?11, ?12, ?13, 0)
        ON CONFLICT DO NOTHING";
    let mut statement = connection.prepare_cached(text)?;
    let inserted = statement.execute(params![
        job.name.id.0,
        job.name.tag as i64,
        job.user,
        job.method.as_ref(),
        job.fingerprint,
        job.key.as_deref(),
        kind_number(job.due.kind()),
        as_wall(job.due.order()),
        job.retry.attempts_max,
        as_ms(job.retry.backoff),
        as_ms(job.retry.backoff_max),
        job.timeout_ms
            .map(|ms| i64::try_from(ms).unwrap_or(i64::MAX)),
        as_wall(at),
    ])?;
    if inserted == 1 {
        let text = "INSERT INTO job_params (job, params) VALUES (?1, ?2)";
        let mut statement = connection.prepare_cached(text)?;
        statement.execute(params![job.name.id.0, job.params.as_ref()])?;
    }
    Ok(())
}

fn leased(connection: &Connection, job: JobId, due: Due, unrecorded: bool) -> rusqlite::Result<()> {
    let text = "UPDATE jobs SET state = 2, attempt = attempt + 1, unrecorded = ?4
        WHERE id = ?1 AND state = 1 AND kind = ?2 AND due = ?3";
    let mut statement = connection.prepare_cached(text)?;
    let (kind, at) = (kind_number(due.kind()), as_wall(due.order()));
    let values = params![job.0, kind, at, unrecorded];
    statement.execute(values).map(|_| ())
}

/// How a try ended.
struct TryEnded<'a> {
    job: JobId,
    attempt: u32,
    outcome: Outcome,
    error: Option<&'a Bytes>,
}

/// False when the job was not under that attempt. One that its owner has taken back has no next try, also if whoever
/// wrote this did not know of that yet.
fn settled(
    connection: &Connection,
    ended: &TryEnded<'_>,
    next: Next,
    at: WallTime,
) -> rusqlite::Result<bool> {
    let outcome = outcome_number(ended.outcome);
    let error = ended.error.map(Bytes::as_ref);
    let settled = if let Next::Again {
        due,
        pause,
        failures,
        interrupted,
    } = next
    {
        let text =
            "UPDATE jobs SET state = iif(cancel_requested, 6, 1), ended = iif(cancel_requested, ?9, NULL),
                kind = ?3, due = ?4, failures = ?5, interrupted = ?6,
                error = coalesce(?7, error), outcome = ?8, unrecorded = 0, pause_ms = ?10
            WHERE id = ?1 AND attempt = ?2 AND state = 2";
        let mut statement = connection.prepare_cached(text)?;
        statement.execute(params![
            ended.job.0,
            ended.attempt,
            kind_number(due.kind()),
            as_wall(due.order()),
            failures,
            interrupted,
            error,
            outcome,
            as_wall(at),
            as_ms(pause),
        ])?
    } else {
        let text = "UPDATE jobs SET state = ?3, ended = ?4, error = iif(?3 = 3, NULL, coalesce(?5, error)),
                failures = failures + iif(?5 IS NULL, 0, 1), outcome = ?6, unrecorded = 0
            WHERE id = ?1 AND attempt = ?2 AND state = 2";
        let mut statement = connection.prepare_cached(text)?;
        statement.execute(params![
            ended.job.0,
            ended.attempt,
            end_of(next) as i64,
            as_wall(at),
            error,
            outcome,
        ])?
    };
    Ok(settled != 0)
}

/// The job's own row says it all from now on. `result`: what has come of it or, of one that is not done, what was done of
/// it so far.
fn tidied(connection: &Connection, job: JobId, result: Option<&Bytes>) -> rusqlite::Result<()> {
    let mut attempts = connection.prepare_cached("DELETE FROM attempts WHERE job = ?1")?;
    attempts.execute([job.0])?;
    if let Some(result) = result {
        let text = "INSERT OR REPLACE INTO job_results (job, result) VALUES (?1, ?2)";
        let mut statement = connection.prepare_cached(text)?;
        statement.execute(params![job.0, result.as_ref()])?;
    }
    Ok(())
}

const fn end_of(next: Next) -> JobState {
    match next {
        Next::Done => JobState::Done,
        Next::Dead => JobState::Dead,
        Next::Unknown => JobState::Unknown,
        Next::Cancelled => JobState::Cancelled,
        Next::Again { .. } => JobState::Queued,
    }
}

fn cancel_requested(connection: &Connection, job: JobId, at: WallTime) -> rusqlite::Result<()> {
    let text = "UPDATE jobs SET cancel_requested = 1, ended = iif(state = 1, ?2, NULL),
            state = iif(state = 1, 6, state)
        WHERE id = ?1 AND state IN (1, 2)";
    let mut statement = connection.prepare_cached(text)?;
    statement.execute(params![job.0, as_wall(at)]).map(|_| ())
}

fn sent_again(connection: &Connection, job: JobId) -> rusqlite::Result<()> {
    let text = "UPDATE jobs SET state = 1, kind = 1, due = 0, failures = 0, interrupted = 0,
            cancel_requested = 0, ended = NULL
        WHERE id = ?1 AND state IN (4, 5)";
    let mut statement = connection.prepare_cached(text)?;
    statement.execute([job.0]).map(|_| ())
}

fn retries_bounded(
    connection: &Connection,
    now: WallTime,
    set_back: Duration,
) -> rusqlite::Result<()> {
    let text =
        "UPDATE jobs SET due = max(0, min(due - ?2, ?1 + coalesce(pause_ms, backoff_max_ms)))
        WHERE state = 1 AND kind = 3 AND (?2 > 0 OR due > ?1 + coalesce(pause_ms, backoff_max_ms))";
    let mut statement = connection.prepare_cached(text)?;
    let values = params![as_wall(now), as_ms(set_back)];
    statement.execute(values).map(|_| ())
}

fn purged(
    connection: &Connection,
    ended_before: WallTime,
    failed_before: WallTime,
) -> rusqlite::Result<()> {
    // Whoever has a row of those that ended has all of it: nobody else sweeps.
    let text = "CREATE TEMP TABLE IF NOT EXISTS swept (job INTEGER PRIMARY KEY)";
    connection.execute_batch(text)?;
    let text = "INSERT INTO swept SELECT id FROM jobs
        WHERE (state IN (3, 6) AND ended < ?1) OR (state IN (4, 5) AND ended < ?2) LIMIT ?3";
    let mut statement = connection.prepare_cached(text)?;
    let limits = params![as_wall(ended_before), as_wall(failed_before), PURGED_MAX];
    if statement.execute(limits)? == 0 {
        return Ok(());
    }
    for text in [
        "DELETE FROM job_params WHERE job IN (SELECT job FROM swept)",
        "DELETE FROM job_results WHERE job IN (SELECT job FROM swept)",
        // A key that was used is never free again.
        "UPDATE jobs SET state = 7, error = NULL WHERE id IN (SELECT job FROM swept) AND substr(key, 1, 1) = x'6b'",
        "DELETE FROM jobs WHERE id IN (SELECT job FROM swept) AND state <> 7",
        "DELETE FROM swept",
    ] {
        connection.prepare_cached(text)?.execute([])?;
    }
    Ok(())
}
