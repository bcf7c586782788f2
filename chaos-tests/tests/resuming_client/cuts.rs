//! The connection is cut again and again, at any byte, while the service lives.

use std::sync::Arc;

use chaos_tests::ledger::Step;
use serde_json::json;
use standin_client::{Connect, blocking};

use crate::{LIMIT, counts, relay::Relay, service};

const METHODS: [&str; 3] = ["chaos.always", "chaos.until_effect", "chaos.never"];

/// Where the n-th connection is cut: behind the greeting, so that some of what follows gets through, and at another
/// byte each time.
fn anywhere(number: u64) -> usize {
    500 + (number * 7919 % 1500) as usize
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_often_the_connection_is_cut_each_call_runs_once_and_gets_its_own_answer() {
    const TASKS: u64 = 30;
    const CALLS: u64 = 20;
    let under_test = service(4);
    let relay = Relay::before(&under_test.endpoint(), anywhere);
    let connect = Connect::new().endpoint(relay.endpoint()).limit(LIMIT);
    let client = connect.open().await.expect("it is there");
    let tasks = (0..TASKS).map(|task| {
        let client = client.clone();
        tokio::spawn(async move {
            for call in 0..CALLS {
                let id = task * CALLS + call;
                let method = METHODS[(id % 3) as usize];
                let call = client.request(method);
                let call = call.arguments(&json!({ "id": id, "nonce": id }));
                let answer = call.timeout(LIMIT).send::<u64>().await;
                assert_eq!(answer.expect("no cut is noticed"), id);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("every answer was right");
    }
    let counts = counts(&under_test, Step::Begun);
    assert_eq!(counts.len() as u64, TASKS * CALLS);
    assert!(
        counts.iter().all(|(_, count)| *count == 1),
        "the service lives and remembers, so not even those that may run twice do: {counts:?}"
    );
    assert!(relay.cuts() > 20, "only {} cuts", relay.cuts());
}

#[test]
fn blocking_calls_of_several_threads_notice_no_cut() {
    const THREADS: u64 = 4;
    const CALLS: u64 = 40;
    let under_test = service(4);
    let relay = Relay::before(&under_test.endpoint(), anywhere);
    let client = blocking::Client::connect(&relay.endpoint(), LIMIT).expect("it is there");
    let client = Arc::new(client);
    let threads = (0..THREADS).map(|thread| {
        let client = Arc::clone(&client);
        std::thread::spawn(move || {
            for call in 0..CALLS {
                let id = thread * CALLS + call;
                let arguments = json!({ "id": id, "nonce": id });
                let answer = client.call::<_, u64>("chaos.never", &arguments);
                assert_eq!(answer.expect("no cut is noticed"), id);
            }
        })
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.join().expect("every answer was right");
    }
    let counts = counts(&under_test, Step::Begun);
    assert_eq!(counts.len() as u64, THREADS * CALLS);
    assert!(counts.iter().all(|(_, count)| *count == 1), "{counts:?}");
    assert!(relay.cuts() >= 3, "only {} cuts", relay.cuts());
}

#[tokio::test]
async fn a_thousand_open_calls_go_through_a_cut_together() {
    const CALLS: u64 = 1000;
    let under_test = service(4);
    // The first connection ends while the calls are being sent, the second while they are sent again.
    let relay = Relay::before(&under_test.endpoint(), |number| match number {
        0 => 30_000,
        1 => 3_000,
        _ => usize::MAX,
    });
    let connect = Connect::new().endpoint(relay.endpoint()).limit(LIMIT);
    let client = connect.open().await.expect("it is there");
    let pending: Vec<_> = (0..CALLS)
        .map(|id| {
            let method = METHODS[(id % 3) as usize];
            let call = client.request(method);
            let call = call.arguments(&json!({ "id": id, "nonce": id }));
            (id, call.start().expect("it is sent"))
        })
        .collect();
    for (id, pending) in pending {
        let answer = pending.wait::<u64>().await;
        assert_eq!(answer.expect("no cut is noticed"), id);
    }
    let counts = counts(&under_test, Step::Begun);
    assert_eq!(counts.len() as u64, CALLS);
    assert!(counts.iter().all(|(_, count)| *count == 1), "{counts:?}");
    assert!(relay.cuts() >= 2, "only {} cuts", relay.cuts());
}
