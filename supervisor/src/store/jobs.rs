//! Durable jobs: one small row for each, and beside it what was asked and what came of it.
//!
//! A row is changed only by a job's submission, its lease, its end and what people do to it, and each of these asks
//! whether the row is still as it is believed to be. So a job is never leased twice, however old the news are by which
//! somebody believes that it waits, and an answer that comes late settles nothing.

mod apply;
mod counts;
mod list;
mod look;
mod read;
mod row;
#[cfg(test)]
mod tests;

use std::time::Duration;

use bytes::Bytes;
use standin_core::{
    JobId,
    jobs::{Due, Next, RetryPolicy, WallTime},
};
use standin_protocol::Outcome;

pub(super) use self::apply::apply;
pub(crate) use self::{
    counts::JobCounts,
    look::{LeasedJob, Recovered, Submitted},
    read::Stored,
    row::{JobPage, JobRow, JobState},
};
use super::names::Fingerprint;

/// What becomes of jobs in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JobWrite {
    /// Nothing, if there is one of the same owner, method and key.
    Submitted(Box<NewJob>),
    /// Nothing, if it does not wait like that any more.
    Leased {
        job: JobId,
        due: Due,
        /// It may be begun with nothing on record.
        unrecorded: bool,
    },
    /// Nothing, if it is not under this attempt. `answer`: the last one it got, if it got one. `so_far`: what that says
    /// has been done of it; it is handed to the next try, and stays until there is a result or another such word.
    Settled {
        job: JobId,
        attempt: u32,
        next: Next,
        /// What is known of all its tries together.
        outcome: Outcome,
        answer: Option<Result<Bytes, Bytes>>,
        so_far: Option<Bytes>,
    },
    /// One that waits has ended by this; one that runs is marked.
    CancelRequested(JobId),
    /// By a person. Nothing, if it is neither dead nor unknown.
    SentAgain(JobId),
    /// The clock was set back by so much: what waits for its next try is due that much earlier by it. None waits longer
    /// from now than the pause that was meant, however wrong the clock was that it was reckoned by.
    RetriesBounded { now: WallTime, set_back: Duration },
    /// Forgets what ended before these times; of what had a key, only that it was there is kept.
    Purged {
        ended_before: WallTime,
        failed_before: WallTime,
    },
}

impl JobWrite {
    /// As [`Write::ends_something`](super::Write::ends_something).
    pub(super) fn ends_something(&self) -> bool {
        match self {
            JobWrite::Submitted(_) | JobWrite::Leased { .. } | JobWrite::SentAgain(_) => false,
            JobWrite::Settled { .. }
            | JobWrite::CancelRequested(_)
            | JobWrite::RetriesBounded { .. }
            | JobWrite::Purged { .. } => true,
        }
    }

    /// As [`Write::weight`](super::Write::weight).
    pub(super) fn weight(&self) -> usize {
        match self {
            JobWrite::Submitted(job) => job.params.len(),
            JobWrite::Settled {
                answer: Some(Ok(bytes) | Err(bytes)),
                ..
            } => bytes.len(),
            _ => 0,
        }
    }
}

/// A job that is submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewJob {
    pub(crate) name: JobName,
    pub(crate) user: String,
    pub(crate) method: Bytes,
    pub(crate) params: Bytes,
    pub(crate) fingerprint: Fingerprint,
    /// Unique for its user and method.
    pub(crate) key: Option<Bytes>,
    pub(crate) due: Due,
    pub(crate) retry: RetryPolicy,
    /// For one attempt; otherwise as its method and pool are set.
    pub(crate) timeout_ms: Option<u64>,
}

/// The name of a job: its number, and a random part by which it is told from the job of that number in another
/// database. A mail's Message-ID is made from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct JobName {
    pub(crate) id: JobId,
    pub(crate) tag: u64,
}

impl JobName {
    /// The job of that number, with a random part.
    pub(crate) fn new(id: JobId) -> JobName {
        let mut tag = [0; 8];
        getrandom::fill(&mut tag).expect("the system gives random bytes");
        let tag = u64::from_be_bytes(tag);
        JobName { id, tag }
    }

    /// Reads what [`Display`](std::fmt::Display) wrote.
    pub(crate) fn parse(text: &[u8]) -> Option<JobName> {
        let (id, tag) = std::str::from_utf8(text).ok()?.split_once('-')?;
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if tag.len() != 16 || !is_plain(id) || !is_plain(tag) {
            return None;
        }
        let (id, tag) = (JobId(id.parse().ok()?), u64::from_str_radix(tag, 16).ok()?);
        Some(JobName { id, tag })
    }
}

impl std::fmt::Display for JobName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{:016x}", self.id, self.tag)
    }
}
