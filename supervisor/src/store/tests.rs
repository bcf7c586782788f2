//! What the store promises, on a real database in a temporary folder.

mod full;
mod instances;
mod names;
mod opening;
mod processes;
mod sessions;
mod stale;
mod suspect;
mod sweep;
mod upkeep;

use std::{
    path::Path,
    sync::{Arc, mpsc},
};

use bytes::Bytes;
use standin_core::{
    JobId,
    jobs::{Due, RetryPolicy},
};

use super::{
    Begun, By, Durability, Evidence, Fingerprint, JobName, JobPage, JobWrite, KeyName, NewJob,
    RecordName, RecordState, Refusal, SessionToken, Store, StoreError, StoreHandle, StoredKey,
    Write, back_up,
};

fn open(folder: &Path) -> Store {
    open_after(folder, "this-boot").expect("the folder is ours")
}

/// The store of another run of the service, on this run of the machine.
fn open_after(folder: &Path, boot: &str) -> Result<Store, StoreError> {
    let instance = SessionToken::random().to_string();
    Store::open(folder, |_| boot.to_owned(), &instance)
}

/// What became of a write.
fn written(store: &StoreHandle, write: Write) -> Result<(), Refusal> {
    let (tell, told) = mpsc::channel();
    store.write(write, Durability::Power, move |result| {
        tell.send(result).expect("it is waited for");
    });
    told.recv().expect("each write is answered")
}

fn session_opened(token: SessionToken) -> Write {
    Write::SessionOpened {
        token,
        user: "1000".to_owned(),
        begun: Vec::new(),
    }
}

fn request(session: SessionToken, msgid: u64) -> RecordName {
    RecordName::Request {
        session,
        msgid,
        item: 0,
    }
}

fn key(key: &str) -> Arc<KeyName> {
    Arc::new(KeyName {
        user: "1000".to_owned(),
        method: Bytes::from_static(b"mail.send"),
        key: Bytes::copy_from_slice(key.as_bytes()),
    })
}

fn fingerprint() -> Fingerprint {
    Fingerprint::of(b"mail.send", b"\x90")
}

fn intent(name: RecordName) -> Write {
    Write::Intent {
        name,
        fingerprint: fingerprint(),
        by: by(7),
    }
}

/// The process of that number, in its first attempt.
fn by(pid: u32) -> By {
    By {
        pid: Some(pid),
        attempt: Some(1),
    }
}

fn grant(name: RecordName) -> Write {
    Write::Grant {
        name,
        fingerprint: fingerprint(),
        by: by(8),
    }
}

fn completion(name: RecordName, result: &'static str) -> Write {
    Write::Completion {
        name,
        fingerprint: fingerprint(),
        result: Ok(Bytes::from_static(result.as_bytes())),
    }
}

fn done(result: &'static str) -> RecordState {
    RecordState::Done(Ok(Bytes::from_static(result.as_bytes())))
}

/// A job of that number and so much to do.
fn submitted(id: i64, size: usize) -> JobWrite {
    JobWrite::Submitted(Box::new(NewJob {
        name: JobName::new(JobId(id)),
        user: "1000".to_owned(),
        method: Bytes::from_static(b"mail.send"),
        params: Bytes::from(vec![7; size]),
        fingerprint: fingerprint(),
        key: None,
        due: Due::AtOnce,
        retry: RetryPolicy::default(),
        timeout_ms: None,
    }))
}

async fn look_up(store: &StoreHandle, name: Arc<KeyName>) -> Result<Option<StoredKey>, Refusal> {
    let (tell, told) = tokio::sync::oneshot::channel();
    store.look_up_key(name, |found| tell.send(found).expect("it is waited for"));
    told.await.expect("each look-up is answered")
}

async fn key_state(store: &StoreHandle, name: &Arc<KeyName>) -> Option<RecordState> {
    let found = look_up(store, Arc::clone(name)).await;
    found.expect("the store is open").map(|key| key.state)
}

/// Message, item and state of what is kept of a session.
async fn records(store: &StoreHandle, token: SessionToken) -> Vec<(u64, u32, RecordState)> {
    let session = store.load_session(token).await.expect("the store is open");
    let records = session.expect("it is known").records.into_iter();
    records
        .map(|record| (record.msgid, record.item, record.state))
        .collect()
}
