//! The service itself is killed, and another one goes on.

use chaos_tests::{
    ledger::{self, Step, pid_of},
    raw_client::{RawClient, code, field, map, number_in_data, outcome, token, work},
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
        let pid = pid_of(&ledger::read(&under_test.ledger()), 1, Step::Begun);
        assert_eq!(number_in_data(&error, "pid"), pid.map(u64::from));
        assert_eq!(number_in_data(&error, "attempt"), Some(1));
        assert!(number_in_data(&error, "begun_at_ms").is_some(), "{error}");
        assert_eq!(number_in_data(&error, "permitted_at_ms"), None);
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
    let after = map([
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
    let pid = pid_of(&ledger::read(&under_test.ledger()), 2, Step::Effect);
    assert_eq!(number_in_data(&error, "pid"), pid.map(u64::from));
    assert!(
        number_in_data(&error, "permitted_at_ms").is_some(),
        "{error}"
    );
    assert_eq!(count(&under_test, 2, Step::Effect), 1);
}

#[test]
fn a_call_that_was_made_before_the_hello_is_not_run_twice_either() {
    let mut under_test = service("");
    let mut client = RawClient::connect(&under_test.endpoint());
    client.ask(1, "chaos.never", work(1, 60_000));
    eventually(LIMIT, "it has begun", || {
        count(&under_test, 1, Step::Begun) == 1
    });
    let session = token(&client.hello(None).expect("a session"));
    kill_and_start_again(&mut under_test);
    let mut client = resume(&under_test, &session);
    client.ask(1, "chaos.never", work(1, 60_000));
    let error = client.answer(1).expect_err("nobody knows");
    assert_eq!(code(&error), "outcome_unknown");
    assert_eq!(count(&under_test, 1, Step::Begun), 1, "it is not run again");
}

#[test]
fn a_call_that_was_made_before_the_hello_has_its_effect_once() {
    let mut under_test = service("");
    let after = map([
        ("id", 1.into()),
        ("nonce", 1.into()),
        ("after_ms", 60_000.into()),
    ]);
    let mut client = RawClient::connect(&under_test.endpoint());
    client.ask(1, "chaos.until_effect", after.clone());
    eventually(LIMIT, "it has come so far", || {
        count(&under_test, 1, Step::Effect) == 1
    });
    let session = token(&client.hello(None).expect("a session"));
    kill_and_start_again(&mut under_test);
    let mut client = resume(&under_test, &session);
    client.ask(1, "chaos.until_effect", after);
    let error = client.answer(1).expect_err("nobody knows");
    assert_eq!(code(&error), "outcome_unknown");
    assert_eq!(count(&under_test, 1, Step::Effect), 1);
}

#[test]
fn the_answer_to_a_call_that_was_made_before_the_hello_outlives_the_service() {
    let mut under_test = service("");
    let call = |id: u64, method: &str| {
        Value::Array(vec![method.into(), Value::Array(vec![work(id, 300)])])
    };
    // What waits is not in the batch: it has one worker, which comes to it in the end.
    let calls = Value::Array(vec![call(2, "chaos.never"), call(3, "chaos.always")]);
    let batch = map([("calls", calls)]);
    let mut client = RawClient::connect(&under_test.endpoint());
    client.ask(1, "chaos.never", work(1, 300));
    client.ask(2, "standin.batch", batch.clone());
    eventually(LIMIT, "it has begun", || {
        count(&under_test, 1, Step::Begun) == 1
    });
    let session = token(&client.hello(None).expect("a session"));
    assert_eq!(client.answer(1), Ok(1.into()));
    let answers = client.answer(2).expect("the batch is answered");
    kill_and_start_again(&mut under_test);
    let mut client = resume(&under_test, &session);
    client.ask(1, "chaos.never", work(1, 300));
    assert_eq!(client.answer(1), Ok(1.into()));
    client.ask(2, "standin.batch", batch);
    assert_eq!(client.answer(2), Ok(answers));
    assert_eq!(count(&under_test, 1, Step::Begun), 1, "it ran once");
    assert_eq!(count(&under_test, 2, Step::Begun), 1, "it ran once");
}

#[test]
fn what_may_run_twice_and_is_refused_when_it_is_sent_again_is_not_said_not_to_have_been_executed() {
    let mut under_test = service("");
    let mut client = RawClient::connect(&under_test.endpoint());
    let session = token(&client.hello(None).expect("a session"));
    client.ask(1, "chaos.always", work(1, 60_000));
    eventually(LIMIT, "it has begun", || {
        count(&under_test, 1, Step::Begun) == 1
    });
    client.ask(2, "chaos.never", work(2, 0));
    kill_and_start_again(&mut under_test);
    let mut client = resume(&under_test, &session);
    // By then it is known what there is.
    client.ask(8, "chaos.always", work(8, 0));
    assert_eq!(client.answer(8), Ok(8.into()));
    client.ask(9, "pool.stop", map([("pool", "chaos".into())]));
    client.answer(9).expect("it is stopped");
    let again = || map([("again", true.into())]);
    let refused = |client: &mut RawClient, msgid: u64, method: &str, meta: Value| {
        client.ask_with(msgid, method, work(1, 60_000), meta);
        let error = client.answer(msgid).expect_err("there is no process");
        (code(&error).to_owned(), outcome(&error).to_owned())
    };
    let told = |code: &str, outcome: &str| (code.to_owned(), outcome.to_owned());
    // The pool refuses it, and would not know that it was begun.
    assert_eq!(
        refused(&mut client, 1, "chaos.always", again()),
        told("pool_unavailable", "unknown")
    );
    // What must not run twice is on record when it has begun, and a call that is new has not.
    assert_eq!(
        refused(&mut client, 2, "chaos.never", again()),
        told("pool_unavailable", "not_executed")
    );
    assert_eq!(
        refused(&mut client, 3, "chaos.always", map([])),
        told("pool_unavailable", "not_executed")
    );
    // The session refuses it: nobody offers that method any more.
    assert_eq!(
        refused(&mut client, 4, "chaos.former", again()),
        told("method_not_found", "unknown")
    );
    assert_eq!(
        refused(&mut client, 5, "chaos.former", map([])),
        told("method_not_found", "not_executed")
    );
    let call = |method: &str| Value::Array(vec![method.into(), Value::Array(vec![work(1, 0)])]);
    let calls = ["chaos.always", "chaos.never", "chaos.former"].map(call);
    let batch = map([("calls", Value::Array(calls.to_vec()))]);
    client.ask_with(6, "standin.batch", batch, again());
    let answers = client.answer(6).expect("each has its own answer");
    let answers = answers.as_array().expect("a list").iter();
    let outcomes: Vec<&str> = answers.map(|answer| outcome(&answer[0])).collect();
    assert_eq!(outcomes, ["unknown", "not_executed", "unknown"]);
    assert_eq!(count(&under_test, 1, Step::Begun), 1);
}
