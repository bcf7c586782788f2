//! What a key means.

use chaos_tests::{
    raw_client::{RawClient, code, field, map, outcome},
    under_test::{UnderTest, eventually, hostile_pool},
};
use rmpv::Value;

use crate::{LIMIT, METHODS, begun, connect, key, kill_and_start_again, program, service, work};

#[test]
fn the_same_key_is_the_same_call_and_gets_the_same_answer() {
    let under_test = service(1, "");
    for (id, method) in (1..).zip(METHODS) {
        let mut first = connect(&under_test);
        first.ask_with(1, method, work(id, id, 0), key("order"));
        assert_eq!(first.answer(1), Ok(id.into()), "{method}");
        // Over the same connection, and over another one.
        for client in [&mut first, &mut connect(&under_test)] {
            client.ask_with(2, method, work(id, id, 0), key("order"));
            assert_eq!(client.answer(2), Ok(id.into()), "{method}");
        }
        assert_eq!(begun(&under_test, id), 1, "{method} ran once");
    }
}

#[test]
fn an_error_that_may_have_done_something_is_the_answer_as_well() {
    let under_test = service(1, "");
    let mut client = connect(&under_test);
    let deadly = map([
        ("id", 1.into()),
        ("nonce", 1.into()),
        ("misbehave", "abort".into()),
    ]);
    let mut answers = Vec::new();
    for msgid in 1..=2 {
        client.ask_with(msgid, "chaos.never", deadly.clone(), key("order"));
        answers.push(client.answer(msgid).expect_err("its worker died"));
    }
    assert_eq!(code(&answers[0]), "worker_lost");
    assert_eq!(outcome(&answers[0]), "unknown");
    assert_eq!(answers[0], answers[1]);
    assert_eq!(begun(&under_test, 1), 1);
}

#[test]
fn a_key_with_other_arguments_is_a_conflict_and_nothing_is_run() {
    let under_test = service(2, "");
    let mut client = connect(&under_test);
    client.ask_with(1, "chaos.never", work(1, 1, 300), key("order"));
    eventually(LIMIT, "it has begun", || begun(&under_test, 1) == 1);
    // While the first one runs, and after it.
    for msgid in 2..=3 {
        if msgid == 3 {
            assert_eq!(client.answer(1), Ok(1.into()));
        }
        client.ask_with(msgid, "chaos.never", work(2, 2, 0), key("order"));
        let error = client.answer(msgid).expect_err("it is another call");
        assert_eq!(code(&error), "key_conflict");
        assert_eq!(outcome(&error), "not_executed");
    }
    assert_eq!(begun(&under_test, 2), 0);
}

#[test]
fn a_key_belongs_to_its_method() {
    let under_test = service(1, "");
    let mut client = connect(&under_test);
    for (msgid, method) in (1..).zip(METHODS) {
        client.ask_with(msgid, method, work(msgid, msgid, 0), key("order"));
        assert_eq!(client.answer(msgid), Ok(msgid.into()), "{method}");
    }
}

#[test]
fn what_is_beside_a_call_does_not_make_it_another() {
    let under_test = service(1, "");
    let mut client = connect(&under_test);
    client.ask_with(1, "chaos.never", work(1, 1, 0), key("order"));
    assert_eq!(client.answer(1), Ok(1.into()));
    let other = map([
        ("timeout_ms", 5000.into()),
        ("idempotent", true.into()),
        ("key", "order".into()),
    ]);
    client.ask_with(2, "chaos.never", work(1, 1, 0), other);
    assert_eq!(client.answer(2), Ok(1.into()));
    assert_eq!(begun(&under_test, 1), 1);
}

#[test]
fn a_call_that_was_refused_does_not_burn_its_key() {
    // One runs, one waits; the next is refused.
    let under_test = service(1, "queue = { max = 1 }");
    let mut client = connect(&under_test);
    client.ask(1, "chaos.never", work(1, 1, 400));
    eventually(LIMIT, "it has begun", || begun(&under_test, 1) == 1);
    client.ask(2, "chaos.never", work(2, 2, 0));
    client.ask_with(3, "chaos.never", work(3, 3, 0), key("order"));
    let error = client.answer(3).expect_err("there is no room");
    assert_eq!(code(&error), "overloaded");
    assert_eq!(outcome(&error), "not_executed");
    assert_eq!(client.answer(1), Ok(1.into()));
    assert_eq!(client.answer(2), Ok(2.into()));
    // Not even for other arguments.
    client.ask_with(4, "chaos.never", work(4, 4, 0), key("order"));
    assert_eq!(client.answer(4), Ok(4.into()));
    assert_eq!(begun(&under_test, 3), 0);
}

#[test]
fn a_call_that_waits_for_another_with_its_key_has_its_own_time() {
    let under_test = service(1, "");
    let (mut first, mut second) = (connect(&under_test), connect(&under_test));
    first.ask_with(1, "chaos.never", work(1, 1, 1500), key("order"));
    eventually(LIMIT, "it has begun", || begun(&under_test, 1) == 1);
    let hurry = map([("timeout_ms", 50.into()), ("key", "order".into())]);
    second.ask_with(1, "chaos.never", work(1, 1, 1500), hurry);
    let error = second.answer(1).expect_err("it has no time");
    assert_eq!(code(&error), "deadline_exceeded");
    assert_eq!(outcome(&error), "unknown");
    assert_eq!(
        first.answer(1),
        Ok(1.into()),
        "that is nothing to the first"
    );
}

#[test]
fn a_call_that_waits_for_another_with_its_key_can_be_taken_back_alone() {
    let under_test = service(1, "");
    let (mut first, mut second) = (connect(&under_test), connect(&under_test));
    first.ask_with(1, "chaos.never", work(1, 1, 1000), key("order"));
    eventually(LIMIT, "it has begun", || begun(&under_test, 1) == 1);
    second.ask_with(1, "chaos.never", work(1, 1, 1000), key("order"));
    second.ask(2, "standin.cancel", map([("msgid", 1.into())]));
    let error = second.answer(1).expect_err("it was taken back");
    assert_eq!(code(&error), "cancelled");
    assert_eq!(outcome(&error), "unknown");
    assert_eq!(
        field(&second.answer(2).expect("found"), "found"),
        &true.into()
    );
    assert_eq!(first.answer(1), Ok(1.into()));
}

#[test]
fn whoever_takes_a_call_back_before_it_began_leaves_the_key_to_the_next() {
    let under_test = service(1, "");
    let (mut first, mut second) = (connect(&under_test), connect(&under_test));
    first.ask(1, "chaos.never", work(1, 1, 1000));
    eventually(LIMIT, "the worker is busy", || begun(&under_test, 1) == 1);
    first.ask_with(2, "chaos.never", work(2, 2, 0), key("order"));
    // It has the key when it waits in the queue of its pool.
    let client = under_test.client();
    eventually(LIMIT, "it waits", || {
        chaos_tests::under_test::pool_status(&client, "chaos")["queued"] == 1
    });
    second.ask_with(2, "chaos.never", work(2, 2, 0), key("order"));
    // Whatever is answered later was asked later: by then the second one waits for the key.
    second.ask(3, "standin.ping", map([]));
    assert_eq!(second.answer(3), Ok("pong".into()));
    first.ask(4, "standin.cancel", map([("msgid", 2.into())]));
    let _ = first.answer(4);
    let error = first.answer(2).expect_err("it was taken back");
    assert_eq!(outcome(&error), "not_executed");
    assert_eq!(second.answer(2), Ok(2.into()));
    assert_eq!(begun(&under_test, 2), 1);
}

pub(crate) fn batch(
    client: &mut RawClient,
    msgid: u64,
    calls: Vec<(Value, Value)>,
) -> Vec<(Value, Value)> {
    let call = |(arguments, meta)| {
        Value::Array(vec![
            "chaos.never".into(),
            Value::Array(vec![arguments]),
            meta,
        ])
    };
    let calls = calls.into_iter().map(call).collect();
    client.ask(
        msgid,
        "standin.batch",
        map([("calls", Value::Array(calls))]),
    );
    let answer = client.answer(msgid).expect("a batch is answered");
    let pair = |pair: &Value| (pair[0].clone(), pair[1].clone());
    answer
        .as_array()
        .expect("a list")
        .iter()
        .map(pair)
        .collect()
}

#[test]
fn each_call_of_a_batch_may_have_a_key() {
    let under_test = service(1, "");
    let mut client = connect(&under_test);
    let calls = || {
        vec![
            (work(1, 1, 0), key("first")),
            // The same call once more in the same batch, and another one with its key.
            (work(1, 1, 0), key("first")),
            (work(2, 2, 0), key("first")),
            (work(3, 3, 0), key("third")),
        ]
    };
    for msgid in 1..=2 {
        let answers = batch(&mut client, msgid, calls());
        assert_eq!(answers[0], (Value::Nil, 1.into()));
        assert_eq!(answers[1], (Value::Nil, 1.into()));
        assert_eq!(code(&answers[2].0), "key_conflict");
        assert_eq!(answers[3], (Value::Nil, 3.into()));
    }
    for (id, times) in [(1, 1), (2, 0), (3, 1)] {
        assert_eq!(begun(&under_test, id), times, "{id}");
    }
    let none = map([("calls", Value::Array(vec![]))]);
    client.ask_with(3, "standin.batch", none, key("whole"));
    let error = client.answer(3).expect_err("a batch has no key");
    assert_eq!(code(&error), "invalid_request");
}

#[test]
fn an_expired_key_is_refused_and_never_run_again() {
    let mut under_test = UnderTest::serve(program(), |folder| {
        "[keys]\nretention = \"1s\"\n".to_owned()
            + &hostile_pool("chaos", program(), folder, 1, "", "")
    });
    under_test.client();
    let mut client = connect(&under_test);
    let mut msgid = 0;
    let mut refused = None;
    eventually(LIMIT, "the key expires", || {
        msgid += 1;
        client.ask_with(msgid, "chaos.never", work(1, 1, 0), key("order"));
        refused = client.answer(msgid).err();
        refused.is_some()
    });
    let error = refused.expect("it was just seen");
    assert_eq!(code(&error), "key_conflict");
    assert_eq!(outcome(&error), "unknown", "it was executed, once");
    let expired = field(field(&error[2], "data"), "expired");
    assert_eq!(expired, &Value::Boolean(true));
    // Not after a restart either, and other arguments are another call all the same.
    kill_and_start_again(&mut under_test);
    let mut client = connect(&under_test);
    client.ask_with(1, "chaos.never", work(1, 1, 0), key("order"));
    let error = client.answer(1).expect_err("it is as old as before");
    assert_eq!(outcome(&error), "unknown");
    client.ask_with(2, "chaos.never", work(2, 2, 0), key("order"));
    let error = client.answer(2).expect_err("it is another call");
    assert_eq!(outcome(&error), "not_executed");
    assert_eq!((begun(&under_test, 1), begun(&under_test, 2)), (1, 0));
}
