//! What works beside an actor fails: a task, or the store's thread.

use chaos_tests::{
    ledger::{self, Step},
    raw_client::{RawClient, code, field, map, token},
    under_test::{UnderTest, eventually, status, worker_pids},
};
use rmpv::Value;

use crate::{LIMIT, LONG_MS, arm, begun, is_whole, program, service, start, told};

#[test]
fn a_listener_that_fails_is_started_again() {
    let under_test = service();
    let client = under_test.client();
    arm(&client, "listener");
    // The newcomer that it fails at is disconnected; the next one is served.
    let mut unlucky = RawClient::connect(&under_test.endpoint());
    assert_eq!(unlucky.message(), None);
    let pong: String = under_test
        .client()
        .call("standin.ping", &())
        .expect("it is served");
    assert_eq!(pong, "pong");
    assert!(
        under_test
            .log()
            .contains("the listener failed; it is started again")
    );
}

#[test]
fn a_connection_whose_reading_fails_is_closed_and_its_session_is_resumed() {
    let under_test = service();
    let endpoint = under_test.endpoint();
    under_test.client();
    let mut client = RawClient::connect(&endpoint);
    let session = token(&client.hello(None).expect("a session"));
    client.ask(9, "standin.failpoint", map([("place", "reading".into())]));
    assert_eq!(client.answer(9), Ok(true.into()));
    client.ask(10, "standin.ping", Value::Map(Vec::new()));
    assert_eq!(client.message(), None, "it is closed");
    let (_client, hello) = RawClient::resume(&endpoint, &session);
    assert_eq!(field(&hello, "resumed"), &Value::Boolean(true));
}

#[test]
fn a_worker_whose_pipe_is_no_longer_read_is_replaced_and_its_call_replayed() {
    let under_test = service();
    let client = under_test.client();
    eventually(LIMIT, "both pools are whole", || is_whole(&client));
    let workers = worker_pids(&client, "chaos");
    for slot in 0..3 {
        arm(&client, &format!("worker_pipe/{slot}"));
    }
    // Its answer is what the reading fails at.
    let call = start(&client, "chaos.always", 1, 1);
    assert_eq!(told(&client, call), Ok(1));
    assert!(begun(&under_test, 1) > 1, "it was made again");
    eventually(LIMIT, "the worker is replaced", || {
        let now = worker_pids(&client, "chaos");
        is_whole(&client) && workers.iter().any(|pid| !now.contains(pid))
    });
    assert_eq!(status(&client)["requests"]["failed"], 0);
}

/// The place in the store fails while it writes down the answer to a call.
fn the_service_ends_and_the_next_one_answers(place: &str) -> (UnderTest, Result<Value, Value>) {
    let mut under_test = service();
    let endpoint = under_test.endpoint();
    under_test.client();
    let mut client = RawClient::connect(&endpoint);
    let session = token(&client.hello(None).expect("a session"));
    let work = || {
        map([
            ("id", 1.into()),
            ("nonce", 1.into()),
            ("work_ms", LONG_MS.into()),
        ])
    };
    client.ask(1, "chaos.until_effect", work());
    eventually(LIMIT, "it has begun", || begun(&under_test, 1) == 1);
    client.ask(9, "standin.failpoint", map([("place", place.into())]));
    assert_eq!(client.answer(9), Ok(true.into()));
    assert_eq!(
        client.message(),
        None,
        "nothing is answered that is not kept"
    );
    let exit = under_test.service.wait().expect("it ends");
    assert_eq!(exit.code(), Some(74), "{}", under_test.log());
    under_test.start_again(program());
    under_test.client();
    let (mut client, hello) = RawClient::resume(&endpoint, &session);
    assert_eq!(field(&hello, "resumed"), &Value::Boolean(true));
    client.ask(1, "chaos.until_effect", work());
    let answer = client.answer(1);
    (under_test, answer)
}

fn effects(under_test: &UnderTest) -> usize {
    let ledger = ledger::read(&under_test.ledger());
    let of = ledger.get(&1).map_or(&[][..], Vec::as_slice);
    of.iter().filter(|entry| entry.step == Step::Effect).count()
}

#[test]
fn a_store_that_fails_before_it_has_written_a_grant_grants_nothing_and_the_call_is_made_again() {
    let (under_test, answer) = the_service_ends_and_the_next_one_answers("store");
    assert_eq!(answer, Ok(1.into()));
    assert_eq!(effects(&under_test), 1);
}

#[test]
fn a_store_that_fails_after_it_has_written_a_grant_leaves_a_call_of_which_nobody_knows() {
    let (under_test, answer) = the_service_ends_and_the_next_one_answers("store_told");
    assert_eq!(code(&answer.expect_err("nobody knows")), "outcome_unknown");
    assert_eq!(effects(&under_test), 0, "as it happens");
}

#[test]
fn a_failed_look_for_a_key_ends_the_service_and_the_next_one_makes_the_call_once() {
    let mut under_test = service();
    let endpoint = under_test.endpoint();
    under_test.client();
    let work = || map([("id", 1.into()), ("nonce", 1.into())]);
    let key = || map([("key", "order".into())]);
    let mut client = RawClient::connect(&endpoint);
    let place = map([("place", "store_looks".into())]);
    client.ask(9, "standin.failpoint", place);
    assert_eq!(client.answer(9), Ok(true.into()));
    client.ask_with(1, "chaos.never", work(), key());
    let exit = under_test.service.wait().expect("it ends");
    assert_eq!(exit.code(), Some(74), "{}", under_test.log());
    assert_eq!(begun(&under_test, 1), 0);
    under_test.start_again(program());
    under_test.client();
    let mut client = RawClient::connect(&endpoint);
    client.ask_with(1, "chaos.never", work(), key());
    assert_eq!(client.answer(1), Ok(1.into()));
    assert_eq!(begun(&under_test, 1), 1);
}

#[test]
fn a_failed_list_of_jobs_ends_the_service_and_the_next_one_lists_them() {
    let mut under_test = service();
    let endpoint = under_test.endpoint();
    under_test.client();
    let mut client = RawClient::connect(&endpoint);
    let later = [
        ("method", "chaos.never".into()),
        ("run_at", (1_u64 << 42).into()),
    ];
    client.ask(1, "job.submit", map(later));
    client.answer(1).expect("it is taken");
    let place = map([("place", "store_lists".into())]);
    client.ask(9, "standin.failpoint", place);
    assert_eq!(client.answer(9), Ok(true.into()));
    client.ask(2, "job.list", Value::Map(Vec::new()));
    let exit = under_test.service.wait().expect("it ends");
    assert_eq!(exit.code(), Some(74), "{}", under_test.log());
    under_test.start_again(program());
    under_test.client();
    let mut client = RawClient::connect(&endpoint);
    client.ask(2, "job.list", Value::Map(Vec::new()));
    let jobs = client.answer(2).expect("they are listed");
    assert_eq!(jobs.as_array().map(Vec::len), Some(1), "{jobs}");
}
