//! The session of another user.

use chaos_tests::raw_client::{RawClient, code, outcome, token};

use crate::{program, service};

/// A service that everybody may use and that serves, if the test of that name can be somebody else.
#[cfg(unix)]
fn for_everybody(test: &str) -> Option<chaos_tests::under_test::UnderTest> {
    use chaos_tests::{other_user::serve_everybody, under_test::hostile_pool};

    if !chaos_tests::platform::can_be_others(test) {
        return None;
    }
    let under_test = serve_everybody(program(), |folder| {
        hostile_pool("chaos", program(), folder, 1, "", "")
    });
    under_test.client();
    Some(under_test)
}

#[cfg(unix)]
#[test]
fn the_token_of_anothers_session_opens_nothing_while_its_owner_has_it() {
    use chaos_tests::{other_user::as_nobody, raw_client::field};
    use rmpv::Value;

    let Some(under_test) =
        for_everybody("the_token_of_anothers_session_opens_nothing_while_its_owner_has_it")
    else {
        return;
    };
    let endpoint = under_test.endpoint();
    let mut owner = RawClient::connect(&endpoint);
    let session = token(&owner.hello(None).expect("a session"));
    let refused = as_nobody(|| RawClient::connect(&endpoint).hello(Some(&session)));
    let refused = refused.expect_err("it is not theirs");
    assert_eq!(code(&refused), "session_denied");
    assert_eq!(outcome(&refused), "not_executed");
    // Its owner has not noticed, and can come back.
    owner.ask(1, "standin.ping", Value::Nil);
    assert_eq!(owner.answer(1), Ok("pong".into()));
    drop(owner);
    let hello = RawClient::connect(&endpoint).hello(Some(&session));
    let hello = hello.expect("it is welcome");
    assert_eq!(field(&hello, "resumed"), &Value::Boolean(true));
}

/// Who may change the service is told by each connection anew: on Windows a user's program may be an administrator's, and
/// the next one of the same user is none.
#[cfg(all(unix, debug_assertions))]
#[test]
fn a_session_may_do_what_the_connection_of_now_may_and_not_what_an_earlier_one_could() {
    use chaos_tests::{
        other_user::as_nobody,
        raw_client::{field, map},
    };
    use rmpv::Value;

    let Some(under_test) = for_everybody(
        "a_session_may_do_what_the_connection_of_now_may_and_not_what_an_earlier_one_could",
    ) else {
        return;
    };
    let endpoint = under_test.endpoint();
    let mut owner = RawClient::connect(&endpoint);
    let mut next_is_an_administrator = || owner.arm("administrator");
    let may_order = |client: &mut RawClient| {
        client.ask(1, "pool.start", map([("pool", "chaos".into())]));
        match client.answer(1) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(code(&error), "access_denied");
                false
            }
        }
    };
    let (mut client, session) = as_nobody(|| {
        let mut client = RawClient::connect(&endpoint);
        let session = token(&client.hello(None).expect("a session"));
        (client, session)
    });
    assert!(!may_order(&mut client));
    let comes_back = || as_nobody(|| RawClient::resume(&endpoint, &session));
    for is_administrator in [true, false, true] {
        if is_administrator {
            next_is_an_administrator();
        }
        let (mut client, hello) = comes_back();
        assert_eq!(field(&hello, "resumed"), &Value::Boolean(true));
        assert_eq!(may_order(&mut client), is_administrator);
    }
}

#[test]
fn the_token_of_anothers_session_opens_nothing_after_a_death_of_the_service() {
    let mut under_test = service("");
    let mut client = RawClient::connect(&under_test.endpoint());
    let session = token(&client.hello(None).expect("a session"));
    under_test.service.kill().expect("it lives");
    under_test.service.wait().expect("it dies");
    // From now on it is somebody else's, so that nobody has to be two users.
    let file = under_test.folder.path().join("state").join("standin.db");
    let database = rusqlite::Connection::open(file).expect("nobody else has it open");
    let changed = database.execute("UPDATE sessions SET user = 'somebody else'", []);
    assert!(changed.expect("it can be written") >= 1);
    database.close().expect("it can be closed");
    under_test.start_again(program());
    under_test.client();
    let mut client = RawClient::connect(&under_test.endpoint());
    let refused = client.hello(Some(&session)).expect_err("it is not ours");
    assert_eq!(code(&refused), "session_denied");
    assert_eq!(outcome(&refused), "not_executed");
    // Whoever insists gets a session of their own.
    let hello = client.hello(None).expect("a new one");
    assert_ne!(token(&hello), session);
}
