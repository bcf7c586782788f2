//! `standin.batch`: many calls, one round trip.

use std::time::Duration;

use chaos_tests::under_test::{UnderTest, eventually, hostile_pool, sdk_pool};
use serde_json::{Value, json};
use standin_client::blocking::Client;

use crate::setup::{LIMIT, begun, program, refusal, service, start, the_error, work};

fn batch(client: &Client, calls: &[Value]) -> Vec<(Value, Value)> {
    client
        .call("standin.batch", &json!({ "calls": calls }))
        .expect("a batch is answered")
}

#[test]
fn the_answers_of_a_batch_stand_in_the_order_of_its_calls() {
    let (under_test, client) = service("");
    assert_eq!(batch(&client, &[]), []);
    // Those that take long stand first, and there are several workers; a bare map is as good as a list of one.
    let calls: Vec<Value> = (0..40)
        .map(|id| match id % 2 {
            0 => json!(["chaos.always", [work(id, (40 - id) / 4, "")]]),
            _ => json!(["sdk.echo", { "text": id.to_string() }]),
        })
        .collect();
    let answers = batch(&client, &calls);
    assert_eq!(answers.len(), 40);
    for (id, (error, result)) in answers.iter().enumerate() {
        let expected = match id % 2 {
            0 => json!(id),
            _ => json!(id.to_string()),
        };
        assert_eq!((error, result), (&Value::Null, &expected));
    }
    assert_eq!(begun(&under_test, 4), 1);
}

#[test]
fn an_item_that_fails_does_not_harm_the_others() {
    let (under_test, client) = service("");
    let calls = [
        json!(["sdk.echo", [{ "text": "first" }]]),
        json!(["no.such", [{}]]),
        json!(["sdk.fail", [{}]]),
        json!(["chaos.never", [work(1, 0, "exit_1")]]),
        json!(["chaos.always", [work(2, 5, "exit_1_first")]]),
        json!(["sdk.echo"]),
        json!(7),
        json!(["sdk.echo", [{ "text": "late" }], { "timeout_ms": "soon" }]),
        json!(["sdk.echo", [{ "text": "keyed" }], { "key": "" }]),
        json!(["standin.ping", []]),
        json!(["sdk.echo", [{ "text": "last" }], null]),
    ];
    let answers = batch(&client, &calls);
    let codes: Vec<_> = answers
        .iter()
        .map(|(error, _)| error[2]["code"].as_str())
        .collect();
    assert_eq!(
        codes,
        [
            None,
            Some("method_not_found"),
            Some("sdk.broken"),
            Some("worker_lost"),
            None,
            Some("invalid_request"),
            Some("invalid_request"),
            Some("invalid_request"),
            Some("invalid_request"),
            Some("invalid_request"),
            None,
        ]
    );
    assert_eq!(answers[0].1, "first");
    assert_eq!(answers[4].1, 2);
    assert_eq!(answers[10].1, "last");
    let own = answers[9].0[1].as_str().expect("a text");
    assert_eq!(
        own,
        "The methods of Standin itself cannot stand in a batch; call \"standin.ping\" directly."
    );
    let broken = &answers[2].0;
    assert_eq!(
        (&broken[0], &broken[1]),
        (&json!(1007), &json!("It is broken."))
    );
    assert_eq!(
        broken[2],
        json!({ "code": "sdk.broken", "outcome": "not_executed", "retry_after_ms": 1500, "data": [1, 2, 3] })
    );
    assert_eq!((begun(&under_test, 1), begun(&under_test, 2)), (1, 2));
}

#[test]
fn a_batch_has_bounds_and_says_them() {
    let under_test = UnderTest::serve(program(), |folder| {
        format!(
            "session_requests_max = 30\nmessage_size_max = '1MiB'\n{}",
            sdk_pool("sdk", program(), folder, "")
        )
    });
    let client = under_test.client();
    let echo = json!(["sdk.echo", [{ "text": "x" }]]);
    for (arguments, says) in [
        (json!({}), "wants {calls: [[method, parameters], ...]}"),
        (
            json!({ "calls": 7 }),
            "wants {calls: [[method, parameters], ...]}",
        ),
        (
            json!({ "calls": vec![&echo; 1001] }),
            "A batch may hold 1000 calls; this one has 1001.",
        ),
    ] {
        let answer = refusal(&client, "standin.batch", &arguments);
        assert_eq!(answer.code, "invalid_params");
        assert!(answer.message.contains(says), "{}", answer.message);
    }
    let answer = refusal(
        &client,
        "standin.batch",
        &json!({ "calls": vec![&echo; 31] }),
    );
    assert_eq!(
        (&*answer.code, answer.retry_after_ms),
        ("overloaded", Some(100))
    );
    assert_eq!(
        batch(&client, &vec![echo; 30]).len(),
        30,
        "that many may be open"
    );

    // Each result is well within the size of a message, and all of them together are not: those that do not fit any
    // more are known to have been executed, and the connection goes on.
    let large = json!(["sdk.large", [{ "bytes": 300_000 }]]);
    let answers = batch(&client, &vec![large; 6]);
    let sizes: Vec<_> = answers
        .iter()
        .map(|(_, result)| result.as_str().map(str::len))
        .collect();
    assert_eq!(
        sizes,
        [
            Some(300_000),
            Some(300_000),
            Some(300_000),
            None,
            None,
            None
        ]
    );
    for (error, _) in &answers[3..] {
        assert_eq!(error[2]["code"], "message_too_large", "{error}");
        assert_eq!(error[2]["outcome"], "executed", "{error}");
    }
}

#[test]
fn a_batch_that_comes_while_the_workers_are_still_starting_waits_for_them() {
    let under_test = UnderTest::serve(program(), |folder| {
        hostile_pool("chaos", program(), folder, 1, "", "slow_start")
    });
    let client = under_test.client();
    let calls = [
        json!(["chaos.always", [work(1, 0, "")]]),
        json!(["no.such", [{}]]),
    ];
    let answers = batch(&client, &calls);
    assert_eq!(answers[0].1, 1, "{answers:?}");
    assert_eq!(answers[1].0[2]["code"], "method_not_found", "{answers:?}");
}

#[test]
fn the_time_that_a_batch_is_given_holds_for_its_calls() {
    let (under_test, client) = service("timeouts = { stop = '200ms' }");
    let calls = [
        json!(["sdk.echo", [{ "text": "in time" }]]),
        json!(["chaos.never", [work(1, 20_000, "")]]),
        json!(["chaos.always", [work(2, 0, "")], { "timeout_ms": 3_600_000 }]),
    ];
    let call = client
        .request("standin.batch")
        .arguments(&json!({ "calls": calls }))
        .timeout(Duration::from_millis(300));
    let answers: Vec<(Value, Value)> = client.send(call).expect("it is answered");
    assert_eq!(answers[0].1, "in time");
    assert_eq!(answers[1].0[2]["code"], "deadline_exceeded", "{answers:?}");
    assert_eq!(answers[1].0[2]["outcome"], "unknown", "{answers:?}");
    assert_eq!(answers[2].0[2]["code"], "deadline_exceeded", "{answers:?}");
    assert_eq!(begun(&under_test, 2), 0);
    let call = client
        .request("standin.batch")
        .arguments(&json!({ "calls": [] }))
        .key("k");
    assert_eq!(
        the_error(client.send(call)).code,
        "invalid_request",
        "no key is taken in vain"
    );
}

#[test]
fn cancelling_a_batch_takes_back_all_that_is_open_of_it() {
    let (under_test, client) = service("");
    let calls = [
        json!(["sdk.echo", [{ "text": "done" }]]),
        json!(["sdk.wait", [{}]]),
        json!(["chaos.never", [work(1, 600, "")]]),
        json!(["chaos.never", [work(2, 0, "")]]),
    ];
    let pending = start(&client, "standin.batch", &json!({ "calls": calls }));
    eventually(LIMIT, "two run", || {
        begun(&under_test, 1) == 1 && under_test.log().contains("waits")
    });
    client.cancel(&pending).expect("the service takes it");
    let answers: Vec<(Value, Value)> = client.wait(pending).expect("a batch is answered");
    assert_eq!(answers[0].1, "done");
    assert_eq!(answers[1].0[1], "It stopped half way.", "{answers:?}");
    assert_eq!(
        answers[2].1, 1,
        "this worker does not listen, and was done in time"
    );
    assert_eq!(answers[3].0[2]["code"], "cancelled", "{answers:?}");
    assert_eq!(answers[3].0[2]["outcome"], "not_executed", "{answers:?}");
    assert_eq!(begun(&under_test, 2), 0);
}
