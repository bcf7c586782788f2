//! `pool.start`: the launch request. How it fails is told in `starting.rs`.

use chaos_tests::under_test::{UnderTest, eventually, sdk_pool, worker_pids};
use serde_json::{Value, json};

use crate::setup::{LIMIT, program, refusal, service};

/// A pool that keeps no worker: nothing runs until somebody asks.
fn lazy() -> UnderTest {
    UnderTest::serve(program(), |folder| {
        // No other limit is near, so that nothing else reminds the pool of its idle worker.
        let far = "timeouts = { start = '60s', call = '60s' }";
        let pool = sdk_pool("lazy", program(), folder, far);
        pool.replace(
            "min = 1, max = 1, spare = 0",
            "min = 0, max = 2, spare = 0, idle = '200ms'",
        )
    })
}

#[test]
fn a_launch_request_is_answered_when_a_worker_is_ready() {
    let (_under_test, client) = service("");
    let started: Value = client
        .call("pool.start", &json!({ "pool": "chaos" }))
        .expect("one is ready");
    assert_eq!(
        started["methods"],
        json!(["chaos.always", "chaos.until_effect", "chaos.never"])
    );

    let answer = refusal(&client, "pool.start", &json!({ "pool": "no_such" }));
    assert_eq!(
        (&*answer.code, &*answer.message),
        ("invalid_params", "There is no pool \"no_such\" here.")
    );
    assert_eq!(
        refusal(&client, "pool.start", &json!({})).code,
        "invalid_params"
    );
}

#[test]
fn a_pool_that_keeps_no_worker_starts_one_when_it_is_asked_to() {
    let under_test = lazy();
    let client = under_test.client();
    let started: Value = client
        .call("pool.start", &json!({ "pool": "lazy" }))
        .expect("one is started");
    let methods = started["methods"].as_array().expect("a list");
    assert!(methods.contains(&json!("sdk.echo")), "{started}");
    eventually(LIMIT, "the idle worker is ended", || {
        worker_pids(&client, "lazy").is_empty()
    });
    let echoed: String = client
        .call("sdk.echo", &json!({ "text": "again" }))
        .expect("another one is started");
    assert_eq!(echoed, "again");
}

#[test]
fn a_pool_that_keeps_no_worker_is_still_asked_what_it_offers() {
    let under_test = lazy();
    let client = under_test.client();
    let echoed: String = client
        .call("sdk.echo", &json!({ "text": "first" }))
        .expect("one is started for it");
    assert_eq!(echoed, "first");
}
