//! Lists of jobs, for whoever asks, and of the lanes they wait in. What a page costs depends on how many it tells, not on
//! how many there are.

use std::sync::Arc;

use rusqlite::{Connection, ToSql, params};
use standin_core::jobs::LaneName;

use super::row::{COLUMNS, JobPage, JobRow, JobState, kind_number, kind_of};
use crate::store::{Refusal, StoreHandle};

impl StoreHandle {
    /// Jobs, the newest first.
    pub(crate) async fn jobs(&self, page: JobPage) -> Result<Vec<JobRow>, Refusal> {
        let look = move |connection: &Connection| list(connection, &page);
        self.readers.lists.ask(look).await
    }

    /// The lanes that have waiting jobs. What was handed in and is not told to be kept yet may be missing.
    pub(crate) async fn job_lanes(&self) -> Result<Vec<LaneName>, Refusal> {
        self.readers.lists.ask(lanes).await
    }
}

/// The jobs of each state stand in an index in the order of their numbers, so the newest of all are found by merging these
/// rows, and the others are not looked at.
pub(super) fn list_text(page: &JobPage) -> String {
    let user = match page.user {
        Some(_) => "user = ?3 AND ",
        None => "",
    };
    let of_state = |state: JobState| {
        let state = state as i64;
        format!("SELECT {COLUMNS} FROM jobs WHERE {user}state = {state} AND id < ?1")
    };
    let of_states: Vec<String> = match page.state {
        Some(state) => vec![of_state(state)],
        None => JobState::kept().map(of_state).collect(),
    };
    format!(
        "{} ORDER BY id DESC LIMIT ?2",
        of_states.join("\nUNION ALL ")
    )
}

pub(super) fn list(connection: &Connection, page: &JobPage) -> rusqlite::Result<Vec<JobRow>> {
    let mut statement = connection.prepare_cached(&list_text(page))?;
    let after = page.after.map_or(i64::MAX, |after| after.0);
    let mut values: Vec<&dyn ToSql> = vec![&after, &page.limit];
    // A parameter that the text does not name must not be given.
    if let Some(user) = &page.user {
        values.push(user);
    }
    let (mut rows, mut bytes) = (Vec::new(), 0);
    for row in statement.query_map(&*values, JobRow::read)? {
        let row = row?;
        bytes += row.weight();
        rows.push(row);
        // An error may be as long as a message, so that a thousand of them would not fit in memory.
        if bytes >= page.bytes_max {
            break;
        }
    }
    Ok(rows)
}

/// The index is named, since the library would rather look at everything that waits. It seeks to what it is given and
/// goes on from there: that is the end of a lane, whose jobs are passed over thereby.
pub(super) const NEXT_LANE: &str = "SELECT user, method, kind FROM jobs INDEXED BY jobs_waiting
    WHERE state = 1 AND (user, method, kind, due, id) > (?1, ?2, ?3, ?4, ?4)
    ORDER BY user, method, kind LIMIT 1";

/// One look for each lane, from one to the next, past the jobs in it.
pub(super) fn lanes(connection: &Connection) -> rusqlite::Result<Vec<LaneName>> {
    let mut statement = connection.prepare_cached(NEXT_LANE)?;
    let mut lanes: Vec<LaneName> = Vec::new();
    loop {
        let (user, method, kind) = match lanes.last() {
            Some(lane) => (&*lane.user, &*lane.method, kind_number(lane.kind)),
            None => ("", &[][..], 0),
        };
        let mut next = statement.query(params![user, method, kind, i64::MAX])?;
        let Some(row) = next.next()? else {
            break;
        };
        let lane = LaneName {
            user: Arc::from(row.get::<_, String>(0)?),
            method: row.get::<_, Vec<u8>>(1)?.into(),
            kind: kind_of(row.get(2)?),
        };
        drop(next);
        lanes.push(lane);
    }
    Ok(lanes)
}
