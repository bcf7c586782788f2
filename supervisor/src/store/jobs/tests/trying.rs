//! From a lease to what is known of a try.

use super::*;

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
