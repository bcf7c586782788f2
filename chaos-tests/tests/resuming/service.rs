//! The service itself is killed, and another one goes on.

use chaos_tests::{
    ledger::Step,
    raw_client::{RawClient, code, field, outcome, token, work},
    under_test::{UnderTest, eventually},
};
use rmpv::Value;

use crate::{LIMIT, count, program, service};

fn kill_and_start_again(under_test: &mut UnderTest) {
    under_test.service.kill().expect("it lives");
    under_test.service.wait().expect("it dies");
    under_test.start_again(program());
    under_test.client();
}

fn resume(under_test: &UnderTest, session: &str) -> RawClient {
    let mut client = RawClient::connect(&under_test.endpoint());
    let hello = client.hello(Some(session)).expect("an answer");
    assert_eq!(field(&hello, "resumed"), &Value::Boolean(true));
    client
}

#[test]
fn an_answer_outlives_the_service_that_gave_it() {
    let mut under_test = service("");
    let mut client = RawClient::connect(&under_test.endpoint());
    let session = token(&client.hello(None).expect("a session"));
    for (id, method) in [(1, "chaos.never"), (2, "chaos.until_effect")] {
        client.ask(id, method, work(id, 0));
        assert_eq!(client.answer(id), Ok(id.into()));
    }
    kill_and_start_again(&mut under_test);
    let mut client = resume(&under_test, &session);
    for (id, method) in [(1, "chaos.never"), (2, "chaos.until_effect")] {
        client.ask(id, method, work(id, 0));
        assert_eq!(client.answer(id), Ok(id.into()));
        assert_eq!(count(&under_test, id, Step::Begun), 1, "{method} ran once");
    }
}

#[test]
fn what_was_running_and_must_not_run_twice_is_told_to_be_unknown_and_stays_so() {
    let mut under_test = service("");
    let mut client = RawClient::connect(&under_test.endpoint());
    let session = token(&client.hello(None).expect("a session"));
    client.ask(1, "chaos.never", work(1, 60_000));
    eventually(LIMIT, "it has begun", || {
        count(&under_test, 1, Step::Begun) == 1
    });
    for _ in 0..2 {
        kill_and_start_again(&mut under_test);
        let mut client = resume(&under_test, &session);
        client.ask(1, "chaos.never", work(1, 60_000));
        let error = client.answer(1).expect_err("nobody knows");
        assert_eq!(code(&error), "outcome_unknown");
        assert_eq!(outcome(&error), "unknown");
    }
    assert_eq!(count(&under_test, 1, Step::Begun), 1, "it is not run again");
}

#[test]
fn what_had_not_begun_when_the_service_was_killed_is_run() {
    let mut under_test = service("");
    let mut client = RawClient::connect(&under_test.endpoint());
    let session = token(&client.hello(None).expect("a session"));
    // One worker: the second one waits for it.
    client.ask(1, "chaos.always", work(1, 60_000));
    client.ask(2, "chaos.never", work(2, 0));
    eventually(LIMIT, "the first has begun", || {
        count(&under_test, 1, Step::Begun) == 1
    });
    kill_and_start_again(&mut under_test);
    let mut client = resume(&under_test, &session);
    client.ask(2, "chaos.never", work(2, 0));
    assert_eq!(client.answer(2), Ok(2.into()));
    assert_eq!(count(&under_test, 2, Step::Begun), 1);
}

#[test]
fn what_may_run_twice_is_run_again() {
    let mut under_test = service("");
    let mut client = RawClient::connect(&under_test.endpoint());
    let session = token(&client.hello(None).expect("a session"));
    client.ask(1, "chaos.always", work(1, 500));
    eventually(LIMIT, "it has begun", || {
        count(&under_test, 1, Step::Begun) == 1
    });
    kill_and_start_again(&mut under_test);
    let mut client = resume(&under_test, &session);
    client.ask(1, "chaos.always", work(1, 500));
    assert_eq!(client.answer(1), Ok(1.into()));
    assert_eq!(count(&under_test, 1, Step::Begun), 2);
}

#[test]
fn before_its_effect_a_call_is_run_again_and_after_it_nobody_knows() {
    let mut under_test = service("");
    let mut client = RawClient::connect(&under_test.endpoint());
    let session = token(&client.hello(None).expect("a session"));
    client.ask(1, "chaos.until_effect", work(1, 60_000));
    eventually(LIMIT, "it has begun", || {
        count(&under_test, 1, Step::Begun) == 1
    });
    kill_and_start_again(&mut under_test);
    let mut client = resume(&under_test, &session);
    // The same request takes its time before the effect; another one takes it after.
    let after = chaos_tests::raw_client::map([
        ("id", 2.into()),
        ("nonce", 2.into()),
        ("after_ms", 60_000.into()),
    ]);
    client.ask(2, "chaos.until_effect", after.clone());
    client.ask(1, "chaos.until_effect", work(1, 60_000));
    eventually(LIMIT, "both have come so far", || {
        count(&under_test, 2, Step::Effect) == 1
    });
    kill_and_start_again(&mut under_test);
    let mut client = resume(&under_test, &session);
    client.ask(2, "chaos.until_effect", after);
    let error = client.answer(2).expect_err("nobody knows");
    assert_eq!(code(&error), "outcome_unknown");
    assert_eq!(count(&under_test, 2, Step::Effect), 1);
}
