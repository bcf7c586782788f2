//! The time of a call while its client thinks.

use std::time::Duration;

use chaos_tests::{
    raw_client::{code, map, outcome},
    under_test::{eventually, pool_status},
};
use rmpv::Value;
use serde_json::json;

use crate::{LIMIT, client_that, logged, question, raw_client, respond, service};

#[test]
fn a_worker_is_not_killed_for_its_clients_slowness() {
    let under_test = service("timeouts = { call = '200ms' }");
    let client = client_that(&under_test, |connect| {
        connect.callbacks(|callback| async move {
            tokio::time::sleep(Duration::from_millis(700)).await;
            callback.answer(&"at last")
        })
    });
    let call = client
        .request("sdk.ask")
        .arguments(&json!({ "method": "slow", "arguments": {} }))
        .timeout(LIMIT);
    let heard: serde_json::Value = client.send(call).expect("it is waited for");
    assert_eq!(heard["answer"], "at last");
    assert_eq!(pool_status(&client, "sdk")["died"], 0);
}

#[test]
fn a_call_whose_time_is_up_while_its_client_thinks_is_answered_and_the_late_answer_dropped() {
    let under_test = service("");
    let (mut raw, _) = raw_client(&under_test, false);
    let asked = map([("method", "slow".into()), ("arguments", map([]))]);
    let meta = map([("timeout_ms", 300.into())]);
    raw.ask_with(2, "sdk.ask", asked, meta);
    let (question, ..) = question(&mut raw);
    let error = raw.answer(2).expect_err("its time is up");
    assert_eq!(
        (code(&error), outcome(&error)),
        ("deadline_exceeded", "unknown")
    );
    // The client did not know, and answers.
    respond(&mut raw, question, Value::Nil, 7.into());
    raw.ask(3, "standin.ping", map([]));
    assert_eq!(
        raw.answer(3).expect("the connection goes on"),
        "pong".into()
    );
    let client = under_test.client();
    eventually(LIMIT, "the next call is served", || {
        client
            .call::<_, String>("sdk.echo", &json!({ "text": "next" }))
            .is_ok_and(|text| text == "next")
    });
}

#[test]
fn a_worker_is_told_when_the_call_that_it_asks_for_is_taken_back() {
    let under_test = service("");
    let (mut raw, _) = raw_client(&under_test, false);
    let asked = map([("method", "slow".into()), ("arguments", map([]))]);
    raw.ask(2, "sdk.ask", asked);
    question(&mut raw);
    raw.ask(3, "standin.cancel", map([("msgid", 2.into())]));
    // The handler waits for the answer and not for its cancellation; the SDK ends it after a second.
    let first = raw.message().expect("the connection lives");
    assert_eq!(first[1].as_u64(), Some(3), "{first}: it was found");
    let error = raw.answer(2).expect_err("it was taken back");
    assert_eq!(code(&error), "cancelled");
    let client = under_test.client();
    eventually(LIMIT, "the worker is free again", || {
        let pool = pool_status(&client, "sdk");
        pool["running"] == 0 && pool["died"] == 0
    });
    logged(&under_test, "a worker is ready");
}
