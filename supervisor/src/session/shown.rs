//! A job as its owner sees it, alone and on a page of a list.
//!
//! What a worker says of its failure may be as long as a message. So of long words only the beginning is shown
//! (`job.result` tells all of them), and a page ends where a message must.

use bytes::Bytes;
use serde::Serialize;
use standin_core::jobs::WallTime;
use standin_protocol::{self as protocol, ErrorAnswer};

use crate::{
    store::{JobRow, JobState},
    trouble,
};

/// As much of an error's message is shown: more than anybody reads in a list, and a small part of a message.
const WORDS_SHOWN: usize = 16 * 1024;

/// As much is shown of the name of a method or of an error. Those that pools offer are shorter.
const NAME_SHOWN: usize = 128;

/// What stands around a page in its message: three heads, a number and the head of the list.
const AROUND_PAGE: usize = 32;

/// Times are in milliseconds since 1970 (UTC).
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    job: String,
    method: String,
    state: &'static str,
    user: &'a str,
    key: Option<std::borrow::Cow<'a, str>>,
    /// How many times it was begun.
    attempts: u32,
    /// Tries that failed, and how many may.
    failures: u32,
    attempts_max: u32,
    submitted_at: u64,
    /// When it is begun, or tried again; for one that waits for a time.
    next_at: Option<u64>,
    ended_at: Option<u64>,
    /// Its owner wants it back.
    cancelling: bool,
    /// What is known of all tries that have ended, together.
    outcome: &'static str,
    error: Option<ShownError>,
}

/// The last error: of one that waits, why it was not done yet.
#[derive(Serialize)]
struct ShownError {
    number: u32,
    code: String,
    message: String,
    outcome: &'static str,
    /// Why its pool is not there, in short.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

pub(super) fn shown(row: &JobRow) -> Shown<'_> {
    let waits = row.state == JobState::Queued && row.due.order() != WallTime(0);
    let error = row.error.as_ref().map(|error| {
        let error = ErrorAnswer::decode(error);
        ShownError {
            reason: trouble::reason(&error).map(|reason| beginning(reason, WORDS_SHOWN)),
            number: error.number,
            code: beginning(error.code.into_owned(), NAME_SHOWN),
            message: beginning(error.message, WORDS_SHOWN),
            outcome: error.outcome.name(),
        }
    });
    Shown {
        job: row.name.to_string(),
        method: beginning(
            String::from_utf8_lossy(&row.method).into_owned(),
            NAME_SHOWN,
        ),
        state: row.state.name(),
        user: &row.user,
        key: row.key.as_ref().map(|key| String::from_utf8_lossy(key)),
        attempts: row.attempt,
        failures: row.failures,
        attempts_max: row.retry.attempts_max,
        submitted_at: row.submitted.0,
        next_at: waits.then(|| row.due.order().0),
        ended_at: row.ended.map(|at| at.0),
        cancelling: row.cancel_requested && row.state == JobState::Running,
        outcome: row.outcome.name(),
        error,
    }
}

/// The first of these jobs, as many as a message can hold, and one at least: whoever asks for more goes on behind the
/// last of them.
pub(super) fn shown_page(rows: &[JobRow], message_size_max: usize) -> Bytes {
    let room = message_size_max.saturating_sub(AROUND_PAGE);
    let (mut jobs, mut count) = (Vec::new(), 0);
    for row in rows {
        let job = protocol::encode(&shown(row));
        if count > 0 && jobs.len() + job.len() > room {
            break;
        }
        jobs.extend_from_slice(&job);
        count += 1;
    }
    let mut page = Vec::with_capacity(AROUND_PAGE + jobs.len());
    rmp::encode::write_array_len(&mut page, count).expect("a Vec takes every byte");
    page.append(&mut jobs);
    page.into()
}

/// The text, or as much of it as may be shown, and a sign that it goes on.
fn beginning(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max));
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use standin_core::{
        JobId,
        jobs::{Due, RetryPolicy},
    };
    use standin_protocol::{Outcome, value};

    use super::*;
    use crate::store::JobName;

    /// One that has of everything as much as there can be, and an error.
    fn row(id: i64, error: Vec<u8>) -> JobRow {
        JobRow {
            name: JobName {
                id: JobId(id),
                tag: u64::MAX,
            },
            user: "DOMAIN\\somebody".to_owned(),
            method: vec![b'm'; 100].into(),
            key: Some(vec![0xff; 128].into()),
            state: JobState::Queued,
            due: Due::At(WallTime(u64::MAX)),
            attempt: u32::MAX,
            failures: u32::MAX,
            cancel_requested: true,
            retry: RetryPolicy {
                attempts_max: u32::MAX,
                backoff: Duration::MAX,
                backoff_max: Duration::MAX,
            },
            submitted: WallTime(u64::MAX),
            ended: Some(WallTime(u64::MAX)),
            error: Some(error.into()),
            outcome: Outcome::NotExecuted,
        }
    }

    fn says(message: String) -> Vec<u8> {
        let error = trouble::unavailable(message, "why".to_owned());
        error.encode().to_vec()
    }

    #[test]
    fn a_page_fills_its_message_and_no_more() {
        let limit = 20_000;
        for length in [0, 100, 1000, 5000, 1_000_000] {
            let rows: Vec<_> = (1..=100)
                .map(|id| row(id, says("x".repeat(length))))
                .collect();
            let whole = |page: &Bytes| 12 + page.len();
            let page = shown_page(&rows, limit);
            assert!(whole(&page) <= limit, "{length}: {}", page.len());
            let count = value::array_items(&page).expect("it is a list").len();
            assert!((1..100).contains(&count), "{length}: {count}");
            let more = shown_page(&rows[..=count], usize::MAX);
            assert!(
                whole(&more) + AROUND_PAGE > limit,
                "{length}: {}",
                more.len()
            );
        }
        assert_eq!(shown_page(&[], limit)[..], [0x90]);
    }

    #[test]
    fn the_first_job_of_a_page_is_on_it_whatever_it_holds() {
        let rows = [row(2, says("x".repeat(9000))), row(1, says(String::new()))];
        let page = shown_page(&rows, 1024);
        assert_eq!(value::array_items(&page).expect("it is a list").len(), 1);
    }

    #[test]
    fn of_long_words_the_beginning_is_shown() {
        let first = row(1, says("\u{e4}".repeat(WORDS_SHOWN)));
        let error = shown(&first).error.expect("it has one");
        let expected = "\u{e4}".repeat(WORDS_SHOWN / 2) + "...";
        assert_eq!(error.message, expected);
        let second = row(1, says("x".repeat(WORDS_SHOWN)));
        let error = shown(&second).error.expect("it has one");
        assert_eq!(error.message, "x".repeat(WORDS_SHOWN));
    }
}
