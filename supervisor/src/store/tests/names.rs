//! Keys, and attempts at jobs.

use super::*;

#[tokio::test]
async fn a_key_is_found_as_it_was_left_after_the_store_was_closed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (intended, complete, failed) = (key("a"), key("b"), key("c"));
    let handle = store.handle();
    assert_eq!(
        written(&handle, intent(RecordName::Key(intended.clone()))),
        Ok(())
    );
    assert_eq!(
        written(
            &handle,
            completion(RecordName::Key(complete.clone()), "sent")
        ),
        Ok(())
    );
    let error = Bytes::from_static(b"no such recipient");
    let write = Write::Completion {
        name: RecordName::Key(failed.clone()),
        fingerprint: fingerprint(),
        result: Err(error.clone()),
    };
    assert_eq!(written(&handle, write), Ok(()));
    store.close();

    let store = open(folder.path());
    let handle = store.handle();
    assert_eq!(
        key_state(&handle, &intended).await,
        Some(RecordState::Intent)
    );
    let found = look_up(&handle, complete).await.unwrap().unwrap();
    assert_eq!(found.state, done("sent"));
    assert_eq!(found.fingerprint, fingerprint());
    assert!(found.at > 1_700_000_000_000, "{}", found.at);
    assert_eq!(
        key_state(&handle, &failed).await,
        Some(RecordState::Done(Err(error)))
    );
    assert_eq!(key_state(&handle, &key("never used")).await, None);
}

#[tokio::test]
async fn of_a_call_without_an_answer_it_is_known_when_it_began_and_had_its_leave_and_in_which_process()
 {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let name = key("a");
    let record = RecordName::Key(name.clone());
    written(&store.handle(), intent(record.clone())).unwrap();
    let begun = look_up(&store.handle(), name.clone())
        .await
        .unwrap()
        .unwrap();
    let at = Some(begun.at);
    let by_7 = Evidence {
        begun: at,
        granted: None,
        by: by(7),
    };
    assert_eq!(begun.evidence, by_7);
    written(&store.handle(), grant(record.clone())).unwrap();
    store.close();

    let store = open(folder.path());
    let found = look_up(&store.handle(), name.clone())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.evidence.begun, found.evidence.by), (at, by(8)));
    assert!(found.evidence.granted >= at, "{found:?}");
    // Another attempt was about to have leave: what is told is of the last one.
    let again = Write::Grant {
        name: record,
        fingerprint: fingerprint(),
        by: by(9),
    };
    written(&store.handle(), again).unwrap();
    let found = look_up(&store.handle(), name).await.unwrap().unwrap();
    assert_eq!(found.state, RecordState::Granted);
    assert_eq!((found.evidence.begun, found.evidence.by), (at, by(9)));
}

#[tokio::test]
async fn the_same_key_of_another_user_or_method_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).handle();
    let name = key("a");
    written(&store, completion(RecordName::Key(name.clone()), "sent")).unwrap();
    let mut other_user = KeyName::clone(&name);
    other_user.user = "1001".to_owned();
    let mut other_method = KeyName::clone(&name);
    other_method.method = Bytes::from_static(b"http.get");
    for other in [other_user, other_method] {
        assert_eq!(key_state(&store, &Arc::new(other)).await, None);
    }
}

#[tokio::test]
async fn what_is_known_is_never_replaced_by_less() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).handle();
    let name = key("a");
    let record = || RecordName::Key(name.clone());
    let steps = [
        (intent(record()), RecordState::Intent),
        (grant(record()), RecordState::Granted),
        (intent(record()), RecordState::Granted),
        (completion(record(), "first"), done("first")),
        (completion(record(), "second"), done("first")),
        (grant(record()), done("first")),
        (Write::Forget(record()), done("first")),
    ];
    for (write, state) in steps {
        let what = format!("{write:?}");
        assert_eq!(written(&store, write), Ok(()), "{what}");
        assert_eq!(key_state(&store, &name).await, Some(state), "{what}");
    }
}

#[tokio::test]
async fn a_key_that_is_forgotten_is_free_for_whoever_asks_after_that() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).handle();
    let name = key("a");
    written(&store, intent(RecordName::Key(name.clone()))).unwrap();
    written(&store, Write::Forget(RecordName::Key(name.clone()))).unwrap();
    assert_eq!(key_state(&store, &name).await, None);
}

#[test]
fn attempts_at_a_job_are_kept_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let attempt = |attempt| RecordName::Job { job: 7, attempt };
    let handle = store.handle();
    for write in [
        intent(attempt(1)),
        completion(attempt(1), "busy"),
        intent(attempt(2)),
        Write::Forget(attempt(2)),
        intent(attempt(3)),
    ] {
        written(&handle, write).unwrap();
    }
    store.close();
    let database = rusqlite::Connection::open(folder.path().join("standin.db")).unwrap();
    let mut rows = database
        .prepare("SELECT attempt, state FROM attempts WHERE job = 7 ORDER BY attempt")
        .unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let rows: Vec<(u32, i64)> = rows.unwrap().map(Result::unwrap).collect();
    assert_eq!(rows, [(1, 3), (3, 1)]);
}

#[tokio::test]
async fn a_key_is_looked_up_while_the_store_writes_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).handle();
    let name = key("a");
    written(&store, completion(RecordName::Key(name.clone()), "sent")).unwrap();
    let (busy, is_busy) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let write = intent(RecordName::Key(key("b")));
    store.write(write, Durability::Power, move |_| {
        busy.send(()).unwrap();
        may_go_on.recv().unwrap();
    });
    is_busy.recv().unwrap();
    assert_eq!(key_state(&store, &name).await, Some(done("sent")));
    // What others were told of is there, also while they are being told.
    assert_eq!(
        key_state(&store, &key("b")).await,
        Some(RecordState::Intent)
    );
    go_on.send(()).unwrap();
    store.settle().await;
}
