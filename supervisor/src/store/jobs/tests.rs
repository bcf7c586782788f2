//! Jobs in a real database in a temporary folder.

mod ending;
mod plans;
mod reading;
mod submitting;
mod trying;

use standin_core::jobs::LaneKind;

use super::*;
use crate::store::{Durability, Refusal, Store, StoreHandle, Write};

impl Default for JobPage {
    /// Of all jobs, the newest few.
    fn default() -> JobPage {
        JobPage {
            user: None,
            state: None,
            after: None,
            limit: 10,
            bytes_max: usize::MAX,
        }
    }
}

const RETRY: RetryPolicy = RetryPolicy {
    attempts_max: 25,
    backoff: std::time::Duration::from_secs(60),
    backoff_max: std::time::Duration::from_secs(7200),
};

fn new(id: i64, key: Option<&'static [u8]>, params: &'static [u8]) -> NewJob {
    NewJob {
        name: JobName {
            id: JobId(id),
            tag: u64::MAX - id as u64,
        },
        user: "1000".to_owned(),
        method: Bytes::from_static(b"mail.send"),
        params: Bytes::from_static(params),
        fingerprint: Fingerprint::of(b"mail.send", params),
        key: key.map(Bytes::from_static),
        due: Due::AtOnce,
        retry: RETRY,
        timeout_ms: None,
    }
}

fn lane(kind: LaneKind) -> standin_core::jobs::LaneName {
    standin_core::jobs::LaneName {
        user: "1000".into(),
        method: Bytes::from_static(b"mail.send"),
        kind,
    }
}

fn lease(id: i64, due: Due) -> JobWrite {
    JobWrite::Leased {
        job: JobId(id),
        due,
        unrecorded: false,
    }
}

async fn write(store: &StoreHandle, write: JobWrite) {
    let (tell, told) = tokio::sync::oneshot::channel();
    store.write(Write::Job(write), Durability::Power, |result| {
        let _ = tell.send(result);
    });
    assert_eq!(told.await, Ok(Ok::<_, Refusal>(())));
}

async fn submit(store: &StoreHandle, job: NewJob) -> Submitted {
    let (name, key) = (job.name, job.key.clone().unwrap_or_default());
    let (user, method, fingerprint) = (job.user.clone(), job.method.clone(), job.fingerprint);
    write(store, JobWrite::Submitted(Box::new(job))).await;
    if key.is_empty() {
        return Submitted::New;
    }
    let submitted = store.submitted_job(name, user, method, key, fingerprint);
    let submitted = submitted.await.expect("it is open");
    submitted.expect("it was not refused")
}

async fn state(store: &StoreHandle, job: &NewJob) -> JobState {
    let row = store.job(job.name).await.expect("it is open");
    row.expect("it is known").state
}

fn open(folder: &std::path::Path) -> Store {
    let instance = crate::store::SessionToken::random().to_string();
    Store::open(folder, |_| "this-boot".to_owned(), &instance).expect("the folder is ours")
}

fn again(id: i64, due: Due, pause: Duration) -> JobWrite {
    JobWrite::Settled {
        job: JobId(id),
        attempt: 1,
        next: Next::Again {
            due,
            pause,
            failures: 1,
            interrupted: 0,
        },
        outcome: Outcome::NotExecuted,
        answer: Some(Err(Bytes::from_static(b"\xa2no"))),
        so_far: None,
    }
}
