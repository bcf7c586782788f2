//! What a caller is told when a worker misbehaves, case by case.
#![cfg(unix)]

use std::{path::Path, time::Duration};

use chaos_tests::under_test::{UnderTest, eventually};
use standin_client::{CallError, Outcome, blocking::Client};

const LIMIT: Duration = Duration::from_secs(30);

fn service(pool: &str) -> (UnderTest, Client) {
    let under_test = UnderTest::start(Path::new(env!("CARGO_BIN_EXE_chaos-tests")), 2, pool, "");
    let client = Client::connect(&under_test.endpoint(), LIMIT).expect("the service starts");
    (under_test, client)
}

fn call(client: &Client, method: &str, id: u64, misbehave: &str) -> Result<u64, (String, Outcome)> {
    let arguments =
        serde_json::json!({ "id": id, "nonce": id, "work_ms": 1, "misbehave": misbehave });
    client
        .send(client.request(method).arguments(&arguments).timeout(LIMIT))
        .map_err(|error| match error {
            CallError::Service(answer) => (answer.code.into_owned(), answer.outcome),
            other => panic!("{method} {misbehave}: {other}"),
        })
}

#[test]
fn a_misbehaving_worker_never_costs_the_caller_an_honest_answer() {
    let (under_test, client) = service("timeouts = { call = '10s' }");
    let lost = |code: &str, outcome| Err((code.to_owned(), outcome));
    // (what the worker does, what an idempotent call gets, what a call that must not run twice gets)
    let deadly = [
        "exit_0",
        "exit_1",
        "abort",
        "garbage",
        "giant",
        "half_message",
        "grandchild",
        "escaped_grandchild",
        "close_pipe",
    ];
    for (id, misbehave) in deadly.into_iter().enumerate() {
        let id = id as u64 + 1;
        assert_eq!(
            call(&client, "chaos.always", id, misbehave),
            lost("poisoned", Outcome::Unknown),
            "{misbehave}"
        );
        assert_eq!(
            call(&client, "chaos.never", id, misbehave),
            lost("worker_lost", Outcome::Unknown),
            "{misbehave}"
        );
    }
    for (id, misbehave) in ["unknown_attempt", "flood", "byte_by_byte", "answer_twice"]
        .into_iter()
        .enumerate()
    {
        let id = id as u64 + 100;
        for method in ["chaos.always", "chaos.until_effect", "chaos.never"] {
            assert_eq!(
                call(&client, method, id, misbehave),
                Ok(id),
                "{method} {misbehave}"
            );
        }
    }
    assert_eq!(
        call(&client, "chaos.until_effect", 200, "abort"),
        lost("poisoned", Outcome::NotExecuted)
    );
    assert_eq!(
        call(&client, "chaos.until_effect", 201, "die_after_grant"),
        lost("worker_lost", Outcome::Unknown)
    );
    assert_eq!(
        call(&client, "chaos.until_effect", 202, "die_before_answer"),
        lost("worker_lost", Outcome::Unknown)
    );
    assert_eq!(
        call(&client, "chaos.always", 300, ""),
        Ok(300),
        "the pool is whole again"
    );
    assert_eq!(under_test.zombies(), 0);
    eventually(LIMIT, "grandchildren have gone with their workers", || {
        under_test.descendants().len() <= 3
    });
}

#[test]
fn a_hung_worker_is_killed_at_its_deadline_and_the_caller_told() {
    let (under_test, client) = service("timeouts = { call = '200ms' }");
    assert_eq!(
        call(&client, "chaos.never", 1, "freeze"),
        Err(("worker_lost".to_owned(), Outcome::Unknown))
    );
    assert_eq!(
        call(&client, "chaos.until_effect", 2, "freeze"),
        Err(("poisoned".to_owned(), Outcome::NotExecuted))
    );
    assert_eq!(call(&client, "chaos.always", 3, ""), Ok(3));
    let log = under_test.log();
    assert!(log.contains("Deadline"), "{log}");
}
