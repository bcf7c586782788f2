//! One job, found by its name, for whoever asks. It is as it was at one moment: a job and its result are read together.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    JobName,
    row::{COLUMN_COUNT, COLUMNS, JobRow},
};
use crate::store::{Refusal, StoreHandle};

/// What is kept of a job that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) row: JobRow,
    /// Of one that is not done: what was done of it.
    pub(crate) result: Option<Bytes>,
}

impl StoreHandle {
    /// A job, if there is one of that name.
    pub(crate) async fn job(&self, name: JobName) -> Result<Option<JobRow>, Refusal> {
        let look = move |connection: &Connection| job(connection, name);
        self.readers.names.ask(look).await
    }

    /// A job with its result.
    pub(crate) async fn job_result(&self, name: JobName) -> Result<Option<Stored>, Refusal> {
        let look = move |connection: &Connection| result(connection, name);
        self.readers.names.ask(look).await
    }
}

pub(super) fn job_text() -> String {
    format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1 AND tag = ?2 AND state <> 7")
}

pub(super) fn result_text() -> String {
    format!(
        "SELECT {COLUMNS}, result FROM jobs LEFT JOIN job_results ON job_results.job = jobs.id
        WHERE id = ?1 AND tag = ?2 AND state <> 7"
    )
}

fn job(connection: &Connection, name: JobName) -> rusqlite::Result<Option<JobRow>> {
    let mut statement = connection.prepare_cached(&job_text())?;
    let found = statement.query_row(params![name.id.0, name.tag as i64], JobRow::read);
    found.optional()
}

fn result(connection: &Connection, name: JobName) -> rusqlite::Result<Option<Stored>> {
    let mut statement = connection.prepare_cached(&result_text())?;
    let found = statement.query_row(params![name.id.0, name.tag as i64], |row| {
        let result: Option<Vec<u8>> = row.get(COLUMN_COUNT)?;
        Ok(Stored {
            row: JobRow::read(row)?,
            result: result.map(Bytes::from),
        })
    });
    found.optional()
}
