//! The connection is lost while a question is open.

use chaos_tests::{
    raw_client::{RawClient, field, map},
    under_test::{eventually, pool_status},
};
use rmpv::Value;

use crate::{LIMIT, logged, question, questions, raw_client, respond, service};

fn token(hello: &Value) -> Value {
    field(hello, "session").clone()
}

/// Comes back to the session, and serves callbacks again.
fn resume(under_test: &chaos_tests::under_test::UnderTest, session: &Value) -> RawClient {
    let mut raw = RawClient::connect(&under_test.endpoint());
    let hello = map([("session", session.clone()), ("callbacks", true.into())]);
    raw.ask(1000, "standin.hello", hello);
    let greeted = raw.answer(1000).expect("it is welcome, and told so first");
    assert_eq!(field(&greeted, "resumed").as_bool(), Some(true));
    raw
}

#[test]
fn a_question_that_was_out_when_the_connection_was_cut_is_unknown_to_its_worker_and_the_call_goes_on()
 {
    let under_test = service("");
    let (mut raw, hello) = raw_client(&under_test, false);
    let asked = || map([("method", "price".into()), ("arguments", map([]))]);
    raw.ask(2, "sdk.ask", asked());
    question(&mut raw);
    drop(raw);
    logged(
        &under_test,
        "heard no answer: The program that made the call has gone. (callback_failed), unknown",
    );
    let mut raw = resume(&under_test, &token(&hello));
    raw.ask(2, "sdk.ask", asked());
    let heard = raw.answer(2).expect("the call has its answer");
    assert_eq!(field(&heard, "outcome").as_str(), Some("unknown"));
}

#[test]
fn a_question_for_a_client_that_is_away_waits_until_it_is_back_and_is_asked_once() {
    let under_test = service("");
    let (mut raw, hello) = raw_client(&under_test, false);
    let when = under_test.folder.path().join("now");
    let path = when.to_str().expect("the folder has a plain name");
    let asked = || map([("method", "price".into()), ("when", path.into())]);
    raw.ask(2, "sdk.ask_later", asked());
    logged(&under_test, "attempt 1 waits");
    drop(raw);
    let watching = under_test.client();
    eventually(LIMIT, "the client is away", || {
        chaos_tests::under_test::status(&watching)["sessions_waiting"] == 1
    });
    std::fs::write(&when, "").expect("there is room");
    // A call of the same worker, answered after that question was asked.
    watching
        .call::<_, u64>(
            "sdk.progress",
            &serde_json::json!({ "steps": 1, "pause_ms": 50 }),
        )
        .expect("it answers");
    let mut raw = resume(&under_test, &token(&hello));
    raw.ask(2, "sdk.ask_later", asked());
    let (msgid, method, _) = question(&mut raw);
    assert_eq!(method, "price");
    respond(&mut raw, msgid, Value::Nil, 3.into());
    let heard = raw
        .answer(2)
        .expect("the call has its answer, and no second question came");
    assert_eq!(field(&heard, "answer").as_u64(), Some(3));
}

#[test]
fn a_client_that_dies_in_the_middle_of_a_batch_leaves_its_worker_with_the_truth_about_each_question()
 {
    let under_test = service("");
    let (mut raw, _) = raw_client(&under_test, false);
    raw.ask(2, "sdk.ask_all", questions("price", 4));
    let (first, ..) = question(&mut raw);
    respond(&mut raw, first, Value::Nil, 1.into());
    question(&mut raw);
    drop(raw);
    let gone = "heard no answer: The program that made the call has gone. (callback_failed), ";
    logged(&under_test, &format!("{gone}unknown"));
    eventually(LIMIT, "two were never asked", || {
        under_test
            .log()
            .matches(&format!("{gone}not_executed"))
            .count()
            == 2
    });
    assert_eq!(
        under_test.log().matches(gone).count(),
        3,
        "the first was answered"
    );
    let watching = under_test.client();
    eventually(LIMIT, "the worker is free again", || {
        pool_status(&watching, "sdk")["running"] == 0
    });
}

#[test]
fn a_worker_does_not_wait_for_a_program_that_has_said_goodbye() {
    let under_test = service("");
    let (mut raw, _) = raw_client(&under_test, false);
    let asked = map([("method", "price".into()), ("arguments", map([]))]);
    // With a key it goes on without its caller.
    raw.ask_with(2, "sdk.ask", asked, map([("key", "one".into())]));
    question(&mut raw);
    raw.tell("standin.goodbye", vec![]);
    logged(
        &under_test,
        "heard no answer: The program that made the call has gone. (callback_failed), unknown",
    );
    let watching = under_test.client();
    eventually(LIMIT, "the session has ended", || {
        let status = chaos_tests::under_test::status(&watching);
        status["sessions"] == 1 && status["sessions_waiting"] == 0
    });
}
