//! Sessions and the requests in them.

use super::*;

#[tokio::test]
async fn a_session_is_found_with_its_requests_after_the_store_was_closed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let token = SessionToken::random();
    let handle = store.handle();
    handle.post(session_opened(token));
    handle.post(intent(request(token, 0)));
    handle.post(grant(request(token, 1)));
    let of_batch = RecordName::Request {
        session: token,
        msgid: 1,
        item: 2,
    };
    handle.post(completion(of_batch, "two"));
    store.close();

    let store = open(folder.path()).handle();
    let found = store.load_session(token).await.unwrap().unwrap();
    assert_eq!((found.user.as_str(), found.acked), ("1000", None));
    let expected = [
        (0, 0, RecordState::Intent),
        (1, 0, RecordState::Granted),
        (1, 2, done("two")),
    ];
    assert_eq!(records(&store, token).await, expected);
    let stranger = store.load_session(SessionToken::random()).await;
    assert_eq!(stranger, Ok(None));
}

#[tokio::test]
async fn an_answer_that_was_read_is_gone_and_one_that_comes_after_that_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).handle();
    let token = SessionToken::random();
    let other = SessionToken::random();
    store.post(session_opened(token));
    store.post(session_opened(other));
    let large = u64::MAX - 1;
    for msgid in [0, 1, 2, 1 << 62, 1 << 63, large] {
        store.post(completion(request(token, msgid), "x"));
    }
    store.post(completion(request(other, 1), "x"));
    let left = async |up_to| {
        store.post(Write::Acked {
            session: token,
            up_to,
        });
        let records = records(&store, token).await;
        records.iter().map(|(msgid, ..)| *msgid).collect::<Vec<_>>()
    };
    assert_eq!(left(0).await, [1, 2, 1 << 62, 1 << 63, large]);
    assert_eq!(left(1).await, [2, 1 << 62, 1 << 63, large]);
    assert_eq!(left(1 << 63).await, [large]);
    // An older one changes nothing.
    assert_eq!(left(3).await, [large]);
    store.post(completion(request(token, 5), "late"));
    store.post(intent(request(token, 1 << 63)));
    let found = store.load_session(token).await.unwrap().unwrap();
    assert_eq!((found.acked, found.records.len()), (Some(1 << 63), 1));
    assert_eq!(records(&store, other).await, [(1, 0, done("x"))]);
}

#[tokio::test]
async fn a_session_that_ended_takes_its_requests_with_it_and_gets_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).handle();
    let (ended, other) = (SessionToken::random(), SessionToken::random());
    for token in [ended, other] {
        store.post(session_opened(token));
        store.post(completion(request(token, 1), "x"));
    }
    store.post(Write::SessionEnded(ended));
    store.post(completion(request(ended, 2), "late"));
    assert_eq!(store.load_session(ended).await, Ok(None));
    assert_eq!(records(&store, other).await.len(), 1);
    // Even the same token would begin with nothing.
    store.post(session_opened(ended));
    assert_eq!(records(&store, ended).await, []);
}

#[tokio::test]
async fn after_a_reboot_a_session_is_unknown_and_a_key_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let token = SessionToken::random();
    let handle = store.handle();
    handle.post(session_opened(token));
    written(&handle, intent(RecordName::Key(key("a")))).unwrap();
    store.close();
    let store = open_after(folder.path(), "next-boot").unwrap().handle();
    assert_eq!(store.load_session(token).await, Ok(None));
    assert_eq!(
        key_state(&store, &key("a")).await,
        Some(RecordState::Intent)
    );
}

#[tokio::test]
async fn what_had_begun_before_a_session_is_on_record_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).handle();
    let token = SessionToken::random();
    let begun = |msgid, item, is_granted| Begun {
        msgid,
        item,
        fingerprint: fingerprint(),
        is_granted,
    };
    let opened = Write::SessionOpened {
        token,
        user: "1000".to_owned(),
        begun: vec![begun(1, 0, false), begun(2, 3, true)],
    };
    // Its answer is quicker than the next look, and stays.
    assert_eq!(written(&store, opened.clone()), Ok(()));
    store.post(completion(request(token, 1), "one"));
    assert_eq!(written(&store, opened), Ok(()));
    let expected = [(1, 0, done("one")), (2, 3, RecordState::Granted)];
    assert_eq!(records(&store, token).await, expected);
}
