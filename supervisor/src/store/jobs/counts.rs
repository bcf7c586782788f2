//! How many jobs there are in each state, for people who look at the whole.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::JobState;
use crate::store::{Refusal, StoreHandle};

/// Jobs by their state. Those of which only the key is kept are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct JobCounts {
    pub(crate) queued: u64,
    pub(crate) running: u64,
    pub(crate) done: u64,
    pub(crate) dead: u64,
    pub(crate) unknown: u64,
    pub(crate) cancelled: u64,
}

impl StoreHandle {
    /// How many there are, of one user or of all. With a million jobs that takes a while.
    pub(crate) async fn job_counts(&self, user: Option<String>) -> Result<JobCounts, Refusal> {
        let look = move |connection: &Connection| counts(connection, user.as_deref());
        self.readers.lists.ask(look).await
    }
}

pub(super) const COUNT_ALL: &str =
    "SELECT state, count(*) FROM jobs WHERE state < 7 AND ?1 IS NULL GROUP BY state";

pub(super) const COUNT_OF_USER: &str =
    "SELECT state, count(*) FROM jobs WHERE user = ?1 AND state < 7 GROUP BY state";

fn counts(connection: &Connection, user: Option<&str>) -> rusqlite::Result<JobCounts> {
    let mut counts = JobCounts::default();
    let text = match user {
        Some(_) => COUNT_OF_USER,
        None => COUNT_ALL,
    };
    let mut statement = connection.prepare_cached(text)?;
    let mut rows = statement.query([user])?;
    while let Some(row) = rows.next()? {
        let count: i64 = row.get(1)?;
        let place = match row.get(0)? {
            JobState::Queued => &mut counts.queued,
            JobState::Running => &mut counts.running,
            JobState::Done => &mut counts.done,
            JobState::Dead => &mut counts.dead,
            JobState::Unknown => &mut counts.unknown,
            JobState::Cancelled => &mut counts.cancelled,
            JobState::Expired => continue,
        };
        *place = count.max(0) as u64;
    }
    Ok(counts)
}
