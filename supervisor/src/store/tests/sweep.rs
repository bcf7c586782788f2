//! Old keys.

use rusqlite::{Connection, StatementStatus};

use super::*;
use crate::{
    clock,
    store::{OldestKey, schema, sweep},
};

fn before_in(seconds: u64) -> u64 {
    clock::unix_ms() + 1000 * seconds
}

fn expire(before: u64) -> Write {
    Write::ExpireKeys { from: 0, before }
}

fn complete(name: &RecordName) -> Write {
    Write::Completion {
        name: name.clone(),
        fingerprint: fingerprint(),
        result: Ok(Bytes::from_static(b"\x01")),
    }
}

#[tokio::test]
async fn an_old_key_loses_its_answer_and_is_known_to_have_been_used_for_ever() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let store = open(folder.path());
    let handle = store.handle();
    let done = key("done");
    let name = RecordName::Key(Arc::clone(&done));
    written(&handle, complete(&name)).expect("it is written");
    // It is too young.
    written(&handle, expire(1)).expect("it is written");
    let oldest = handle.oldest_key(0).await.expect("the store is open");
    assert_eq!(oldest.map(|oldest| oldest.number), Some(1));
    written(&handle, expire(before_in(10))).expect("it is written");
    // Whatever comes late changes nothing.
    written(&handle, Write::Forget(name.clone())).expect("it is written");
    written(&handle, intent(name.clone())).expect("it is written");
    written(&handle, complete(&name)).expect("it is written");
    let stored = look_up(&handle, done).await.expect("the store is open");
    let stored = stored.expect("it is known");
    assert_eq!(stored.state, RecordState::Expired);
    assert_eq!(stored.fingerprint, fingerprint());
    let oldest: Option<OldestKey> = handle.oldest_key(0).await.expect("the store is open");
    assert_eq!(oldest, None);
    store.close();
}

#[tokio::test]
async fn what_has_not_ended_is_not_old_and_its_age_counts_from_its_end() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let store = open(folder.path());
    let handle = store.handle();
    let (long, refused, short) = (key("long"), key("refused"), key("short"));
    let name = |key: &Arc<KeyName>| RecordName::Key(Arc::clone(key));
    for key in [&long, &refused] {
        written(&handle, intent(name(key))).expect("it is written");
    }
    written(&handle, complete(&name(&short))).expect("it is written");
    let oldest = handle.oldest_key(0).await.expect("the store is open");
    let oldest = oldest.expect("one has ended");
    written(&handle, expire(before_in(10))).expect("it is written");
    let state = async |key: &Arc<KeyName>| {
        let stored = look_up(&handle, Arc::clone(key)).await;
        let stored = stored.expect("the store is open");
        stored.map(|stored| stored.state)
    };
    assert_eq!(state(&short).await, Some(RecordState::Expired));
    assert_eq!(state(&long).await, Some(RecordState::Intent));
    // A call that was not executed leaves its key free, however long it waited for that.
    written(&handle, Write::Forget(name(&refused))).expect("it is written");
    assert_eq!(state(&refused).await, None);
    written(&handle, complete(&name(&long))).expect("it is written");
    let done = RecordState::Done(Ok(Bytes::from_static(b"\x01")));
    assert_eq!(state(&long).await, Some(done));
    // Whoever has swept up to the short one finds it, as it ended later.
    let next = handle.oldest_key(oldest.number).await;
    let next = next.expect("the store is open").expect("one has ended");
    assert!(next.number > oldest.number && next.at >= oldest.at);
    store.close();
}

/// A database in which so many keys have an answer and one more, the last, a young one.
fn answered(keys: i64) -> Connection {
    let mut database = Connection::open_in_memory().unwrap();
    let transaction = database.transaction().unwrap();
    schema::migrate(&transaction, 0).unwrap();
    transaction.commit().unwrap();
    let text = "WITH RECURSIVE number(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM number WHERE id <= ?1)
        INSERT INTO keys (id, user, method, key, fingerprint, state, at, result)
        SELECT id, '1000', x'61', CAST(id AS BLOB), x'00', 3, iif(id > ?1, 1000, id % 1000), x'01' FROM number";
    database.execute(text, [keys]).unwrap();
    database
}

#[test]
fn the_first_look_of_a_life_passes_over_a_few_swept_keys_however_many_there_are() {
    let look = |keys| {
        let database = answered(keys);
        let (mut from, now) = (0, 2000);
        let young = loop {
            let oldest = sweep::oldest_key(&database, from).unwrap().unwrap();
            if oldest.at >= 1000 {
                break oldest;
            }
            from = oldest.number;
            sweep::expire(&database, from, 1000, now).unwrap();
        };
        assert_eq!(young.number, keys + 1);
        let statement = database.prepare_cached(sweep::OLDEST).unwrap();
        statement.reset_status(StatementStatus::VmStep);
        drop(statement);
        assert_eq!(sweep::oldest_key(&database, 0), Ok(Some(young)));
        let statement = database.prepare_cached(sweep::OLDEST).unwrap();
        statement.get_status(StatementStatus::VmStep)
    };
    let few = look(4000);
    assert!(few > 0, "it is counted");
    assert_eq!(look(40_000), few);
}
