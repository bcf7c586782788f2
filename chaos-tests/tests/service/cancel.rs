//! `standin.cancel`: a call is taken back, and still answered once.

use std::time::Duration;

use chaos_tests::under_test::{UnderTest, eventually, hostile_pool, pool_status, sdk_pool};
use serde_json::{Value, json};
use standin_client::{Client, Outcome};

use crate::setup::{LIMIT, begun, is_whole, program, refusal, service, start, the_error, work};

#[test]
fn a_call_that_waits_is_taken_out_of_the_queue_and_never_begun() {
    let (under_test, client) = service("");
    let running = start(&client, "chaos.always", &work(1, 400, ""));
    let waiting = start(&client, "chaos.always", &work(2, 0, ""));
    eventually(LIMIT, "one runs and one waits", || {
        begun(&under_test, 1) == 1 && pool_status(&client, "chaos")["queued"] == 1
    });
    client.cancel(&waiting).expect("the service takes it");
    let answer = the_error(client.wait(waiting));
    assert_eq!((&*answer.code, answer.number), ("cancelled", 8));
    assert_eq!(answer.outcome, Outcome::NotExecuted);
    assert_eq!(
        answer.message,
        "\"chaos.always\" was cancelled. It was not executed."
    );
    assert_eq!(
        client.wait::<u64>(running).expect("the other one goes on"),
        1
    );
    assert_eq!(begun(&under_test, 2), 0);
}

#[test]
fn a_running_calls_worker_is_told_and_its_answer_is_the_one_that_counts() {
    let (under_test, client) = service("");
    let running = start(&client, "sdk.wait", &json!({}));
    eventually(LIMIT, "it runs", || {
        under_test.log().contains("attempt 1 waits")
    });
    client.cancel(&running).expect("the service takes it");
    let answer = the_error(client.wait(running));
    assert_eq!(
        (&*answer.code, answer.outcome),
        ("cancelled", Outcome::Unknown)
    );
    assert_eq!(answer.message, "It stopped half way.");
    // What a worker prints comes by another way than its answer.
    eventually(LIMIT, "its worker was told", || {
        under_test.log().contains("attempt 1 was cancelled")
    });
}

#[test]
fn a_worker_that_does_not_listen_is_ended_for_it_and_the_caller_told() {
    let (under_test, client) = service("timeouts = { stop = '200ms' }");
    for (id, method, outcome) in [
        (1, "chaos.never", Outcome::Unknown),
        (2, "chaos.always", Outcome::Unknown),
        (3, "chaos.until_effect", Outcome::NotExecuted),
    ] {
        let running = start(&client, method, &work(id, 0, "freeze"));
        eventually(LIMIT, "it runs", || begun(&under_test, id) == 1);
        client.cancel(&running).expect("the service takes it");
        let answer = the_error(client.wait(running));
        assert_eq!(
            (&*answer.code, answer.outcome),
            ("cancelled", outcome),
            "{method}"
        );
        eventually(LIMIT, "the pool is whole again", || is_whole(&client));
        assert_eq!(begun(&under_test, id), 1, "{method} is not run again");
    }
}

#[test]
fn a_number_that_is_none_of_an_open_call_harms_nobody() {
    let (_under_test, client) = service("");
    for msgid in [json!(0), json!(999_999), json!(u64::MAX)] {
        let found: Value = client
            .call("standin.cancel", &json!({ "msgid": msgid }))
            .expect("it is answered");
        assert_eq!(found, json!({ "found": false }));
    }
    for arguments in [
        json!({}),
        json!({ "msgid": "seven" }),
        json!({ "msgid": -1 }),
    ] {
        let answer = refusal(&client, "standin.cancel", &arguments);
        assert_eq!(answer.code, "invalid_params");
        assert_eq!(
            answer.message,
            "\"standin.cancel\" wants the argument \"msgid\": the number of a request."
        );
    }
    let echoed: String = client
        .call("sdk.echo", &json!({ "text": "well" }))
        .expect("everything goes on");
    assert_eq!(echoed, "well");
}

#[test]
fn one_who_may_open_no_more_may_still_cancel() {
    let under_test = UnderTest::serve(program(), |folder| {
        format!(
            "session_requests_max = 3\n{}",
            sdk_pool("sdk", program(), folder, "")
        )
    });
    let client = under_test.client();
    let calls: Vec<_> = (0..3)
        .map(|_| start(&client, "sdk.wait", &json!({})))
        .collect();
    eventually(LIMIT, "all run", || {
        under_test.log().matches("waits").count() == 3
    });
    assert_eq!(refusal(&client, "sdk.wait", &json!({})).code, "overloaded");
    for pending in calls {
        client.cancel(&pending).expect("the service takes it");
        assert_eq!(the_error(client.wait(pending)).code, "cancelled");
    }
}

#[tokio::test]
async fn a_call_whose_future_is_dropped_is_taken_back_from_its_worker() {
    let under_test = UnderTest::serve(program(), |folder| sdk_pool("sdk", program(), folder, ""));
    let client = Client::connect(&under_test.endpoint(), LIMIT).await;
    let client = client.expect("the service starts");
    {
        let call = client.request("sdk.wait").arguments(&json!({}));
        let dropped = tokio::time::timeout(LIMIT, async {
            tokio::select! {
                answer = call.send::<Value>() => panic!("nobody cancelled it: {answer:?}"),
                () = logged(&under_test, "attempt 1 waits") => {}
            }
        });
        dropped.await.expect("it runs");
    }
    let cancelled = logged(&under_test, "attempt 1 was cancelled");
    tokio::time::timeout(LIMIT, cancelled)
        .await
        .expect("its worker is told");
    let pong: String = client
        .call("standin.ping", &())
        .await
        .expect("the client goes on");
    assert_eq!(pong, "pong");
    assert_eq!(client.unknown_answers(), 0);
}

async fn logged(under_test: &UnderTest, line: &str) {
    while !under_test.log().contains(line) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn a_call_that_waits_for_the_workers_to_start_can_be_cancelled_and_has_its_time() {
    let under_test = UnderTest::serve(program(), |folder| {
        hostile_pool("chaos", program(), folder, 1, "", "never_hello")
    });
    let client = under_test.client();
    // Nobody knows yet whether there is such a method.
    let waiting = start(&client, "chaos.never", &work(1, 0, ""));
    client.cancel(&waiting).expect("the service takes it");
    let answer = the_error(client.wait(waiting));
    assert_eq!(
        (&*answer.code, answer.outcome),
        ("cancelled", Outcome::NotExecuted)
    );

    let short = client
        .request("chaos.never")
        .arguments(&work(2, 0, ""))
        .timeout(Duration::from_millis(200));
    let answer = the_error(client.send(short));
    assert_eq!(
        (&*answer.code, answer.outcome),
        ("deadline_exceeded", Outcome::NotExecuted)
    );
    let batch = client
        .request("standin.batch")
        .arguments(&json!({ "calls": [["chaos.never", [work(3, 0, "")]]] }))
        .timeout(Duration::from_millis(200));
    assert_eq!(the_error(client.send(batch)).code, "deadline_exceeded");
}
