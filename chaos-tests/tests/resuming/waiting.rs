//! More sessions wait for their clients than may.

use chaos_tests::{
    raw_client::{RawClient, field, token, work},
    under_test::{UnderTest, eventually, hostile_pool, status},
};
use rmpv::Value;
use standin_client::blocking::Client;

use crate::{LIMIT, program, service};

/// A client that says hello and asks what it is to ask; then its connection is cut. Comes back with the token when so many
/// sessions wait.
fn come_and_go(under_test: &UnderTest, watching: &Client, waiting: u64, id: Option<u64>) -> String {
    let mut client = RawClient::connect(&under_test.endpoint());
    let session = token(&client.hello(None).expect("a session"));
    if let Some(id) = id {
        client.ask(1, "chaos.always", work(id, 0));
    }
    drop(client);
    eventually(LIMIT, "it waits", || {
        status(watching)["sessions_waiting"] == waiting
    });
    session
}

/// Whether the session is still there.
fn is_resumed(client: &mut RawClient, session: &str) -> bool {
    let hello = client.hello(Some(session)).expect("an answer");
    field(&hello, "resumed") == &Value::Boolean(true)
}

#[test]
fn when_too_many_sessions_wait_the_oldest_goes_and_no_other() {
    let under_test = service("waiting_max = 2");
    let watching = under_test.client();
    let sessions = [1, 2, 2].map(|waiting| come_and_go(&under_test, &watching, waiting, None));
    // They stay, so that none of them is one more that waits.
    let clients = sessions.map(|session| {
        let mut client = RawClient::connect(&under_test.endpoint());
        let is_resumed = is_resumed(&mut client, &session);
        (client, is_resumed)
    });
    assert_eq!(clients.map(|(_, resumed)| resumed), [false, true, true]);
}

#[test]
fn a_session_whose_request_waits_for_a_pool_is_not_given_up_for_another() {
    // What the pool offers is not known before its worker is given up.
    let under_test = UnderTest::serve(program(), |folder| {
        let pool = hostile_pool("chaos", program(), folder, 1, "", "never_hello");
        format!("[sessions]\nwaiting_max = 1\n{pool}")
    });
    let watching = under_test.client();
    let session = come_and_go(&under_test, &watching, 1, Some(1));
    come_and_go(&under_test, &watching, 2, None);
    let mut client = RawClient::connect(&under_test.endpoint());
    assert!(is_resumed(&mut client, &session));
}
