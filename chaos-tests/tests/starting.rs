//! Workers that do not start: the caller gets their last words.

use std::{path::Path, time::Duration};

use chaos_tests::under_test::UnderTest;
use standin_client::{CallError, Outcome, blocking::Client};

const LIMIT: Duration = Duration::from_secs(30);

fn refusal(
    pool: &str,
    start: &str,
    method: &str,
    argument: (&str, &str),
) -> standin_client::ErrorAnswer {
    let under_test = UnderTest::start(Path::new(env!("CARGO_BIN_EXE_chaos-tests")), 1, pool, start);
    let client = Client::connect(&under_test.endpoint(), LIMIT).expect("the service starts");
    let arguments = std::collections::BTreeMap::from([argument]);
    let called = client
        .send::<serde_json::Value>(client.request(method).arguments(&arguments).timeout(LIMIT));
    match called {
        Err(CallError::Service(answer)) => answer,
        other => panic!("{other:?}\n{}", under_test.log()),
    }
}

#[test]
fn a_pool_that_cannot_start_answers_with_its_workers_last_words() {
    let answer = refusal("", "exit_before_hello", "chaos.always", ("id", "1"));
    assert_eq!(answer.code, "pool_unavailable");
    assert_eq!(answer.outcome, Outcome::NotExecuted);
    assert!(
        answer.message.contains("the licence file is missing"),
        "{}",
        answer.message
    );
    assert!(answer.message.contains("exit code 3"), "{}", answer.message);
}

#[test]
fn a_launch_request_is_answered_with_the_exit_status_and_the_last_words() {
    let answer = refusal("", "exit_before_hello", "pool.start", ("pool", "chaos"));
    assert_eq!(answer.code, "start_failed");
    let begins = "The process of \"chaos\" ended by itself with exit code 3.";
    assert!(answer.message.starts_with(begins), "{}", answer.message);
    assert!(
        answer.message.contains("the licence file is missing"),
        "{}",
        answer.message
    );
}

#[test]
fn a_worker_that_never_reports_is_killed_at_its_start_time() {
    let answer = refusal(
        "timeouts = { start = '3s' }",
        "never_hello",
        "pool.start",
        ("pool", "chaos"),
    );
    assert_eq!(answer.code, "start_failed");
    let begins =
        "The process of \"chaos\" was killed by Standin: it was not ready within its start time.";
    assert!(answer.message.starts_with(begins), "{}", answer.message);
    assert!(
        answer.message.contains("still thinking"),
        "{}",
        answer.message
    );
}

#[test]
fn a_worker_that_starts_only_the_second_time_costs_nobody_an_answer() {
    let program = Path::new(env!("CARGO_BIN_EXE_chaos-tests"));
    let under_test = UnderTest::start(program, 1, "", "exit_first");
    let client = under_test.client();
    let arguments = serde_json::json!({ "id": 1, "nonce": 1 });
    let nonce: u64 = client
        .call("chaos.never", &arguments)
        .expect("it is answered");
    assert_eq!(nonce, 1);
    let log = under_test.log();
    assert!(log.contains("not today"), "{log}");
}

#[test]
fn whoever_wrote_a_worker_is_told_what_was_wrong_with_its_hello() {
    for (start, says) in [
        ("wrong_token", "(its worker.hello has the wrong token)"),
        (
            "reserved_name",
            "(it may not offer a method of the name `standin.always`)",
        ),
        ("rude", "(its first message is not worker.hello)"),
    ] {
        let answer = refusal("", start, "pool.start", ("pool", "chaos"));
        assert_eq!(answer.code, "start_failed");
        let begins = "The process of \"chaos\" was killed by Standin: it broke the protocol.";
        assert!(answer.message.starts_with(begins), "{}", answer.message);
        assert!(answer.message.contains(says), "{}", answer.message);
    }
}
