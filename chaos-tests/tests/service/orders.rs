//! `pool.reload` and `pool.stop`: what an administrator orders of a pool, while programs call it.

use std::{collections::BTreeSet, path::PathBuf};

use chaos_tests::under_test::{UnderTest, eventually, hostile_pool, pool_status, worker_pids};
use serde_json::{Value, json};
use standin_client::{Outcome, blocking::Client};

use crate::setup::{LIMIT, begun, is_whole, program, refusal, service, start, work};

pub(crate) fn order(client: &Client, method: &str) -> Value {
    client
        .call(method, &json!({ "pool": "chaos" }))
        .unwrap_or_else(|error| panic!("{method}: {error}"))
}

fn pids(client: &Client) -> BTreeSet<u32> {
    worker_pids(client, "chaos").into_iter().collect()
}

fn state(client: &Client) -> Value {
    pool_status(client, "chaos")["state"].clone()
}

/// Where that exists, no worker starts.
fn broken(under_test: &UnderTest) -> PathBuf {
    under_test.ledger().with_extension("broken")
}

#[test]
fn a_reload_replaces_every_process_and_no_call_is_lost_by_it() {
    let (under_test, client) = service("");
    let old = pids(&client);
    let long = start(&client, "chaos.never", &work(1, 700, ""));
    eventually(LIMIT, "it runs", || begun(&under_test, 1) == 1);
    let calls: Vec<_> = (2..30)
        .map(|id| start(&client, "chaos.never", &work(id, 20, "")))
        .collect();
    let reloaded = order(&client, "pool.reload");
    assert_eq!(
        reloaded["methods"],
        json!(["chaos.always", "chaos.until_effect", "chaos.never"])
    );
    for (id, call) in (2..30).zip(calls) {
        let nonce = client.wait::<u64>(call).expect("it is answered");
        assert_eq!(nonce, id);
    }
    assert_eq!(client.wait::<u64>(long).expect("it is finished"), 1);
    eventually(LIMIT, "all processes are new ones", || {
        is_whole(&client) && pids(&client).is_disjoint(&old)
    });
    eventually(LIMIT, "the reload is over", || state(&client) == "ready");
    let pool = pool_status(&client, "chaos");
    assert_eq!((&pool["replayed"], &pool["failed"]), (&json!(0), &json!(0)));
    assert_eq!(pool["died"], 0, "those that go for it are no deaths");
}

#[test]
fn a_reload_to_a_program_that_does_not_start_changes_nothing_and_says_why() {
    let under_test = UnderTest::serve(program(), |folder| {
        hostile_pool("chaos", program(), folder, 1, "", "exit_if_broken")
    });
    let client = under_test.client();
    eventually(LIMIT, "the workers are ready", || pids(&client).len() == 2);
    let old = pids(&client);
    std::fs::write(broken(&under_test), "").expect("the folder can be written to");
    let answer = refusal(&client, "pool.reload", &json!({ "pool": "chaos" }));
    assert_eq!(answer.code, "start_failed");
    assert_eq!(
        answer.message,
        "The process of \"chaos\" ended by itself with exit code 3. Its last words: the update is broken. \
         The processes that were there go on."
    );
    assert_eq!(pids(&client), old);
    assert_eq!(state(&client), "ready");
    std::fs::remove_file(broken(&under_test)).expect("it is there");
    order(&client, "pool.reload");
    eventually(LIMIT, "all processes are new ones", || {
        pids(&client).len() == 2 && pids(&client).is_disjoint(&old)
    });
}

#[test]
fn a_stopped_pool_has_no_process_and_serves_again_when_it_is_started() {
    let (under_test, client) = service("");
    let running = start(&client, "chaos.never", &work(1, 300, ""));
    let waiting = start(&client, "chaos.never", &work(2, 0, ""));
    eventually(LIMIT, "one runs and one waits", || {
        pool_status(&client, "chaos")["queued"] == 1
    });
    assert_eq!(order(&client, "pool.stop"), json!({ "stopped": "chaos" }));
    let pool = pool_status(&client, "chaos");
    assert_eq!(
        (&pool["state"], &pool["workers"]),
        (&json!("stopped"), &json!([]))
    );
    assert_eq!(client.wait::<u64>(running).expect("it is finished"), 1);
    let refused = client.wait::<u64>(waiting).expect_err("it had not begun");
    let refused = refused.answer().expect("the service's").clone();
    assert_eq!(
        (&*refused.code, refused.outcome, &*refused.message),
        (
            "pool_unavailable",
            Outcome::NotExecuted,
            "\"chaos.never\" is not available now: somebody has stopped \"chaos\". It was not executed."
        )
    );
    assert!(refused.retry_after_ms.is_some());
    assert_eq!(begun(&under_test, 2), 0);
    let answer = refusal(&client, "pool.reload", &json!({ "pool": "chaos" }));
    assert_eq!(
        answer.message,
        "\"chaos\" has been stopped. pool.start starts it again."
    );
    assert_eq!(
        order(&client, "pool.stop"),
        json!({ "stopped": "chaos" }),
        "it is"
    );

    order(&client, "pool.start");
    eventually(LIMIT, "the pool is whole again", || is_whole(&client));
    assert_eq!(
        client
            .call::<_, u64>("chaos.never", &work(3, 0, ""))
            .expect("it is served"),
        3
    );
    assert_eq!(state(&client), "ready");
}

#[test]
fn an_order_for_a_pool_that_is_not_there_says_so() {
    let (_under_test, client) = service("");
    for method in ["pool.start", "pool.reload", "pool.stop"] {
        let answer = refusal(&client, method, &json!({ "pool": "no_such" }));
        assert_eq!(answer.message, "There is no pool \"no_such\" here.");
        let answer = refusal(&client, method, &json!({}));
        assert_eq!(
            answer.message,
            format!("\"{method}\" wants the argument \"pool\": the name of a pool.")
        );
    }
}
