//! What keeps the pools, the sessions or the keys fails as a whole: all of it is started again, and whoever has a session comes
//! back to it.

use chaos_tests::{
    raw_client::{RawClient, code, field, map, token, work},
    under_test::{UnderTest, eventually, hostile_pool},
};
use rmpv::Value;

use crate::{LIMIT, begun, program, service};

/// `ends_workers`: those that were there before are gone afterwards.
fn is_mended_and_clients_come_back_to_their_sessions(place: &str, ends_workers: bool) {
    let under_test = service();
    under_test.client();
    let endpoint = under_test.endpoint();
    let mut client = RawClient::connect(&endpoint);
    let session = token(&client.hello(None).expect("a session"));
    client.ask(1, "chaos.never", work(1, 0));
    assert_eq!(client.answer(1), Ok(1.into()));
    client.ask(2, "chaos.always", work(2, 300));
    client.ask(3, "chaos.never", work(3, 60_000));
    eventually(LIMIT, "both run", || {
        begun(&under_test, 2) == 1 && begun(&under_test, 3) == 1
    });
    let workers = under_test.descendants();

    client.arm(place);
    // The next newcomer, or whatever comes first, is what it fails at.
    drop(RawClient::connect(&endpoint));
    client.ask(10, "standin.ping", Value::Map(Vec::new()));
    while client.message().is_some() {}
    let (mut client, hello) = RawClient::resume(&endpoint, &session);
    assert_eq!(field(&hello, "resumed"), &Value::Boolean(true));
    client.ask(1, "chaos.never", work(1, 0));
    assert_eq!(client.answer(1), Ok(1.into()), "what was answered");
    assert_eq!(begun(&under_test, 1), 1);
    client.ask(2, "chaos.always", work(2, 300));
    assert_eq!(client.answer(2), Ok(2.into()), "what may run twice");
    client.ask(3, "chaos.never", work(3, 60_000));
    let error = client.answer(3).expect_err("nobody knows");
    assert_eq!(code(&error), "outcome_unknown");
    assert_eq!(begun(&under_test, 3), 1);
    if ends_workers {
        eventually(LIMIT, "the lost workers are gone", || {
            let alive = under_test.descendants();
            workers.iter().all(|pid| !alive.contains(pid))
        });
    }
    assert_eq!(under_test.zombies(), 0);
}

#[test]
fn the_failure_of_what_keeps_the_sessions_is_mended_and_clients_come_back_to_theirs() {
    is_mended_and_clients_come_back_to_their_sessions("sessions", true);
}

#[test]
fn the_failure_of_what_keeps_the_pools_is_mended_and_clients_come_back_to_their_sessions() {
    is_mended_and_clients_come_back_to_their_sessions("pools", true);
}

#[test]
fn the_failure_of_a_session_is_mended_and_its_client_comes_back_to_it() {
    is_mended_and_clients_come_back_to_their_sessions("session", false);
}

#[test]
fn the_failure_of_what_keeps_the_keys_is_mended_and_a_key_still_means_one_call() {
    let under_test = service();
    under_test.client();
    let mut client = RawClient::connect(&under_test.endpoint());
    let session = token(&client.hello(None).expect("a session"));
    let key = |key: &str| map([("key", key.into())]);
    let answered = |client: &mut RawClient| {
        client.ask_with(1, "chaos.never", work(1, 0), key("answered"));
        assert_eq!(client.answer(1), Ok(1.into()));
    };
    answered(&mut client);
    let running =
        |client: &mut RawClient| client.ask_with(2, "chaos.never", work(2, 60_000), key("running"));
    running(&mut client);
    eventually(LIMIT, "it has begun", || begun(&under_test, 2) == 1);
    // Somebody without a session waits for the same.
    let mut other = RawClient::connect(&under_test.endpoint());
    running(&mut other);
    other.ask(3, "standin.ping", map([]));
    assert_eq!(other.answer(3), Ok("pong".into()));

    client.ask(4, "standin.failpoint", map([("place", "keys".into())]));
    client.ask_with(5, "chaos.never", work(5, 0), key("new"));
    while client.message().is_some() {}
    while other.message().is_some() {}
    let (mut client, hello) = RawClient::resume(&under_test.endpoint(), &session);
    assert_eq!(field(&hello, "resumed"), &Value::Boolean(true));
    answered(&mut client);
    assert_eq!(begun(&under_test, 1), 1);
    running(&mut client);
    let error = client.answer(2).expect_err("nobody knows");
    assert_eq!(code(&error), "outcome_unknown");
    let mut other = RawClient::connect(&under_test.endpoint());
    running(&mut other);
    assert_eq!(other.answer(2), Err(error), "it is the same for all");
    assert_eq!(begun(&under_test, 2), 1);
    client.ask_with(5, "chaos.never", work(5, 0), key("new"));
    assert_eq!(client.answer(5), Ok(5.into()));
    assert_eq!(begun(&under_test, 5), 1, "it had not begun before");
}

#[test]
fn a_failed_session_that_nobody_comes_back_to_leaves_nothing_in_the_store() {
    for place in ["session", "sessions"] {
        let under_test = UnderTest::serve(program(), |folder| {
            let pool = hostile_pool("chaos", program(), folder, 1, "", "");
            format!("[sessions]\nlinger = '500ms'\n{pool}")
        });
        under_test.client();
        let mut client = RawClient::connect(&under_test.endpoint());
        let session = token(&client.hello(None).expect("a session"));
        client.ask(1, "chaos.never", work(1, 0));
        assert_eq!(client.answer(1), Ok(1.into()));
        let file = under_test.folder.path().join("state").join("standin.db");
        let database = rusqlite::Connection::open(file).expect("the store is there");
        database.busy_timeout(LIMIT).expect("it can be set");
        let count = |table: &str, column: &str| {
            let text = format!("SELECT count(*) FROM {table} WHERE lower(hex({column})) = ?1");
            let count = database.query_row(&text, [&session], |row| row.get::<_, u32>(0));
            count.expect("it can be asked")
        };
        assert_eq!(
            (count("sessions", "token"), count("requests", "session")),
            (1, 1)
        );
        client.arm(place);
        drop(RawClient::connect(&under_test.endpoint()));
        client.ask(10, "standin.ping", Value::Map(Vec::new()));
        while client.message().is_some() {}
        eventually(LIMIT, "nothing is left of it", || {
            (count("sessions", "token"), count("requests", "session")) == (0, 0)
        });
    }
}
