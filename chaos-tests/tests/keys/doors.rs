//! What refuses a call before it is made: that it "was not executed" is said only if nobody made it under its key.

use std::path::Path;

use chaos_tests::{
    raw_client::{RawClient, code, map, outcome},
    under_test::{UnderTest, eventually, hostile_pool},
};
use rmpv::Value;

use crate::{LIMIT, begun, connect, key, kill_and_start_again, program, rules::batch, work};

/// Two workers, these settings before their pool's, and this way to start.
fn serve(settings: &str, start: &str) -> UnderTest {
    let under_test = UnderTest::serve(program(), |folder: &Path| {
        settings.to_owned() + &hostile_pool("chaos", program(), folder, 2, "", start)
    });
    under_test.client();
    under_test
}

/// Two calls with keys: one was answered, and one runs until its session has gone.
fn answered_and_running(under_test: &UnderTest) -> RawClient {
    let mut client = connect(under_test);
    client.ask_with(1, "chaos.never", work(1, 1, 0), key("answered"));
    assert_eq!(client.answer(1), Ok(1.into()));
    client.ask_with(2, "chaos.never", work(2, 2, 60_000), key("running"));
    eventually(LIMIT, "it has begun", || begun(under_test, 2) == 1);
    client
}

/// Asks as whoever lost the answers does, where no call is let in.
fn nobody_is_told_that_what_was_made_was_not(client: &mut RawClient) {
    client.ask_with(11, "chaos.never", work(1, 1, 0), key("answered"));
    assert_eq!(client.answer(11), Ok(1.into()), "it is the answer");
    client.ask_with(12, "chaos.never", work(2, 2, 60_000), key("running"));
    let error = client.answer(12).expect_err("there is no room");
    assert_eq!((code(&error), outcome(&error)), ("overloaded", "unknown"));
    client.ask_with(13, "chaos.never", work(3, 3, 0), key("answered"));
    let error = client.answer(13).expect_err("it is another call");
    let conflict = ("key_conflict", "not_executed");
    assert_eq!((code(&error), outcome(&error)), conflict);
    client.ask_with(14, "chaos.never", work(4, 4, 0), key("new"));
    let error = client.answer(14).expect_err("there is no room");
    let refused = ("overloaded", "not_executed");
    assert_eq!((code(&error), outcome(&error)), refused);
}

#[test]
fn a_call_with_a_key_that_was_made_is_answered_though_its_user_may_make_no_more() {
    let under_test = serve("[quotas]\nrequests = 1\n", "");
    let _running = answered_and_running(&under_test);
    let mut client = connect(&under_test);
    nobody_is_told_that_what_was_made_was_not(&mut client);
    let calls = vec![
        (work(1, 1, 0), key("answered")),
        (work(2, 2, 60_000), key("running")),
        (work(3, 3, 0), key("answered")),
        (work(4, 4, 0), key("new")),
        (work(5, 5, 0), Value::Nil),
    ];
    let answers = batch(&mut client, 21, calls);
    assert_eq!(answers[0], (Value::Nil, 1.into()));
    let refused = |index: usize| (code(&answers[index].0), outcome(&answers[index].0));
    assert_eq!(refused(1), ("overloaded", "unknown"));
    assert_eq!(refused(2), ("key_conflict", "not_executed"));
    assert_eq!(refused(3), ("overloaded", "not_executed"));
    assert_eq!(refused(4), ("overloaded", "not_executed"));
    assert_eq!((begun(&under_test, 1), begun(&under_test, 2)), (1, 1));
}

#[test]
fn a_call_with_a_key_that_was_made_is_answered_though_its_program_may_make_no_more() {
    // They are in the section of the endpoint.
    let under_test = serve("session_requests_max = 1\n", "");
    let mut client = answered_and_running(&under_test);
    nobody_is_told_that_what_was_made_was_not(&mut client);
    // A batch is refused as a whole.
    for (msgid, meta, expected) in [
        (21, Value::Nil, "not_executed"),
        (22, key("answered"), "unknown"),
    ] {
        let call = Value::Array(vec![
            "chaos.never".into(),
            Value::Array(vec![work(1, 1, 0)]),
            meta,
        ]);
        let calls = map([("calls", Value::Array(vec![call]))]);
        client.ask(msgid, "standin.batch", calls);
        let error = client.answer(msgid).expect_err("there is no room");
        assert_eq!((code(&error), outcome(&error)), ("overloaded", expected));
    }
    assert_eq!(begun(&under_test, 1), 1);
}

/// A service that was killed after a call with a key, and whose workers do not start any more.
fn killed_and_broken(start: &str) -> UnderTest {
    let mut under_test = serve("", start);
    let mut client = connect(&under_test);
    client.ask_with(1, "chaos.never", work(1, 1, 0), key("order"));
    assert_eq!(client.answer(1), Ok(1.into()));
    let broken = under_test.ledger().with_extension("broken");
    std::fs::write(broken, "").expect("the folder can be written to");
    kill_and_start_again(&mut under_test);
    under_test
}

#[test]
fn whoever_asks_again_in_a_hurry_while_workers_start_gets_the_answer_to_the_key() {
    let under_test = killed_and_broken("hang_if_broken");
    let mut client = connect(&under_test);
    let hurry = |key: &str| map([("timeout_ms", 50.into()), ("key", key.into())]);
    client.ask_with(1, "chaos.never", work(1, 1, 0), hurry("order"));
    assert_eq!(client.answer(1), Ok(1.into()));
    client.ask_with(2, "chaos.never", work(2, 2, 0), hurry("new"));
    let error = client.answer(2).expect_err("there is no worker");
    let late = ("deadline_exceeded", "not_executed");
    assert_eq!((code(&error), outcome(&error)), late);
    // The same for whoever takes it back.
    client.ask_with(3, "chaos.never", work(1, 1, 0), key("order"));
    client.ask(4, "standin.cancel", map([("msgid", 3.into())]));
    client.answer(4).expect("it is taken back");
    assert_eq!(client.answer(3), Ok(1.into()));
    assert_eq!(begun(&under_test, 1), 1);
}

#[test]
fn an_answer_with_a_key_is_there_though_its_method_is_not_any_more() {
    let under_test = killed_and_broken("exit_if_broken");
    let mut client = connect(&under_test);
    client.ask_with(1, "chaos.never", work(1, 1, 0), key("order"));
    assert_eq!(client.answer(1), Ok(1.into()));
    client.ask_with(2, "chaos.never", work(2, 2, 0), key("new"));
    let error = client.answer(2).expect_err("no worker starts");
    let refused = ("pool_unavailable", "not_executed");
    assert_eq!((code(&error), outcome(&error)), refused);
    let calls = vec![
        (work(1, 1, 0), key("order")),
        (work(2, 2, 0), key("new")),
        (work(3, 3, 0), key("order")),
    ];
    let answers = batch(&mut client, 3, calls);
    assert_eq!(answers[0], (Value::Nil, 1.into()));
    let told = |index: usize| (code(&answers[index].0), outcome(&answers[index].0));
    assert_eq!(told(1), refused);
    assert_eq!(told(2), ("key_conflict", "not_executed"));
    assert_eq!(begun(&under_test, 1), 1);
}
