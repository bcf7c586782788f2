//! Old keys.

use super::*;
use crate::{clock, store::OldestKey};

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
