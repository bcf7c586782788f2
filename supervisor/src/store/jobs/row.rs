//! A job as its row says it.

use bytes::Bytes;
use rusqlite::{
    Row,
    types::{FromSql, FromSqlError, FromSqlResult, ValueRef},
};
use standin_core::{
    JobId,
    jobs::{Due, LaneKind, RetryPolicy, WallTime},
};
use standin_protocol::{ErrorAnswer, Outcome};

use super::JobName;

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i64)]
pub(crate) enum JobState {
    Queued = 1,
    Running = 2,
    Done = 3,
    Dead = 4,
    Unknown = 5,
    Cancelled = 6,
    /// It had a key; nothing else is kept of it.
    Expired = 7,
}

impl JobState {
    const ALL: [JobState; 7] = [
        JobState::Queued,
        JobState::Running,
        JobState::Done,
        JobState::Dead,
        JobState::Unknown,
        JobState::Cancelled,
        JobState::Expired,
    ];

    /// Those of jobs of which more is kept than a key.
    pub(crate) fn kept() -> impl Iterator<Item = JobState> {
        let all = JobState::ALL.into_iter();
        all.filter(|state| *state != JobState::Expired)
    }

    /// The word for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            JobState::Queued => "queued",
            JobState::Running => "running",
            JobState::Done => "done",
            JobState::Dead => "dead",
            JobState::Unknown => "unknown",
            JobState::Cancelled => "cancelled",
            JobState::Expired => "expired",
        }
    }

    pub(crate) const fn is_open(self) -> bool {
        matches!(self, JobState::Queued | JobState::Running)
    }
}

impl FromSql for JobState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = i64::column_result(value)?;
        let found = Self::ALL.into_iter().find(|state| *state as i64 == number);
        found.ok_or(FromSqlError::OutOfRange(number))
    }
}

/// What is shown of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JobRow {
    pub(crate) name: JobName,
    pub(crate) user: String,
    pub(crate) method: Bytes,
    /// As its owner gave it.
    pub(crate) key: Option<Bytes>,
    pub(crate) state: JobState,
    pub(crate) due: Due,
    pub(crate) attempt: u32,
    pub(crate) failures: u32,
    pub(crate) cancel_requested: bool,
    pub(crate) retry: RetryPolicy,
    pub(crate) submitted: WallTime,
    pub(crate) ended: Option<WallTime>,
    /// The last error, encoded.
    pub(crate) error: Option<Bytes>,
    /// What is known of all its tries together, while none is running.
    pub(crate) outcome: Outcome,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub(crate) struct JobPage {
    /// Only theirs.
    pub(crate) user: Option<String>,
    pub(crate) state: Option<JobState>,
    /// Only older ones than this.
    pub(crate) after: Option<JobId>,
    pub(crate) limit: u32,
    /// It ends with the job that brings it to so many bytes, as they are kept.
    pub(crate) bytes_max: usize,
}

/// The columns that [`JobRow::read`] reads.
pub(super) const COLUMNS: &str =
    "jobs.id, tag, user, method, key, state, kind, due, attempt, failures,
    cancel_requested, attempts_max, backoff_ms, backoff_max_ms, submitted, ended, error, outcome";

/// How many they are.
pub(super) const COLUMN_COUNT: usize = 18;

/// A key that its owner gave is told from one that stands for a request of a session.
pub(super) const OWN_KEY: u8 = b'k';

impl JobRow {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<JobRow> {
        let key: Option<Vec<u8>> = row.get(4)?;
        let key = key.and_then(|key| Some(Bytes::from(key.strip_prefix(&[OWN_KEY])?.to_vec())));
        Ok(JobRow {
            name: JobName {
                id: JobId(row.get(0)?),
                tag: row.get::<_, i64>(1)? as u64,
            },
            user: row.get(2)?,
            method: row.get::<_, Vec<u8>>(3)?.into(),
            key,
            state: row.get(5)?,
            due: due(row.get(6)?, row.get(7)?),
            attempt: row.get(8)?,
            failures: row.get(9)?,
            cancel_requested: row.get(10)?,
            retry: RetryPolicy {
                attempts_max: row.get(11)?,
                backoff: ms(row.get(12)?),
                backoff_max: ms(row.get(13)?),
            },
            submitted: wall(row.get(14)?),
            ended: row.get::<_, Option<i64>>(15)?.map(wall),
            outcome: outcome(row.get(17)?, row.get_ref(16)?),
            error: row.get::<_, Option<Vec<u8>>>(16)?.map(Bytes::from),
        })
    }

    /// About how many bytes of its owner's and its worker's it holds.
    pub(super) fn weight(&self) -> usize {
        let bytes = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len);
        self.user.len() + self.method.len() + bytes(&self.key) + bytes(&self.error)
    }
}

/// As the row says it, or, where it was written before that was kept, as its last error says it.
pub(super) fn outcome(number: Option<i64>, error: ValueRef<'_>) -> Outcome {
    match (number, error) {
        (Some(0), _) | (None, ValueRef::Null) => Outcome::NotExecuted,
        (Some(2), _) => Outcome::Executed,
        (None, ValueRef::Blob(error)) => {
            ErrorAnswer::decode(&Bytes::copy_from_slice(error)).outcome
        }
        _ => Outcome::Unknown,
    }
}

pub(super) const fn outcome_number(outcome: Outcome) -> i64 {
    match outcome {
        Outcome::NotExecuted => 0,
        Outcome::Unknown => 1,
        Outcome::Executed => 2,
    }
}

pub(super) fn ms(ms: i64) -> std::time::Duration {
    std::time::Duration::from_millis(ms.max(0) as u64)
}

pub(super) fn as_ms(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn wall(ms: i64) -> WallTime {
    WallTime(ms.max(0) as u64)
}

pub(super) fn as_wall(at: WallTime) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

pub(super) const fn kind_number(kind: LaneKind) -> i64 {
    match kind {
        LaneKind::AtOnce => 1,
        LaneKind::At => 2,
        LaneKind::Retry => 3,
    }
}

pub(super) const fn kind_of(number: i64) -> LaneKind {
    match number {
        1 => LaneKind::AtOnce,
        2 => LaneKind::At,
        _ => LaneKind::Retry,
    }
}

pub(super) fn due(kind: i64, at: i64) -> Due {
    match kind_of(kind) {
        LaneKind::AtOnce => Due::AtOnce,
        LaneKind::At => Due::At(wall(at)),
        LaneKind::Retry => Due::Retry(wall(at)),
    }
}
