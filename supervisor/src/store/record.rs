//! What is written and what is read back.

use bytes::Bytes;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};

use super::jobs::JobWrite;
use super::names::{Fingerprint, RecordName, SessionToken};

/// What a write must outlive before anybody hears of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Durability {
    /// The death of the service.
    Process,
    /// The loss of power.
    Power,
}

/// What is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Write {
    SessionOpened {
        token: SessionToken,
        user: String,
        /// What has begun in it before.
        begun: Vec<Begun>,
    },
    /// Its records go as well.
    SessionEnded(SessionToken),
    /// The call is about to be given to a worker.
    Intent {
        name: RecordName,
        fingerprint: Fingerprint,
        by: By,
    },
    /// The worker is about to be allowed its effect.
    Grant {
        name: RecordName,
        fingerprint: Fingerprint,
        by: By,
    },
    /// The answer as the client gets it. The first one stays.
    Completion {
        name: RecordName,
        fingerprint: Fingerprint,
        /// `Err`: the error, encoded.
        result: Result<Bytes, Bytes>,
    },
    /// Nothing has happened under this name, and it is free again. What is complete stays.
    Forget(RecordName),
    /// The client has read every answer up to this message.
    Acked { session: SessionToken, up_to: u64 },
    /// No process of this run of the service is alive any more.
    InstanceGone(String),
    /// Of the keys from this number on, the next few: those whose calls ended before (in milliseconds since 1970) lose
    /// their answers.
    ExpireKeys { from: i64, before: u64 },
    /// What becomes of a job.
    Job(JobWrite),
}

/// Who does it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct By {
    /// The worker's process.
    pub(crate) pid: Option<u32>,
    /// Which attempt at the call it is, from 1.
    pub(crate) attempt: Option<u32>,
}

/// What is known of a call that was begun. Times are in milliseconds since 1970, for people: clocks jump.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// When it was about to be given to a worker; `None`: that was not put on record.
    pub(crate) begun: Option<u64>,
    /// When its effect was about to be permitted; `None`: it was not.
    pub(crate) granted: Option<u64>,
    /// By whom, the last time that anything was put on record.
    pub(crate) by: By,
}

impl Write {
    /// Whether it must find room on a full disk: what ends something. What begins something can be refused, as nothing
    /// has happened yet.
    pub(super) fn ends_something(&self) -> bool {
        match self {
            Write::SessionOpened { .. } | Write::Intent { .. } | Write::Grant { .. } => false,
            Write::SessionEnded(_)
            | Write::Completion { .. }
            | Write::Forget(_)
            | Write::Acked { .. }
            | Write::InstanceGone(_)
            | Write::ExpireKeys { .. } => true,
            Write::Job(write) => write.ends_something(),
        }
    }

    /// About how many bytes of the client's it holds.
    pub(super) fn weight(&self) -> usize {
        match self {
            Write::Completion { result, .. } => match result {
                Ok(bytes) | Err(bytes) => bytes.len(),
            },
            Write::Job(write) => write.weight(),
            _ => 0,
        }
    }
}

/// A call that was given to a worker before its session could be resumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Begun {
    pub(crate) msgid: u64,
    /// Its place in a batch, from 1; 0: the request itself.
    pub(crate) item: u32,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) is_granted: bool,
}

/// Why something was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the disk that holds the service's state is full")]
    Full,
    #[error("the service is stopping")]
    Closed,
}

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredSession {
    pub(crate) user: String,
    /// `None`: nothing was acknowledged yet.
    pub(crate) acked: Option<u64>,
    /// By message and item.
    pub(crate) records: Vec<StoredRecord>,
}

/// What is kept of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredRecord {
    pub(crate) msgid: u64,
    pub(crate) item: u32,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) state: RecordState,
    pub(crate) evidence: Evidence,
}

/// What is kept of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredKey {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) state: RecordState,
    /// When this was recorded, in milliseconds since 1970, for people: clocks jump.
    pub(crate) at: u64,
    pub(crate) evidence: Evidence,
}

/// How far a call has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RecordState {
    /// It may have been given to a worker.
    Intent,
    /// Its effect may have happened.
    Granted,
    /// It was answered. `Err`: with this error, encoded.
    Done(Result<Bytes, Bytes>),
    /// It ended so long ago that its answer is no longer kept. Keys only.
    Expired,
}

/// The state as the database holds it. What is greater may replace what is less, up to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i64)]
pub(super) enum StateNumber {
    Intent = 1,
    Granted = 2,
    Result = 3,
    Error = 4,
    Expired = 5,
}

impl FromSql for StateNumber {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let all = [
            StateNumber::Intent,
            StateNumber::Granted,
            StateNumber::Result,
            StateNumber::Error,
            StateNumber::Expired,
        ];
        let number = i64::column_result(value)?;
        let found = all.into_iter().find(|state| *state as i64 == number);
        found.ok_or(FromSqlError::OutOfRange(number))
    }
}

impl RecordState {
    /// From the two columns that hold it.
    pub(super) fn new(number: StateNumber, result: Option<Vec<u8>>) -> Self {
        let bytes = || Bytes::from(result.unwrap_or_default());
        match number {
            StateNumber::Intent => RecordState::Intent,
            StateNumber::Granted => RecordState::Granted,
            StateNumber::Result => RecordState::Done(Ok(bytes())),
            StateNumber::Error => RecordState::Done(Err(bytes())),
            StateNumber::Expired => RecordState::Expired,
        }
    }
}
