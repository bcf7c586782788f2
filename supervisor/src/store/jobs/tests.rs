use standin_core::jobs::LaneKind;

use super::*;
use crate::store::{Durability, Refusal, Store, StoreHandle, Write};

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

#[tokio::test]
async fn a_job_is_found_again_in_the_next_life_with_all_that_was_asked() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(folder.path());
    let job = new(1, None, b"\x91\x01");
    submit(&store.handle(), job.clone()).await;
    store.close();
    let store = open(folder.path());
    let handle = store.handle();
    let recovered = handle.recover_jobs().await.expect("it is open");
    assert_eq!(recovered.last, 1);
    assert_eq!(recovered.lanes, [lane(LaneKind::AtOnce)]);
    assert!(recovered.leased.is_empty());
    let due = Due::AtOnce;
    write(&handle, lease(1, due)).await;
    let leased = handle.leased_job(JobId(1)).await.expect("it is open");
    let leased = leased.expect("it is leased");
    assert_eq!((leased.name, &leased.params), (job.name, &job.params));
    assert_eq!((leased.lease.attempt, leased.lease.retry), (1, RETRY));
    store.close();
    let store = open(folder.path());
    let recovered = store.handle().recover_jobs().await.expect("it is open");
    assert_eq!(recovered.lanes, []);
    assert_eq!(recovered.leased.len(), 1);
    assert_eq!(recovered.leased[0].1, None, "nothing is on record of it");
}

#[tokio::test]
async fn a_key_gives_the_same_job_again_and_refuses_another_payload() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(folder.path());
    let store = store.handle();
    let key = Some(&b"korder-1"[..]);
    let first = new(1, key, b"\x91\x01");
    assert_eq!(submit(&store, first.clone()).await, Submitted::New);
    let again = submit(&store, new(2, key, b"\x91\x01")).await;
    assert_eq!(again, Submitted::Same(first.name));
    let other = submit(&store, new(3, key, b"\x91\x02")).await;
    assert_eq!(other, Submitted::Conflict);
    let jobs = store.jobs(JobPage {
        limit: 10,
        ..JobPage::default()
    });
    let jobs = jobs.await.expect("it is open");
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].key.as_deref(), Some(&b"order-1"[..]));
}

#[tokio::test]
async fn a_job_is_leased_once_and_only_as_it_waits() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(folder.path());
    let store = store.handle();
    let job = new(1, None, b"\x90");
    submit(&store, job.clone()).await;
    let later = Due::Retry(WallTime(5));
    write(&store, lease(1, later)).await;
    assert_eq!(state(&store, &job).await, JobState::Queued);
    for _ in 0..2 {
        let due = Due::AtOnce;
        write(&store, lease(1, due)).await;
    }
    let leased = store.leased_job(JobId(1)).await.expect("it is open");
    assert_eq!(leased.map(|job| job.lease.attempt), Some(1));
}

#[tokio::test]
async fn an_answer_of_another_attempt_settles_nothing_and_the_right_one_all() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(folder.path());
    let store = store.handle();
    let job = new(1, None, b"\x90");
    submit(&store, job.clone()).await;
    let due = Due::AtOnce;
    write(&store, lease(1, due)).await;
    let settled = |attempt, next| JobWrite::Settled {
        job: JobId(1),
        attempt,
        next,
        outcome: Outcome::Executed,
        answer: Some(Ok(Bytes::from_static(b"\xc3"))),
        so_far: None,
    };
    write(&store, settled(7, Next::Dead)).await;
    assert_eq!(state(&store, &job).await, JobState::Running);
    write(&store, settled(1, Next::Done)).await;
    write(&store, settled(1, Next::Dead)).await;
    let stored = store.job_result(job.name).await.expect("it is open");
    let stored = stored.expect("it is known");
    assert_eq!(stored.row.state, JobState::Done);
    assert_eq!(stored.result.as_deref(), Some(&b"\xc3"[..]));
    assert!(stored.row.ended.is_some());
}

#[tokio::test]
async fn what_one_try_has_done_is_told_to_every_later_one() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(folder.path());
    let store = store.handle();
    submit(&store, new(1, None, b"\x90")).await;
    let mut due = Due::AtOnce;
    for (attempt, so_far) in [(1, Some(&b"\x07"[..])), (2, None), (3, None)] {
        write(&store, lease(1, due)).await;
        let leased = store.leased_job(JobId(1)).await.expect("it is open");
        let known = leased.expect("it is leased").so_far;
        assert_eq!(known.is_some(), attempt > 1);
        due = Due::Retry(WallTime(u64::from(attempt)));
        let again = JobWrite::Settled {
            job: JobId(1),
            attempt,
            next: Next::Again {
                due,
                pause: Duration::ZERO,
                failures: attempt,
                interrupted: 0,
            },
            outcome: Outcome::Executed,
            answer: Some(Err(Bytes::from_static(b"\xa2no"))),
            so_far: so_far.map(Bytes::from_static),
        };
        write(&store, again).await;
    }
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

#[tokio::test]
async fn a_pause_between_two_tries_is_as_long_as_it_was_meant_though_the_clock_was_wrong() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(folder.path());
    let store = store.handle();
    let (then, pause) = (WallTime(1 << 40), Duration::from_secs(60));
    submit(&store, new(1, None, b"\x90")).await;
    write(&store, lease(1, Due::AtOnce)).await;
    write(&store, again(1, Due::Retry(then + pause), pause)).await;
    let bound = async |now, set_back| {
        write(&store, JobWrite::RetriesBounded { now, set_back }).await;
        let waiting = store.waiting_jobs(lane(LaneKind::Retry), 10).await;
        waiting.expect("it is open")[0].0
    };
    let hour = Duration::from_secs(3600);
    assert_eq!(bound(then, Duration::ZERO).await, then + pause);
    // Twenty seconds later the clock is set back by an hour.
    let now = (then + Duration::from_secs(20)).earlier(hour);
    assert_eq!(bound(now, hour).await, now + Duration::from_secs(40));
    // It was set back while no service was there to notice.
    let now = WallTime(1000);
    assert_eq!(bound(now, Duration::ZERO).await, now + pause);
}

#[tokio::test]
async fn a_job_taken_back_while_it_ran_has_no_next_try_whoever_decides_on_one() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(folder.path());
    let store = store.handle();
    let job = new(1, None, b"\x90");
    submit(&store, job.clone()).await;
    write(&store, lease(1, Due::AtOnce)).await;
    write(&store, JobWrite::CancelRequested(JobId(1))).await;
    let due = Due::Retry(WallTime(1 << 50));
    write(&store, again(1, due, Duration::from_secs(60))).await;
    let row = store.job(job.name).await.expect("it is open");
    let row = row.expect("it is known");
    assert_eq!(row.state, JobState::Cancelled);
    assert!(row.ended.is_some());
}

#[tokio::test]
async fn what_a_job_may_have_done_is_known_when_it_was_sent_again_and_taken_back() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(folder.path());
    let store = store.handle();
    let job = new(1, None, b"\x90");
    submit(&store, job.clone()).await;
    let outcome = async || {
        let row = store.job(job.name).await.expect("it is open");
        row.expect("it is known").outcome
    };
    assert_eq!(outcome().await, Outcome::NotExecuted);
    write(&store, lease(1, Due::AtOnce)).await;
    let settled = JobWrite::Settled {
        job: JobId(1),
        attempt: 1,
        next: Next::Unknown,
        outcome: Outcome::Unknown,
        answer: None,
        so_far: None,
    };
    write(&store, settled).await;
    write(&store, JobWrite::SentAgain(JobId(1))).await;
    write(&store, JobWrite::CancelRequested(JobId(1))).await;
    assert_eq!(state(&store, &job).await, JobState::Cancelled);
    assert_eq!(outcome().await, Outcome::Unknown);
}

#[tokio::test]
async fn a_job_that_may_be_begun_with_nothing_on_record_is_known_for_it_in_the_next_life() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(folder.path());
    submit(&store.handle(), new(1, None, b"\x90")).await;
    let leased = JobWrite::Leased {
        job: JobId(1),
        due: Due::AtOnce,
        unrecorded: true,
    };
    write(&store.handle(), leased).await;
    store.close();
    let store = open(folder.path());
    let recovered = store.handle().recover_jobs().await.expect("it is open");
    assert!(recovered.leased[0].0.lease.unrecorded);
}

#[test]
fn a_row_of_before_outcomes_were_kept_is_believed_by_its_last_error() {
    use rusqlite::types::ValueRef;
    use standin_protocol::{ErrorAnswer, ErrorCode};
    let error = ErrorAnswer::new(ErrorCode::WorkerLost, "").with_outcome(Outcome::Executed);
    let error = error.encode();
    for (number, error, outcome) in [
        (None, ValueRef::Null, Outcome::NotExecuted),
        (None, ValueRef::Blob(&error), Outcome::Executed),
        (Some(0), ValueRef::Blob(&error), Outcome::NotExecuted),
        (Some(1), ValueRef::Null, Outcome::Unknown),
        (Some(2), ValueRef::Null, Outcome::Executed),
    ] {
        assert_eq!(row::outcome(number, error), outcome, "{number:?}");
    }
}

#[tokio::test]
async fn taking_back_ends_what_waits_and_marks_what_runs() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(folder.path());
    let store = store.handle();
    let (waits, runs) = (new(1, None, b"\x90"), new(2, None, b"\x90"));
    submit(&store, waits.clone()).await;
    submit(&store, runs.clone()).await;
    let due = Due::AtOnce;
    write(&store, lease(2, due)).await;
    for id in [1, 2] {
        write(&store, JobWrite::CancelRequested(JobId(id))).await;
    }
    assert_eq!(state(&store, &waits).await, JobState::Cancelled);
    let leased = store.leased_job(JobId(2)).await.expect("it is open");
    assert!(leased.expect("it runs").lease.cancel_requested);
}

#[tokio::test]
async fn what_ended_long_ago_is_forgotten_but_not_that_its_key_was_used() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(folder.path());
    let store = store.handle();
    let (plain, keyed, open) = (
        new(1, None, b"\x90"),
        new(2, Some(b"kkey"), b"\x90"),
        new(3, None, b"\x90"),
    );
    for job in [&plain, &keyed, &open] {
        submit(&store, job.clone()).await;
    }
    for id in [1, 2] {
        write(&store, JobWrite::CancelRequested(JobId(id))).await;
    }
    let all = WallTime(u64::MAX);
    let purged = JobWrite::Purged {
        ended_before: all,
        failed_before: all,
    };
    write(&store, purged).await;
    assert_eq!(store.job(plain.name).await, Ok(None));
    assert_eq!(store.job(keyed.name).await, Ok(None));
    assert_eq!(state(&store, &open).await, JobState::Queued);
    let again = submit(&store, new(4, Some(b"kkey"), b"\x90")).await;
    assert_eq!(again, Submitted::Expired);
}

#[tokio::test]
async fn a_list_is_of_one_user_and_goes_on_where_it_ended() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(folder.path());
    let store = store.handle();
    for id in 1..=5 {
        let user = if id == 3 { "other" } else { "1000" };
        let job = NewJob {
            user: user.to_owned(),
            ..new(id, None, b"\x90")
        };
        submit(&store, job).await;
    }
    let page = JobPage {
        user: Some("1000".to_owned()),
        state: Some(JobState::Queued),
        after: None,
        limit: 3,
    };
    let ids = |rows: Vec<JobRow>| rows.iter().map(|row| row.name.id.0).collect::<Vec<_>>();
    let first = store.jobs(page.clone()).await.expect("it is open");
    assert_eq!(ids(first), [5, 4, 2]);
    let after = Some(JobId(2));
    let rest = store.jobs(JobPage { after, ..page }).await;
    assert_eq!(ids(rest.expect("it is open")), [1]);
}

#[test]
fn a_name_reads_as_it_was_shown_and_nonsense_is_none() {
    let name = JobName::new(JobId(17));
    assert_eq!(JobName::parse(name.to_string().as_bytes()), Some(name));
    for text in [
        "",
        "17",
        "17-",
        "x-0000000000000000",
        "17-00",
        "+7-0000000000000000",
    ] {
        assert_eq!(JobName::parse(text.as_bytes()), None, "{text}");
    }
}

#[tokio::test]
async fn a_submission_that_was_refused_is_not_found_and_breaks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).handle();
    let name = JobName::new(JobId(1));
    let fingerprint = Fingerprint::of(b"mail.send", b"\x90");
    let (method, key) = (Bytes::from_static(b"mail.send"), Bytes::from_static(b"kx"));
    let found = store.submitted_job(name, "1000".to_owned(), method, key, fingerprint);
    assert_eq!(found.await, Ok(None));
    assert_eq!(store.job(name).await, Ok(None));
}
