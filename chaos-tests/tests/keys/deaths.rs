//! Workers, clients and the service die, and a key still means one call.

use chaos_tests::{
    ledger::{self, Step, pid_of},
    platform,
    raw_client::{code, map, number_in_data, outcome, token},
    under_test::eventually,
};
use rmpv::Value;

use crate::{LIMIT, METHODS, begun, connect, count, key, kill_and_start_again, service, work};

#[test]
fn an_answer_with_a_key_outlives_the_service_and_is_the_same() {
    let mut under_test = service(1, "");
    for (id, method) in (1..).zip(METHODS) {
        let mut client = connect(&under_test);
        client.ask_with(1, method, work(id, id, 0), key("order"));
        assert_eq!(client.answer(1), Ok(id.into()), "{method}");
    }
    for _ in 0..2 {
        kill_and_start_again(&mut under_test);
        for (id, method) in (1..).zip(METHODS) {
            let mut client = connect(&under_test);
            client.ask_with(1, method, work(id, id, 0), key("order"));
            assert_eq!(client.answer(1), Ok(id.into()), "{method}");
            client.ask_with(2, method, work(9, 9, 0), key("order"));
            let error = client.answer(2).expect_err("it is another call");
            assert_eq!(code(&error), "key_conflict");
            assert_eq!(begun(&under_test, id), 1, "{method} ran once");
        }
    }
}

#[test]
fn what_must_not_run_twice_is_unknown_for_ever_when_the_service_was_killed_in_it() {
    let mut under_test = service(2, "");
    let mut client = connect(&under_test);
    let after_effect = map([
        ("id", 2.into()),
        ("nonce", 2.into()),
        ("after_ms", 60_000.into()),
    ]);
    let calls = [
        (1, "chaos.never", work(1, 1, 60_000), Step::Begun),
        (2, "chaos.until_effect", after_effect, Step::Effect),
    ];
    for (id, method, arguments, step) in &calls {
        client.ask_with(*id, method, arguments.clone(), key("order"));
        eventually(LIMIT, "it has come so far", || {
            count(&under_test, *id, *step) == 1
        });
    }
    let mut known: Vec<Value> = Vec::new();
    for _ in 0..3 {
        kill_and_start_again(&mut under_test);
        for (id, method, arguments, step) in &calls {
            let mut client = connect(&under_test);
            client.ask_with(*id, method, arguments.clone(), key("order"));
            let error = client.answer(*id).expect_err("nobody knows");
            assert_eq!(code(&error), "outcome_unknown", "{method}");
            assert_eq!(outcome(&error), "unknown");
            let pid = pid_of(&ledger::read(&under_test.ledger()), *id, *step);
            assert_eq!(number_in_data(&error, "pid"), pid.map(u64::from));
            let at = match step {
                Step::Begun => "begun_at_ms",
                _ => "permitted_at_ms",
            };
            assert!(number_in_data(&error, at).is_some(), "{error}");
            assert_eq!(count(&under_test, *id, *step), 1, "it is not run again");
            known.push(error);
        }
    }
    assert_eq!(known[..2], known[2..4], "the same answer each time");
    assert_eq!(known[..2], known[4..]);
}

#[test]
fn what_may_run_twice_is_run_again_when_the_service_was_killed_after_its_effect() {
    let mut under_test = service(3, "");
    let vouched = || map([("key", "order".into()), ("idempotent", true.into())]);
    let after_effect = map([
        ("id", 1.into()),
        ("nonce", 1.into()),
        ("after_ms", 60_000.into()),
    ]);
    let calls = [
        (
            1,
            "chaos.until_effect",
            after_effect,
            vouched(),
            Step::Effect,
        ),
        (2, "chaos.never", work(2, 2, 60_000), vouched(), Step::Begun),
        (
            3,
            "chaos.always",
            work(3, 3, 60_000),
            key("order"),
            Step::Begun,
        ),
    ];
    for times in 1..=2 {
        for (id, method, arguments, meta, step) in &calls {
            let mut client = connect(&under_test);
            client.ask_with(*id, method, arguments.clone(), meta.clone());
            eventually(LIMIT, method, || count(&under_test, *id, *step) == times);
        }
        kill_and_start_again(&mut under_test);
    }
}

#[test]
fn what_nobody_had_begun_is_run_when_the_service_is_back() {
    let mut under_test = service(1, "");
    let mut client = connect(&under_test);
    client.ask(1, "chaos.never", work(1, 1, 60_000));
    eventually(LIMIT, "the worker is busy", || begun(&under_test, 1) == 1);
    client.ask_with(2, "chaos.never", work(2, 2, 0), key("order"));
    let until_effect = work(3, 3, 0);
    client.ask_with(3, "chaos.until_effect", until_effect, key("order"));
    client.ask(4, "standin.ping", map([]));
    assert_eq!(client.answer(4), Ok("pong".into()));
    kill_and_start_again(&mut under_test);
    let mut client = connect(&under_test);
    for (id, method) in [(2, "chaos.never"), (3, "chaos.until_effect")] {
        client.ask_with(id, method, work(id, id, 0), key("order"));
        assert_eq!(client.answer(id), Ok(id.into()));
        assert_eq!(begun(&under_test, id), 1);
    }
}

#[test]
fn a_killed_worker_is_replaced_and_all_who_wait_for_the_key_hear_of_it() {
    let under_test = service(1, "");
    for (id, method) in (1..).zip(METHODS) {
        let mut callers: Vec<_> = (0..3).map(|_| connect(&under_test)).collect();
        for caller in &mut callers {
            caller.ask_with(1, method, work(id, id, 600), key("order"));
        }
        eventually(LIMIT, "it has begun", || begun(&under_test, id) == 1);
        let worker = ledger::read(&under_test.ledger())[&id][0].pid;
        platform::kill(worker);
        let answers: Vec<_> = callers.iter_mut().map(|caller| caller.answer(1)).collect();
        if method == "chaos.never" {
            let error = answers[0].as_ref().expect_err("its worker died");
            assert_eq!(code(error), "worker_lost");
            assert_eq!(begun(&under_test, id), 1, "it is not run again");
        } else {
            assert_eq!(answers[0], Ok(id.into()), "{method}");
            assert_eq!(begun(&under_test, id), 2);
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0], answers[2]);
    }
}

#[test]
fn a_call_with_a_key_goes_on_when_its_client_is_gone() {
    let under_test = service(1, "");
    for (id, method) in (1..).zip(METHODS) {
        let mut client = connect(&under_test);
        client.ask_with(1, method, work(id, id, 300), key("order"));
        eventually(LIMIT, "it has begun", || begun(&under_test, id) == 1);
        drop(client);
        eventually(LIMIT, "it has ended", || {
            count(&under_test, id, Step::Answering) == 1
        });
        let mut client = connect(&under_test);
        client.ask_with(1, method, work(id, id, 300), key("order"));
        assert_eq!(client.answer(1), Ok(id.into()), "{method}");
        assert_eq!(begun(&under_test, id), 1, "{method} ran once");
    }
    // And then nothing is left of those sessions.
    let client = under_test.client();
    eventually(LIMIT, "they have ended", || {
        chaos_tests::under_test::status(&client)["sessions"] == 1
    });
}

#[test]
fn a_session_that_comes_back_finds_the_answer_to_its_key() {
    let mut under_test = service(1, "");
    let mut client = connect(&under_test);
    let session = token(&client.hello(None).expect("a session"));
    client.ask_with(1, "chaos.never", work(1, 1, 0), key("order"));
    assert_eq!(client.answer(1), Ok(1.into()));
    kill_and_start_again(&mut under_test);
    let mut client = connect(&under_test);
    client.hello(Some(&session)).expect("it is resumed");
    client.ask_with(1, "chaos.never", work(1, 1, 0), key("order"));
    assert_eq!(client.answer(1), Ok(1.into()));
    assert_eq!(begun(&under_test, 1), 1);
}
