//! What one user may have at a time, over all connections, and what is said when it is too much. Everybody here is the user
//! who runs the service, but where the test says otherwise.

use chaos_tests::{
    raw_client::{RawClient, code, map, outcome},
    under_test::{UnderTest, eventually, sdk_pool, status},
};
use rmpv::Value as Packed;
use serde_json::{Value, json};
use standin_client::{ErrorAnswer, blocking::Client};

use crate::setup::{LIMIT, program, refusal, start};

fn serve(quotas: &str) -> (UnderTest, Client) {
    let under_test = UnderTest::serve(program(), |folder| {
        format!(
            "[quotas]\n{quotas}\n{}",
            sdk_pool("sdk", program(), folder, "")
        )
    });
    let client = under_test.client();
    let _: String = client
        .call("sdk.echo", &json!({ "text": "warm" }))
        .expect("it is answered");
    (under_test, client)
}

/// What the service says of the user of this process.
fn own_usage(client: &Client) -> Value {
    let status = status(client);
    let users = status["users"].as_array().expect("a list");
    let own = standin_transport::own_user();
    let found = users.iter().find(|user| user["user"] == *own);
    found.expect("whoever asks is there").clone()
}

fn assert_refused(answer: &ErrorAnswer, quota: &str) {
    assert_eq!(
        (&*answer.code, answer.outcome.name()),
        ("overloaded", "not_executed"),
        "{answer:?}"
    );
    assert!(answer.retry_after_ms.is_some());
    let user = standin_transport::own_user();
    assert!(answer.message.contains(&user), "{}", answer.message);
    let data = answer.data.as_ref().expect("it says which limit it was");
    let data: Value = standin_protocol::decode_exact(data).expect("a map");
    assert_eq!(data["quota"], quota);
    assert_eq!(data["user"], *user);
}

#[test]
fn a_user_has_no_more_unanswered_calls_than_the_quota_over_all_connections() {
    let (under_test, client) = serve("requests = 3");
    let other = under_test.client();
    let mut waiting: Vec<_> = (0..2)
        .map(|_| start(&client, "sdk.wait", &json!({})))
        .collect();
    waiting.push(start(&other, "sdk.wait", &json!({})));
    eventually(LIMIT, "all three are counted", || {
        own_usage(&client)["requests"] == 3
    });
    let echo = json!({ "text": "one too many" });
    for client in [&client, &other] {
        assert_refused(&refusal(client, "sdk.echo", &echo), "requests");
    }
    let usage = own_usage(&other);
    assert_eq!(usage["refused"], 2, "an administrator is answered");
    assert_eq!(usage["sessions"], 2);
    client.cancel(&waiting.remove(0)).expect("it is taken back");
    eventually(LIMIT, "there is room again", || {
        client.call::<_, Value>("sdk.echo", &echo).is_ok()
    });
}

#[test]
fn a_user_has_no_more_bytes_in_unanswered_calls_than_the_quota() {
    let (under_test, client) = serve("bytes = '64KiB'");
    let large = "x".repeat(40 << 10);
    // No file has such a name, so it waits. It is small enough to be sent while nobody waits for the answer.
    let _waiting = start(&client, "sdk.effect", &json!({ "when": large }));
    let other = under_test.client();
    eventually(LIMIT, "the first one is counted", || {
        own_usage(&other)["requests"] == 1
    });
    let answer = refusal(&other, "sdk.echo", &json!({ "text": large }));
    assert_refused(&answer, "bytes");
    let small: String = other
        .call("sdk.echo", &json!({ "text": "small" }))
        .expect("there is room for it");
    assert_eq!(small, "small");
}

#[test]
fn answers_that_can_be_had_again_never_stand_in_the_way_of_a_call() {
    let (under_test, client) = serve("bytes = '256KiB'");
    let mut raw = RawClient::connect(&under_test.endpoint());
    raw.hello(None).expect("it is welcome");
    // It acknowledges nothing.
    for msgid in 1..=40 {
        let text = map([("text", "y".repeat(32 << 10).into())]);
        raw.ask(msgid, "sdk.echo", text);
        raw.answer(msgid).expect("it is answered");
    }
    let kept = own_usage(&client)["kept_bytes"].as_u64().expect("a number");
    assert!((32 << 10..=128 << 10).contains(&kept), "{kept}");
}

#[test]
fn an_administrator_beyond_the_quota_may_look_around_and_call_nothing() {
    let (under_test, client) = serve("sessions = 2");
    let second = under_test.client();
    let third = under_test.client();
    let echo = json!({ "text": "hello" });
    assert_refused(&refusal(&third, "sdk.echo", &echo), "sessions");
    let job = json!({ "method": "sdk.echo", "params": [echo] });
    assert_refused(&refusal(&third, "job.submit", &job), "sessions");
    assert_eq!(own_usage(&third)["sessions"], 3);
    for client in [&client, &second] {
        assert!(client.call::<_, Value>("sdk.echo", &echo).is_ok());
    }
    drop(second);
    eventually(LIMIT, "there is room again", || {
        third.call::<_, Value>("sdk.echo", &echo).is_ok()
    });
}

#[test]
fn connections_without_a_word_are_counted_and_twice_as_many_are_closed() {
    let (under_test, client) = serve("sessions = 3");
    let mut silent: Vec<_> = (0..6)
        .map(|_| RawClient::connect(&under_test.endpoint()))
        .collect();
    let last = silent.pop().expect("the sixth");
    eventually(LIMIT, "all but the last are counted", || {
        own_usage(&client)["sessions"] == 6
    });
    let mut last = last;
    assert!(last.message().is_none(), "it is closed without a word");
    drop(silent);
    eventually(LIMIT, "they are not counted any more", || {
        own_usage(&client)["sessions"] == 1
    });
}

#[test]
fn the_calls_of_a_batch_are_counted_one_by_one() {
    let (under_test, client) = serve("requests = 2");
    let mut raw = RawClient::connect(&under_test.endpoint());
    let echo = Packed::Array(vec!["sdk.echo".into(), map([("text", "hello".into())])]);
    raw.ask(
        1,
        "standin.batch",
        map([("calls", Packed::Array(vec![echo; 3]))]),
    );
    let answers = raw.answer(1).expect("the batch itself is answered");
    let errors: Vec<_> = (0..3).map(|index| &answers[index][0]).collect();
    assert!(errors[0].is_nil() && errors[1].is_nil(), "{answers}");
    assert_eq!(
        (code(errors[2]), outcome(errors[2])),
        ("overloaded", "not_executed")
    );
    assert_eq!(own_usage(&client)["requests"], 0);
}

/// Only root can be somebody else for a moment; on Windows it takes a second account.
#[cfg(unix)]
#[test]
fn a_user_beyond_the_quota_is_told_so_and_nobody_else_notices() {
    use chaos_tests::{
        other_user::{as_nobody, serve_everybody},
        raw_client::field,
    };
    if !chaos_tests::platform::can_be_others(
        "a_user_beyond_the_quota_is_told_so_and_nobody_else_notices",
    ) {
        return;
    }
    let under_test = serve_everybody(program(), |folder| {
        let pool = sdk_pool("sdk", program(), folder, "");
        format!("[quotas]\nsessions = 1\n{pool}")
    });
    let client = under_test.client();
    let endpoint = under_test.endpoint();
    let error = as_nobody(|| {
        let mut first = RawClient::connect(&endpoint);
        let token = chaos_tests::raw_client::token(&first.hello(None).expect("it is welcome"));
        let mut second = RawClient::connect(&endpoint);
        let error = second.hello(None).expect_err("it is one too many");
        assert!(second.message().is_none(), "and the connection is closed");
        // Whoever has a session may go on with it.
        let mut again = RawClient::connect(&endpoint);
        let hello = again.hello(Some(&token)).expect("it is welcome");
        assert_eq!(field(&hello, "resumed"), &Packed::from(true));
        error
    });
    assert_eq!(code(&error), "overloaded");
    assert_eq!(outcome(&error), "not_executed");
    assert!(error[1].as_str().is_some_and(|why| why.contains("65534")));
    let echoed: String = client
        .call("sdk.echo", &json!({ "text": "mine" }))
        .expect("another user has room");
    assert_eq!(echoed, "mine");
    let status = status(&client);
    let users = status["users"].as_array().expect("a list");
    let his = users.iter().find(|user| user["user"] == "65534");
    assert_eq!(his.expect("it is told of him")["refused"], 1);
    let log = under_test.log();
    assert!(
        log.lines().any(|line| line.contains("one user may have")
            && line.contains("65534")
            && line.contains("pid=")),
        "{log}"
    );
}
