//! What the jobs ask of the writer: they must see what was handed in before and is not kept yet. Each touches a few rows.
//! What others want to know is read beside it (`read.rs`, `list.rs`).

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};
use standin_core::{
    JobId,
    jobs::{LaneName, Lease, RetryPolicy, WallTime},
};

use super::{
    JobName, list,
    row::{self, JobState, kind_number},
};
use crate::store::{
    Refusal, StoreHandle,
    names::Fingerprint,
    record::{RecordState, StateNumber},
};

/// What an earlier life of the service has left.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    /// The highest number that was ever given to a job.
    pub(crate) last: i64,
    pub(crate) lanes: Vec<LaneName>,
    /// Jobs that were leased, and what is on record of their attempts.
    pub(crate) leased: Vec<(LeasedJob, Option<RecordState>)>,
}

/// A job that is leased.
#[derive(Debug, Clone)]
pub(crate) struct LeasedJob {
    pub(crate) name: JobName,
    pub(crate) user: String,
    pub(crate) method: Bytes,
    pub(crate) params: Bytes,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) timeout_ms: Option<u64>,
    /// What earlier tries have done of it.
    pub(crate) so_far: Option<Bytes>,
    pub(crate) lease: Lease,
}

/// What became of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Submitted {
    New,
    /// It is there already.
    Same(JobName),
    /// The key stands for something else.
    Conflict,
    /// The key was used so long ago that only that is known.
    Expired,
}

impl StoreHandle {
    /// What is there to go on with.
    pub(crate) async fn recover_jobs(&self) -> Result<Recovered, Refusal> {
        self.look(recover).await
    }

    /// The first waiting jobs of a lane.
    pub(crate) async fn waiting_jobs(
        &self,
        lane: LaneName,
        limit: usize,
    ) -> Result<Vec<(WallTime, JobId)>, Refusal> {
        self.look(move |connection| waiting(connection, &lane, limit))
            .await
    }

    /// A job, if it is leased.
    pub(crate) async fn leased_job(&self, job: JobId) -> Result<Option<LeasedJob>, Refusal> {
        self.look(move |connection| leased(connection, job)).await
    }

    /// What became of a submission that was handed in. Nothing, if it was refused, or was swept away since.
    pub(crate) async fn submitted_job(
        &self,
        name: JobName,
        user: String,
        method: Bytes,
        key: Bytes,
        fingerprint: Fingerprint,
    ) -> Result<Option<Submitted>, Refusal> {
        self.look(move |connection| submitted(connection, name, &user, &method, &key, fingerprint))
            .await
    }
}

fn recover(connection: &Connection) -> rusqlite::Result<Recovered> {
    let text = "SELECT seq FROM sqlite_sequence WHERE name = 'jobs'";
    let last = connection.query_row(text, [], |row| row.get(0));
    let last = last.optional()?.unwrap_or(0);
    let text = "SELECT id FROM jobs WHERE state = 2 ORDER BY id";
    let mut statement = connection.prepare(text)?;
    let ids = statement.query_map([], |row| row.get(0).map(JobId))?;
    let ids: Vec<JobId> = ids.collect::<rusqlite::Result<_>>()?;
    let mut found = Vec::new();
    for id in ids {
        if let Some(job) = leased(connection, id)? {
            let record = record(connection, id, job.lease.attempt)?;
            found.push((job, record));
        }
    }
    Ok(Recovered {
        last,
        lanes: list::lanes(connection)?,
        leased: found,
    })
}

fn record(
    connection: &Connection,
    job: JobId,
    attempt: u32,
) -> rusqlite::Result<Option<RecordState>> {
    let text = "SELECT state, result FROM attempts WHERE job = ?1 AND attempt = ?2";
    let mut statement = connection.prepare_cached(text)?;
    let found = statement.query_row(params![job.0, attempt], |row| {
        let number: StateNumber = row.get(0)?;
        Ok(RecordState::new(number, row.get(1)?))
    });
    found.optional()
}

pub(super) const WAITING: &str =
    "SELECT due, id FROM jobs WHERE state = 1 AND user = ?1 AND method = ?2 AND kind = ?3
    ORDER BY due, id LIMIT ?4";

fn waiting(
    connection: &Connection,
    lane: &LaneName,
    limit: usize,
) -> rusqlite::Result<Vec<(WallTime, JobId)>> {
    let mut statement = connection.prepare_cached(WAITING)?;
    let lane = params![
        &*lane.user,
        lane.method.as_ref(),
        kind_number(lane.kind),
        limit as i64
    ];
    let found =
        statement.query_map(lane, |row| Ok((row::wall(row.get(0)?), JobId(row.get(1)?))))?;
    found.collect()
}

fn leased(connection: &Connection, job: JobId) -> rusqlite::Result<Option<LeasedJob>> {
    let text =
        "SELECT tag, user, method, params, fingerprint, timeout_ms, attempt, failures, interrupted,
            attempts_max, backoff_ms, backoff_max_ms, cancel_requested, outcome, unrecorded, error, result
        FROM jobs JOIN job_params ON job_params.job = jobs.id LEFT JOIN job_results ON job_results.job = jobs.id
        WHERE id = ?1 AND state = 2";
    let mut statement = connection.prepare_cached(text)?;
    let found = statement.query_row([job.0], |row| {
        Ok(LeasedJob {
            name: JobName {
                id: job,
                tag: row.get::<_, i64>(0)? as u64,
            },
            user: row.get(1)?,
            method: row.get::<_, Vec<u8>>(2)?.into(),
            params: row.get::<_, Vec<u8>>(3)?.into(),
            fingerprint: row.get(4)?,
            timeout_ms: row.get::<_, Option<i64>>(5)?.map(|ms| ms.max(1) as u64),
            lease: Lease {
                attempt: row.get(6)?,
                failures: row.get(7)?,
                interrupted: row.get(8)?,
                retry: RetryPolicy {
                    attempts_max: row.get(9)?,
                    backoff: row::ms(row.get(10)?),
                    backoff_max: row::ms(row.get(11)?),
                },
                cancel_requested: row.get(12)?,
                outcome: row::outcome(row.get(13)?, row.get_ref(15)?),
                unrecorded: row.get(14)?,
            },
            so_far: row.get::<_, Option<Vec<u8>>>(16)?.map(Bytes::from),
        })
    });
    found.optional()
}

pub(super) const SUBMITTED: &str =
    "SELECT id, tag, fingerprint, state FROM jobs WHERE user = ?1 AND method = ?2 AND key = ?3";

fn submitted(
    connection: &Connection,
    name: JobName,
    user: &str,
    method: &[u8],
    key: &[u8],
    fingerprint: Fingerprint,
) -> rusqlite::Result<Option<Submitted>> {
    let mut statement = connection.prepare_cached(SUBMITTED)?;
    let found = statement.query_row(params![user, method, key], |row| {
        let found = JobName {
            id: JobId(row.get(0)?),
            tag: row.get::<_, i64>(1)? as u64,
        };
        let (known, state): (Fingerprint, JobState) = (row.get(2)?, row.get(3)?);
        Ok(if found == name {
            Submitted::New
        } else if known != fingerprint {
            Submitted::Conflict
        } else if state == JobState::Expired {
            Submitted::Expired
        } else {
            Submitted::Same(found)
        })
    });
    found.optional()
}
