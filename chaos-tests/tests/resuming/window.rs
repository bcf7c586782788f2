//! What is kept until it is acknowledged, and how much of it.

use chaos_tests::{
    ledger::Step,
    raw_client::{RawClient, code, map, outcome, work},
};

use crate::{count, service};

#[test]
fn no_unacknowledged_answer_is_dropped_and_new_work_is_refused_instead() {
    let under_test = service("answers_max = 3");
    let mut client = RawClient::connect(&under_test.endpoint());
    client.hello(None).expect("a session");
    for id in 1..=3 {
        client.ask(id, "chaos.never", work(id, 0));
        assert_eq!(client.answer(id), Ok(id.into()));
    }
    client.ask(4, "chaos.never", work(4, 0));
    let refused = client.answer(4).expect_err("there is no room");
    assert_eq!(code(&refused), "overloaded");
    assert_eq!(outcome(&refused), "not_executed");
    // What may run twice goes on.
    client.ask(5, "chaos.always", work(5, 0));
    assert_eq!(client.answer(5), Ok(5.into()));
    for id in 1..=3 {
        client.ask(id, "chaos.never", work(id, 0));
        assert_eq!(client.answer(id), Ok(id.into()), "it is still there");
        assert_eq!(count(&under_test, id, Step::Begun), 1);
    }
    let meta = map([("ack", 3.into())]);
    client.ask_with(6, "chaos.never", work(6, 0), meta);
    assert_eq!(client.answer(6), Ok(6.into()));
}

#[test]
fn what_was_acknowledged_is_not_answered_again_and_not_run_again() {
    let under_test = service("");
    let mut client = RawClient::connect(&under_test.endpoint());
    client.hello(None).expect("a session");
    client.ask(1, "chaos.never", work(1, 0));
    assert_eq!(client.answer(1), Ok(1.into()));
    client.tell("standin.ack", vec![1.into()]);
    client.ask(1, "chaos.never", work(1, 0));
    let refused = client.answer(1).expect_err("it is over");
    assert_eq!(code(&refused), "invalid_request");
    assert_eq!(count(&under_test, 1, Step::Begun), 1);
}
