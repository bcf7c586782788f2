//! What is taken back, and what is forgotten.

use super::*;

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
