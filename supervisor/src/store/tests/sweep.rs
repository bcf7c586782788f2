//! Old keys.

use super::*;
use crate::{clock, store::OldestKey};

fn before_in(seconds: u64) -> u64 {
    clock::unix_ms() + 1000 * seconds
}

#[tokio::test]
async fn an_old_key_loses_its_answer_and_is_known_to_have_been_used_for_ever() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let store = open(folder.path());
    let handle = store.handle();
    let (done, begun) = (key("done"), key("begun"));
    let names = [&done, &begun].map(|name| RecordName::Key(Arc::clone(name)));
    let complete = |name: &RecordName| Write::Completion {
        name: name.clone(),
        fingerprint: fingerprint(),
        result: Ok(Bytes::from_static(b"\x01")),
    };
    written(&handle, complete(&names[0])).expect("it is written");
    written(&handle, intent(names[1].clone())).expect("it is written");
    let expire = |before| Write::ExpireKeys { from: 0, before };
    // They are too young.
    written(&handle, expire(1)).expect("it is written");
    let oldest = handle.oldest_key(0).await.expect("the store is open");
    assert_eq!(oldest.map(|oldest| oldest.number), Some(1));
    written(&handle, expire(before_in(10))).expect("it is written");
    // Whatever comes late changes nothing.
    for name in &names {
        written(&handle, Write::Forget(name.clone())).expect("it is written");
        written(&handle, intent(name.clone())).expect("it is written");
        written(&handle, complete(name)).expect("it is written");
    }
    for name in [done, begun] {
        let stored = look_up(&handle, name).await.expect("the store is open");
        let stored = stored.expect("it is known");
        assert_eq!(stored.state, RecordState::Expired);
        assert_eq!(stored.fingerprint, fingerprint());
    }
    let oldest: Option<OldestKey> = handle.oldest_key(0).await.expect("the store is open");
    assert_eq!(oldest, None);
    store.close();
}
