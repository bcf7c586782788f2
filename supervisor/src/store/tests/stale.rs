//! Sessions that nobody comes back to, and the room that is given back.

use std::time::Duration;

use super::*;

/// A store with two sessions of an earlier run, each with a request.
fn two_sessions(folder: &Path) -> [SessionToken; 2] {
    let store = open(folder);
    let tokens = [SessionToken::random(), SessionToken::random()];
    for token in tokens {
        store.handle().post(session_opened(token));
        store.handle().post(completion(request(token, 1), "x"));
    }
    store.close();
    tokens
}

/// How many rows there are, seen from outside.
fn count(folder: &Path, table: &str) -> u32 {
    let database = rusqlite::Connection::open(folder.join("standin.db")).unwrap();
    database.busy_timeout(Duration::from_secs(5)).unwrap();
    let text = format!("SELECT count(*) FROM {table}");
    database.query_row(&text, [], |row| row.get(0)).unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has nothing else to wait for"
)]
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = crate::clock::now();
    while !holds() {
        assert!(
            start.elapsed().as_secs() < 30,
            "it never came true that {what}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test]
async fn a_session_that_nobody_comes_back_to_goes_and_one_that_was_asked_for_stays() {
    let folder = tempfile::tempdir().unwrap();
    let [resumed, left] = two_sessions(folder.path());
    let store = open(folder.path());
    let handle = store.handle();
    assert!(
        handle.load_session(left).await.unwrap().is_some(),
        "not yet"
    );
    store.close();

    let store = open(folder.path());
    let handle = store.handle();
    handle.wait_for_sessions(Duration::from_millis(300));
    assert_eq!(records(&handle, resumed).await.len(), 1);
    eventually("the other is gone", || {
        count(folder.path(), "sessions") == 1
    });
    assert_eq!(count(folder.path(), "requests"), 1);
    assert_eq!(handle.load_session(left).await, Ok(None));
    assert_eq!(records(&handle, resumed).await.len(), 1);
}

#[tokio::test]
async fn a_session_whose_actor_has_failed_goes_when_its_time_is_over_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).handle();
    let [failed, resumed, later, lives] = [(); 4].map(|()| SessionToken::random());
    for token in [failed, resumed, later, lives] {
        store.post(session_opened(token));
    }
    store.wait_for_session(later, Duration::from_secs(600));
    store.wait_for_session(failed, Duration::from_millis(200));
    store.wait_for_session(resumed, Duration::from_millis(200));
    assert!(store.load_session(resumed).await.unwrap().is_some());
    eventually("one is gone", || count(folder.path(), "sessions") == 3);
    assert_eq!(store.load_session(failed).await, Ok(None));
    for token in [resumed, later, lives] {
        assert!(store.load_session(token).await.unwrap().is_some());
    }
}

#[test]
fn sessions_from_before_a_reboot_go_as_well() {
    let folder = tempfile::tempdir().unwrap();
    two_sessions(folder.path());
    let store = open_after(folder.path(), "next-boot").unwrap();
    store.handle().wait_for_sessions(Duration::ZERO);
    eventually("they are gone", || count(folder.path(), "sessions") == 0);
    assert_eq!(count(folder.path(), "requests"), 0);
}

#[test]
fn room_that_is_no_longer_needed_is_given_back_while_nobody_waits() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let handle = store.handle();
    let token = SessionToken::random();
    handle.post(session_opened(token));
    for msgid in 0..20 {
        let write = Write::Completion {
            name: request(token, msgid),
            fingerprint: fingerprint(),
            result: Ok(Bytes::from(vec![7; 1 << 20])),
        };
        written(&handle, write).unwrap();
    }
    let size = || folder.path().join("standin.db").metadata().unwrap().len() >> 20;
    eventually("it is all in the database", || size() >= 20);
    handle.post(Write::SessionEnded(token));
    eventually("the file is small again", || size() < 12);
}
