//! What a question costs: the rows that are told, however many others there are.

use rusqlite::{Connection, StatementStatus, ToSql};

use super::*;
use crate::store::{
    jobs::{counts, list, look, read},
    schema,
};

/// A database with its tables and nothing in them.
fn empty() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    let transaction = connection.transaction().unwrap();
    schema::migrate(&transaction, 0).unwrap();
    transaction.commit().unwrap();
    connection
}

/// Every kind of page that can be asked for.
fn pages() -> impl Iterator<Item = JobPage> {
    let states = JobState::kept().map(Some).chain([None]);
    states.flat_map(|state| {
        [None, Some("1000".to_owned())].map(|user| JobPage {
            user,
            state,
            after: None,
            limit: 40,
            bytes_max: usize::MAX,
        })
    })
}

/// What the library says that it will do: where it looks, and what it must sort.
fn plan(connection: &Connection, text: &str) -> Vec<String> {
    let text = format!("EXPLAIN QUERY PLAN {text}");
    let mut statement = connection.prepare(&text).unwrap();
    let nothing: Vec<&dyn ToSql> = vec![&None::<i64>; statement.parameter_count()];
    let lines = statement.query_map(&*nothing, |row| row.get::<_, String>(3));
    let lines = lines.unwrap().map(Result::unwrap);
    lines
        .filter(|line| {
            let order = ["COMPOUND QUERY", "MERGE (UNION ALL)", "LEFT", "RIGHT"];
            !order.contains(&line.as_str())
        })
        .collect()
}

#[test]
fn a_job_is_found_by_its_number_or_its_key() {
    let database = empty();
    let by_number = "SEARCH jobs USING INTEGER PRIMARY KEY (rowid=?)";
    assert_eq!(plan(&database, &read::job_text()), [by_number]);
    let result = "SEARCH job_results USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN";
    assert_eq!(plan(&database, &read::result_text()), [by_number, result]);
    let by_key = "SEARCH jobs USING INDEX jobs_by_key (user=? AND method=? AND key=?)";
    assert_eq!(plan(&database, look::SUBMITTED), [by_key]);
}

#[test]
fn a_list_is_read_in_the_order_of_an_index_whatever_it_is_of() {
    let database = empty();
    for page in pages() {
        let place = match page.user {
            Some(_) => "INDEX jobs_of_user_by_state (user=? AND state=? AND rowid<?)",
            None => "INDEX jobs_by_state (state=? AND id<?)",
        };
        let states = match page.state {
            Some(_) => 1,
            None => JobState::kept().count(),
        };
        let expected = vec![format!("SEARCH jobs USING {place}"); states];
        assert_eq!(
            plan(&database, &list::list_text(&page)),
            expected,
            "{page:?}"
        );
    }
}

#[test]
fn what_waits_is_found_by_its_lane_and_a_lane_behind_the_one_before() {
    let database = empty();
    for (text, columns) in [
        (list::NEXT_LANE, "((user,method,kind,due)>(?,?,?,?))"),
        (look::WAITING, "(user=? AND method=? AND kind=?)"),
    ] {
        let place = "SEARCH jobs USING COVERING INDEX jobs_waiting";
        assert_eq!(plan(&database, text), [format!("{place} {columns}")]);
    }
}

#[test]
fn counting_looks_at_nothing_but_an_index_and_passes_over_keys_that_were_used() {
    let database = empty();
    let all = "SEARCH jobs USING COVERING INDEX jobs_by_state (state<?)";
    assert_eq!(plan(&database, counts::COUNT_ALL), [all]);
    let of_user = "SEARCH jobs USING COVERING INDEX jobs_of_user_by_state (user=? AND state<?)";
    assert_eq!(plan(&database, counts::COUNT_OF_USER), [of_user]);
}

/// So many jobs of two users, in all states, and behind them as many of which only the key is kept.
fn filled(jobs: i64) -> Connection {
    let database = empty();
    let text = "WITH RECURSIVE number(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM number WHERE id < 2 * ?1)
        INSERT INTO jobs (id, tag, user, method, fingerprint, state, kind, due, attempt, failures, interrupted,
            cancel_requested, attempts_max, backoff_ms, backoff_max_ms, submitted)
        SELECT id, 0, 1000 + id % 2, x'61', zeroblob(16), iif(id > ?1, 7, 1 + id / 2 % 7), 1 + id % 3, 5, 0, 0, 0,
            0, 25, 1, 1, 1
        FROM number";
    database.execute(text, [jobs]).unwrap();
    database
}

/// How many steps the library has made for it.
fn steps(connection: &Connection, text: &str) -> i32 {
    let statement = connection.prepare_cached(text).unwrap();
    statement.get_status(StatementStatus::VmStep)
}

#[test]
fn a_page_costs_the_same_of_a_few_jobs_and_of_many() {
    let (few, many) = (filled(700), filled(70_000));
    for page in pages() {
        let text = list::list_text(&page);
        for database in [&few, &many] {
            let rows = list::list(database, &page).unwrap();
            assert_eq!(rows.len(), page.limit as usize, "{page:?}");
            assert!(rows.iter().all(|row| row.state != JobState::Expired));
        }
        assert!(steps(&few, &text) > 0, "it is counted");
        assert_eq!(steps(&many, &text), steps(&few, &text), "{page:?}");
    }
}

#[test]
fn lanes_are_found_without_a_look_at_the_jobs_in_them() {
    let (few, many) = (filled(700), filled(70_000));
    let lanes = list::lanes(&few).unwrap();
    assert_eq!(lanes.len(), 6);
    assert_eq!(list::lanes(&many).unwrap(), lanes);
    assert!(steps(&few, list::NEXT_LANE) > 0, "it is counted");
    assert_eq!(steps(&many, list::NEXT_LANE), steps(&few, list::NEXT_LANE));
}
