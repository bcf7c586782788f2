//! A pool that somebody has stopped stays so until it is started, whatever fails meanwhile.
#![cfg(debug_assertions)]

use std::time::Duration;

use chaos_tests::under_test::{UnderTest, eventually, pool_status, status, worker_pids};
use serde_json::{Value, json};
use standin_client::{Outcome, blocking::Client};

use crate::{
    orders::order,
    setup::{LIMIT, begun, is_whole, refusal, service, start, work},
};

fn arm(client: &Client, place: &str) {
    let armed = client.call("standin.failpoint", &json!({ "place": place }));
    assert_eq!(armed.ok(), Some(true), "failpoints are compiled in");
}

fn is_stopped(client: &Client) -> bool {
    let status = status(client);
    let mut pools = status["pools"].as_array().expect("a list").iter();
    // While one pool's actor takes the place of another, the status is without it.
    pools.any(|pool| {
        pool["name"] == "chaos" && pool["state"] == "stopped" && pool["workers"] == json!([])
    })
}

fn failures(under_test: &UnderTest) -> usize {
    let log = under_test.log();
    log.matches("a pool's actor failed; another takes its place")
        .count()
}

#[test]
fn a_pool_that_fails_while_it_is_stopped_stays_stopped_until_it_is_started() {
    let (under_test, client) = service("");
    let running = start(&client, "chaos.never", &work(1, 60_000, ""));
    eventually(LIMIT, "it runs", || begun(&under_test, 1) == 1);
    let stop = start(&client, "pool.stop", &json!({ "pool": "chaos" }));
    eventually(LIMIT, "the order is there", || {
        pool_status(&client, "chaos")["state"] == "stopped"
    });
    // It fails while it waits for the last call, which goes with it.
    arm(&client, "pool/chaos");
    eventually(LIMIT, "it fails", || {
        status(&client);
        failures(&under_test) == 1
    });
    let lost = client.wait::<u64>(running).expect_err("nobody knows");
    let lost = lost.answer().expect("the service's").clone();
    assert_eq!(
        (&*lost.code, lost.outcome),
        ("worker_lost", Outcome::Unknown)
    );
    assert_eq!(
        client.wait::<Value>(stop).expect("it is followed"),
        json!({ "stopped": "chaos" })
    );
    eventually(LIMIT, "no process is left", || is_stopped(&client));
    // And once more, when it has stopped.
    arm(&client, "pool/chaos");
    eventually(LIMIT, "it fails", || {
        status(&client);
        failures(&under_test) == 2
    });
    eventually(LIMIT, "it is there again", || is_stopped(&client));
    let refused = refusal(&client, "chaos.never", &work(2, 0, ""));
    assert_eq!(
        (&*refused.code, refused.outcome),
        ("pool_unavailable", Outcome::NotExecuted)
    );
    assert_eq!(begun(&under_test, 2), 0);

    order(&client, "pool.start");
    let served = client.call::<_, u64>("chaos.never", &work(3, 0, ""));
    assert_eq!(served.expect("it is served"), 3);
    // What is over is over.
    arm(&client, "pool/chaos");
    eventually(LIMIT, "it fails", || {
        status(&client);
        failures(&under_test) == 3
    });
    eventually(LIMIT, "it serves again", || is_whole(&client));
}

#[test]
fn an_order_that_a_pool_fails_at_is_followed_by_the_one_in_its_place() {
    let (under_test, client) = service("");
    arm(&client, "pool/chaos");
    assert_eq!(order(&client, "pool.stop"), json!({ "stopped": "chaos" }));
    assert_eq!(failures(&under_test), 1);
    assert!(is_stopped(&client));
    arm(&client, "pool/chaos");
    let started = order(&client, "pool.start");
    assert_eq!(started["methods"].as_array().map(Vec::len), Some(3));
    let served = client.call::<_, u64>("chaos.never", &work(1, 0, ""));
    assert_eq!(served.expect("it is served"), 1);
}

#[test]
fn a_stopped_pool_stays_stopped_though_all_parts_of_the_service_are_started_again() {
    let (under_test, client) = service("");
    order(&client, "pool.stop");
    arm(&client, "pools");
    eventually(LIMIT, "all is started again", || {
        let asked = client.request("standin.status");
        let _ = client.send_raw(asked.timeout(Duration::from_secs(1)));
        under_test.log().contains("all are started again")
    });
    let client = under_test.client();
    eventually(LIMIT, "the other pool serves", || {
        worker_pids(&client, "sdk").len() == 1
    });
    assert!(is_stopped(&client));
    // No worker has said yet what there is; nobody has to wait for one.
    let refused = refusal(&client, "chaos.never", &work(1, 0, ""));
    assert_eq!(
        (&*refused.code, refused.outcome),
        ("pool_unavailable", Outcome::NotExecuted)
    );
    order(&client, "pool.start");
    let served = client.call::<_, u64>("chaos.never", &work(2, 0, ""));
    assert_eq!(served.expect("it is served"), 2);
}
