//! The connection breaks, the service lives.

use std::time::Duration;

use chaos_tests::{
    clock,
    ledger::Step,
    raw_client::{RawClient, code, field, map, outcome, token, work},
    under_test::{UnderTest, eventually, hostile_pool},
};
use rmpv::Value;

use crate::{LIMIT, count, service};

#[test]
fn an_answer_waits_for_the_client_that_comes_back_and_is_the_same_every_time() {
    let under_test = service("");
    let endpoint = under_test.endpoint();
    let mut client = RawClient::connect(&endpoint);
    let session = token(&client.hello(None).expect("a session"));
    client.ask(1, "chaos.never", work(1, 300));
    eventually(LIMIT, "it has begun", || {
        count(&under_test, 1, Step::Begun) == 1
    });
    drop(client);

    for _ in 0..3 {
        let mut client = RawClient::connect(&endpoint);
        let hello = client.hello(Some(&session)).expect("the session lives");
        assert_eq!(field(&hello, "resumed"), &Value::Boolean(true));
        assert_eq!(token(&hello), session);
        client.ask(1, "chaos.never", work(1, 300));
        assert_eq!(client.answer(1), Ok(1.into()));
    }
    assert_eq!(count(&under_test, 1, Step::Begun), 1, "it ran once");
}

#[test]
fn the_newest_connection_has_the_session_and_the_older_one_is_told() {
    let under_test = service("");
    let endpoint = under_test.endpoint();
    let mut older = RawClient::connect(&endpoint);
    let session = token(&older.hello(None).expect("a session"));
    older.ask(1, "chaos.always", work(1, 500));

    let mut newer = RawClient::connect(&endpoint);
    newer.hello(Some(&session)).expect("the session lives");
    // Nobody knows when what was said over the older one arrives: it is said again over the newer one.
    older.ask(2, "chaos.never", work(2, 0));
    newer.ask(1, "chaos.always", work(1, 500));
    let moved = older.message().expect("it is told");
    assert_eq!(moved[1].as_str(), Some("session.moved"));
    assert_eq!(older.message(), None, "and disconnected");
    assert_eq!(newer.answer(1), Ok(1.into()));
    assert_eq!(count(&under_test, 1, Step::Begun), 1, "it ran once");
    assert_eq!(count(&under_test, 2, Step::Begun), 0, "it was not heard");
    newer.ask(2, "chaos.never", work(2, 0));
    assert_eq!(newer.answer(2), Ok(2.into()));
}

#[test]
fn a_session_that_nobody_knows_is_answered_with_a_new_one() {
    let under_test = service("");
    let mut client = RawClient::connect(&under_test.endpoint());
    let guessed = "0123456789abcdef0123456789abcdef";
    let hello = client.hello(Some(guessed)).expect("a new one");
    assert_eq!(field(&hello, "resumed"), &Value::Boolean(false));
    assert_ne!(token(&hello), guessed);
    // A connection that has a session gets no other.
    let refused = client.hello(Some(guessed)).expect_err("it has one");
    assert_eq!(code(&refused), "invalid_request");
}

#[test]
fn a_session_ends_when_nobody_comes_back_within_its_time() {
    let under_test = service("linger = \"1ms\"");
    let endpoint = under_test.endpoint();
    let mut client = RawClient::connect(&endpoint);
    let session = token(&client.hello(None).expect("a session"));
    drop(client);
    eventually(LIMIT, "it has ended", || {
        let mut client = RawClient::connect(&endpoint);
        let hello = client.hello(Some(&session)).expect("an answer");
        field(&hello, "resumed") == &Value::Boolean(false)
    });
}

/// The answer to a request. If the session had not ended yet, what else was asked there is answered as well.
fn answer_among_others(client: &mut RawClient, msgid: u64) -> Value {
    loop {
        let message = client.message().expect("the connection lives");
        if message[1].as_u64() == Some(msgid) {
            return message;
        }
    }
}

#[test]
fn whoever_comes_back_in_the_moment_when_the_session_ends_is_answered_and_so_are_its_calls() {
    let under_test = service("linger = \"1ms\"");
    let endpoint = under_test.endpoint();
    for round in 0..100 {
        let (keyed, id) = (1000 + round, 1 + round);
        let mut client = RawClient::connect(&endpoint);
        let session = token(&client.hello(None).expect("a session"));
        // It goes on when its session is given up, and the worker has no time for the other one.
        let key = map([("key", format!("{round}").into())]);
        client.ask_with(1, "chaos.never", work(keyed, 10), key);
        client.ask(2, "chaos.always", work(id, 0));
        eventually(LIMIT, "it has begun", || {
            count(&under_test, keyed, Step::Begun) == 1
        });
        drop(client);
        let (start, wait) = (clock::now(), Duration::from_micros(30 * round));
        while start.elapsed() < wait {
            std::hint::spin_loop();
        }
        let mut client = RawClient::connect(&endpoint);
        client.ask(3, "standin.hello", map([("session", (&*session).into())]));
        let hello = answer_among_others(&mut client, 3);
        assert!(hello[2].is_nil(), "{hello}");
        client.ask(2, "chaos.always", work(id, 0));
        let answer = answer_among_others(&mut client, 2);
        assert_eq!(answer[3].as_u64(), Some(id), "{answer}");
    }
}

#[test]
fn a_client_that_says_goodbye_leaves_nothing_behind() {
    let under_test = service("");
    let endpoint = under_test.endpoint();
    let mut client = RawClient::connect(&endpoint);
    let session = token(&client.hello(None).expect("a session"));
    client.tell("standin.goodbye", vec![]);
    assert_eq!(client.message(), None, "the connection is closed");
    let mut client = RawClient::connect(&endpoint);
    let hello = client.hello(Some(&session)).expect("an answer");
    assert_eq!(field(&hello, "resumed"), &Value::Boolean(false));
}

#[test]
fn a_number_that_was_used_for_another_request_is_refused_and_nothing_happens() {
    let under_test = service("");
    let mut client = RawClient::connect(&under_test.endpoint());
    client.hello(None).expect("a session");
    client.ask(1, "chaos.never", work(1, 0));
    assert_eq!(client.answer(1), Ok(1.into()));
    client.ask(1, "chaos.never", work(2, 0));
    let refused = client.answer(1).expect_err("it is another request");
    assert_eq!(code(&refused), "invalid_request");
    assert_eq!(outcome(&refused), "not_executed");
    assert_eq!(count(&under_test, 2, Step::Begun), 0);
}

#[test]
fn a_client_without_a_hello_keeps_nothing_and_costs_nothing_after_its_end() {
    let under_test = service("");
    let endpoint = under_test.endpoint();
    for _ in 0..2 {
        let mut client = RawClient::connect(&endpoint);
        client.ask(1, "chaos.never", work(1, 0));
        assert_eq!(client.answer(1), Ok(1.into()));
    }
    assert_eq!(
        count(&under_test, 1, Step::Begun),
        2,
        "each asked for itself"
    );
}

#[test]
fn a_batch_that_is_sent_again_gets_the_same_bytes() {
    let under_test = service("");
    let endpoint = under_test.endpoint();
    let call = |id: u64, method: &str| {
        let params = Value::Array(vec![work(id, 50)]);
        Value::Array(vec![method.into(), params])
    };
    let calls = Value::Array(vec![call(1, "chaos.never"), call(2, "chaos.always")]);
    let batch = map([("calls", calls)]);
    let mut client = RawClient::connect(&endpoint);
    let session = token(&client.hello(None).expect("a session"));
    client.ask(1, "standin.batch", batch.clone());
    let first = client.answer(1);
    drop(client);
    let mut client = RawClient::connect(&endpoint);
    client.hello(Some(&session)).expect("the session lives");
    client.ask(1, "standin.batch", batch);
    assert_eq!(client.answer(1), first);
    assert_eq!(count(&under_test, 1, Step::Begun), 1);
}

#[test]
fn what_waits_for_the_first_workers_is_not_counted_twice_when_it_is_sent_again() {
    let program = crate::program();
    let under_test = UnderTest::serve(program, |folder| {
        "session_requests_max = 10\n".to_owned()
            + &hostile_pool("chaos", program, folder, 1, "", "slow_start")
    });
    // By then the service listens, and its workers are still on their way.
    drop(under_test.client());
    let endpoint = under_test.endpoint();
    let mut client = RawClient::connect(&endpoint);
    let session = token(&client.hello(None).expect("a session"));
    let ask_all = |client: &mut RawClient| {
        for id in 1..=8 {
            client.ask(id, "chaos.always", work(id, 0));
        }
    };
    ask_all(&mut client);
    drop(client);
    let mut client = RawClient::connect(&endpoint);
    client.hello(Some(&session)).expect("the session lives");
    ask_all(&mut client);
    for _ in 1..=8 {
        let answer = client.message().expect("the connection lives");
        assert!(answer[2].is_nil(), "{answer}");
        assert_eq!(answer[1], answer[3]);
    }
}

#[test]
fn a_client_that_has_as_many_calls_open_as_may_be_comes_back_at_once() {
    let program = crate::program();
    let under_test = UnderTest::serve(program, |folder| {
        "session_requests_max = 3\n".to_owned() + &hostile_pool("chaos", program, folder, 3, "", "")
    });
    under_test.client();
    let endpoint = under_test.endpoint();
    let mut client = RawClient::connect(&endpoint);
    let session = token(&client.hello(None).expect("a session"));
    let ask_all = |client: &mut RawClient| {
        for id in 1..=3 {
            client.ask(id, "chaos.never", work(id, 2000));
        }
    };
    ask_all(&mut client);
    eventually(LIMIT, "all have begun", || {
        (1..=3).all(|id| count(&under_test, id, Step::Begun) == 1)
    });
    drop(client);
    let mut client = RawClient::connect(&endpoint);
    let hello = client.hello(Some(&session)).expect("it is welcome");
    assert_eq!(field(&hello, "resumed"), &Value::Boolean(true));
    ask_all(&mut client);
    for _ in 1..=3 {
        let answer = client.message().expect("the connection lives");
        assert!(answer[2].is_nil(), "{answer}");
    }
}

#[test]
fn a_number_of_a_request_that_waits_for_the_first_workers_is_not_anothers() {
    let program = crate::program();
    let under_test = UnderTest::start(program, 1, "", "slow_start");
    drop(under_test.client());
    let mut client = RawClient::connect(&under_test.endpoint());
    client.hello(None).expect("a session");
    client.ask(1, "chaos.never", work(1, 0));
    client.ask(1, "chaos.never", work(2, 0));
    client.ask(1, "chaos.never", work(1, 0));
    let refused = client.answer(1).expect_err("it is another request");
    assert_eq!(code(&refused), "invalid_request");
    assert_eq!(outcome(&refused), "not_executed");
    assert_eq!(client.answer(1), Ok(1.into()));
    assert_eq!(count(&under_test, 1, Step::Begun), 1);
    assert_eq!(count(&under_test, 2, Step::Begun), 0);
}
