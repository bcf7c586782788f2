//! How many jobs there are in each state, for people who look at the whole.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::JobState;
use crate::store::{StoreHandle, open};

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
    /// How many there are, of one user or of all; nothing, if the database cannot be read just now. It is counted over a connection of its own:
    /// with a million jobs it takes a while, and nobody else is to wait for it.
    pub(crate) async fn job_counts(&self, user: Option<String>) -> Option<JobCounts> {
        let file = self.file.clone();
        let count = move || {
            let connection = open::reader(&file).map_err(|error| error.to_string())?;
            counts(&connection, user.as_deref()).map_err(|error| error.to_string())
        };
        match tokio::task::spawn_blocking(count).await.ok()? {
            Ok(counts) => Some(counts),
            Err(error) => {
                tracing::warn!(error, "the jobs cannot be counted");
                None
            }
        }
    }
}

fn counts(connection: &Connection, user: Option<&str>) -> rusqlite::Result<JobCounts> {
    let mut counts = JobCounts::default();
    let text = match user {
        Some(_) => "SELECT state, count(*) FROM jobs WHERE user = ?1 GROUP BY state",
        None => "SELECT state, count(*) FROM jobs WHERE ?1 IS NULL GROUP BY state",
    };
    let mut statement = connection.prepare(text)?;
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
