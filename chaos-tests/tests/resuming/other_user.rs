//! The session of another user.

use chaos_tests::raw_client::{RawClient, code, outcome, token};

use crate::{program, service};

#[cfg(unix)]
#[test]
fn the_token_of_anothers_session_opens_nothing_while_its_owner_has_it() {
    use std::os::unix::fs::PermissionsExt;

    use chaos_tests::{
        raw_client::field,
        under_test::{UnderTest, hostile_pool},
    };
    use rmpv::Value;

    if !chaos_tests::platform::can_be_others(
        "the_token_of_anothers_session_opens_nothing_while_its_owner_has_it",
    ) {
        return;
    }
    let under_test = UnderTest::serve(program(), |folder| {
        // Whoever is on the machine may use this service.
        let everybody = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder, everybody).expect("it is ours");
        format!(
            "mode = '0666'\n{}",
            hostile_pool("chaos", program(), folder, 1, "", "")
        )
    });
    under_test.client();
    let endpoint = under_test.endpoint();
    let mut owner = RawClient::connect(&endpoint);
    let session = token(&owner.hello(None).expect("a session"));
    let (stolen, at) = (session.clone(), endpoint.clone());
    let others = std::thread::spawn(move || {
        let nobody = rustix::process::Uid::from_raw(65534);
        rustix::thread::set_thread_res_uid(nobody, nobody, nobody).expect("root may do that");
        RawClient::connect(&at).hello(Some(&stolen))
    });
    let refused = others.join().expect("it is answered");
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
