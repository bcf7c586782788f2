//! What whoever asks sees.

use std::sync::mpsc;

use super::*;
use crate::store::KeyName;

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
        limit: 3,
        ..JobPage::default()
    };
    let ids = |rows: Vec<JobRow>| rows.iter().map(|row| row.name.id.0).collect::<Vec<_>>();
    let first = store.jobs(page.clone()).await.expect("it is open");
    assert_eq!(ids(first), [5, 4, 2]);
    let after = Some(JobId(2));
    let rest = store.jobs(JobPage { after, ..page }).await;
    assert_eq!(ids(rest.expect("it is open")), [1]);
}

#[tokio::test]
async fn a_page_ends_early_where_errors_are_long_and_the_next_one_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).handle();
    for id in 1..=5 {
        submit(&store, new(id, None, b"\x90")).await;
        write(&store, lease(id, Due::AtOnce)).await;
        let settled = JobWrite::Settled {
            job: JobId(id),
            attempt: 1,
            next: Next::Dead,
            outcome: Outcome::NotExecuted,
            answer: Some(Err(vec![b'x'; 1000].into())),
            so_far: None,
        };
        write(&store, settled).await;
    }
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = JobPage {
            after,
            bytes_max: 1500,
            ..JobPage::default()
        };
        let rows = store.jobs(page).await.unwrap();
        let Some(last) = rows.last() else {
            break;
        };
        after = Some(last.name.id);
        pages.push(rows.iter().map(|row| row.name.id.0).collect::<Vec<_>>());
    }
    assert_eq!(pages, [vec![5, 4], vec![3, 2], vec![1]]);
}

fn page(user: Option<&str>) -> JobPage {
    JobPage {
        user: user.map(str::to_owned),
        ..JobPage::default()
    }
}

/// Keeps the thread that reads lists from reading any until what is returned is dropped.
fn hold_lists(store: &StoreHandle) -> mpsc::Sender<()> {
    let (go_on, may_go_on) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    let hold = move |_: &rusqlite::Connection| {
        tell.send(()).unwrap();
        // Until the other end is dropped.
        let _ = may_go_on.recv();
        Ok(())
    };
    store.readers.lists.look(hold, |_| ());
    told.recv().unwrap();
    go_on
}

#[tokio::test]
async fn while_a_list_is_read_everything_is_recorded_and_jobs_and_keys_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).handle();
    let held = hold_lists(&store);
    let list = tokio::spawn({
        let store = store.clone();
        async move { store.jobs(page(None)).await }
    });
    let job = new(1, Some(b"kkey"), b"\x90");
    assert_eq!(submit(&store, job.clone()).await, Submitted::New);
    write(&store, lease(1, Due::AtOnce)).await;
    assert!(store.leased_job(JobId(1)).await.unwrap().is_some());
    let stored = store.job_result(job.name).await.unwrap().unwrap();
    assert_eq!(stored.row.state, JobState::Running);
    assert_eq!(state(&store, &job).await, JobState::Running);
    let (tell, told) = tokio::sync::oneshot::channel();
    let name = KeyName {
        user: "1000".to_owned(),
        method: Bytes::from_static(b"mail.send"),
        key: Bytes::from_static(b"never used"),
    };
    store.look_up_key(name.into(), |found| tell.send(found).unwrap());
    assert_eq!(told.await, Ok(Ok(None)));
    drop(held);
    // It is read now, and what was recorded in between is in it.
    assert_eq!(list.await.unwrap().unwrap().len(), 1);
}

#[tokio::test]
async fn while_something_is_recorded_jobs_are_found_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).handle();
    let job = new(1, None, b"\x90");
    submit(&store, job.clone()).await;
    let (busy, is_busy) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let cancelled = Write::Job(JobWrite::CancelRequested(JobId(1)));
    store.write(cancelled, Durability::Power, move |_| {
        busy.send(()).unwrap();
        may_go_on.recv().unwrap();
    });
    is_busy.recv().unwrap();
    // What others were told of is there, also while they are being told.
    assert_eq!(state(&store, &job).await, JobState::Cancelled);
    let jobs = store.jobs(page(Some("1000"))).await.unwrap();
    assert_eq!(jobs[0].state, JobState::Cancelled);
    assert_eq!(store.job_counts(None).await.unwrap().cancelled, 1);
    go_on.send(()).unwrap();
    store.settle().await;
}

/// The state of the one job there is, as every question tells it.
async fn told_by_all(store: &StoreHandle, job: &NewJob) -> JobState {
    let row = store.job(job.name).await.unwrap().unwrap();
    let stored = store.job_result(job.name).await.unwrap().unwrap();
    assert_eq!(stored.row, row);
    let of_state = JobPage {
        state: Some(row.state),
        ..page(Some("1000"))
    };
    for page in [page(None), page(Some("1000")), of_state] {
        assert_eq!(store.jobs(page).await.as_deref(), Ok(&[row.clone()][..]));
    }
    for user in [None, Some("1000".to_owned())] {
        let counts = store.job_counts(user).await.unwrap();
        let counted = match row.state {
            JobState::Queued => counts.queued,
            JobState::Running => counts.running,
            JobState::Done => counts.done,
            JobState::Dead => counts.dead,
            JobState::Unknown => counts.unknown,
            JobState::Cancelled => counts.cancelled,
            JobState::Expired => 0,
        };
        assert_eq!(counted, 1, "{counts:?}");
    }
    let waits = !store.job_lanes().await.unwrap().is_empty();
    assert_eq!(waits, row.state == JobState::Queued);
    row.state
}

#[tokio::test]
async fn whoever_was_told_of_a_change_sees_it_wherever_they_look() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).handle();
    let settled = |attempt, next, answer| JobWrite::Settled {
        job: JobId(1),
        attempt,
        next,
        outcome: Outcome::Unknown,
        answer,
        so_far: None,
    };
    let error = || Some(Err(Bytes::from_static(b"\xa2no")));
    let job = new(1, None, b"\x90");
    let all = WallTime(u64::MAX);
    let purged = || JobWrite::Purged {
        ended_before: all,
        failed_before: all,
    };
    for round in 0..20 {
        submit(&store, job.clone()).await;
        for (change, state) in [
            (lease(1, Due::AtOnce), JobState::Running),
            (settled(1, Next::Unknown, error()), JobState::Unknown),
            (JobWrite::SentAgain(JobId(1)), JobState::Queued),
            (lease(1, Due::AtOnce), JobState::Running),
            (settled(2, Next::Dead, error()), JobState::Dead),
            (JobWrite::SentAgain(JobId(1)), JobState::Queued),
            (lease(1, Due::AtOnce), JobState::Running),
            (JobWrite::CancelRequested(JobId(1)), JobState::Running),
        ] {
            write(&store, change).await;
            assert_eq!(told_by_all(&store, &job).await, state, "{round}");
        }
        let end = match round % 2 {
            0 => settled(3, Next::Done, Some(Ok(Bytes::from_static(b"\xc3")))),
            _ => settled(3, Next::Cancelled, None),
        };
        write(&store, end).await;
        let stored = store.job_result(job.name).await.unwrap().unwrap();
        assert_eq!(stored.result.is_some(), round % 2 == 0);
        told_by_all(&store, &job).await;
        write(&store, purged()).await;
        assert_eq!(store.job(job.name).await, Ok(None));
        assert_eq!(store.jobs(page(None)).await, Ok(Vec::new()));
        assert_eq!(store.job_counts(None).await, Ok(JobCounts::default()));
    }
}

#[tokio::test]
async fn a_job_that_is_done_is_never_told_without_its_result() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).handle();
    let all = WallTime(u64::MAX);
    for id in 1..=100 {
        let job = new(id, None, b"\x90");
        submit(&store, job.clone()).await;
        for change in [
            lease(id, Due::AtOnce),
            JobWrite::Settled {
                job: JobId(id),
                attempt: 1,
                next: Next::Done,
                outcome: Outcome::Executed,
                answer: Some(Ok(Bytes::from_static(b"\xc3"))),
                so_far: None,
            },
            JobWrite::Purged {
                ended_before: all,
                failed_before: all,
            },
        ] {
            store.post(Write::Job(change));
        }
        // Until it is forgotten.
        while let Some(stored) = store.job_result(job.name).await.unwrap() {
            let is_done = stored.row.state == JobState::Done;
            assert_eq!(stored.result.is_some(), is_done, "{stored:?}");
        }
    }
}

#[tokio::test]
async fn a_store_that_is_closed_tells_so_to_whoever_asks() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let handle = store.handle();
    let held = hold_lists(&handle);
    let asked = tokio::spawn({
        let handle = handle.clone();
        async move { handle.jobs(page(None)).await }
    });
    drop(held);
    assert_eq!(asked.await.unwrap(), Ok(Vec::new()));
    store.close();
    let name = JobName::new(JobId(1));
    assert_eq!(handle.job(name).await, Err(Refusal::Closed));
    assert_eq!(handle.job_result(name).await, Err(Refusal::Closed));
    assert_eq!(handle.jobs(page(None)).await, Err(Refusal::Closed));
    assert_eq!(handle.job_counts(None).await, Err(Refusal::Closed));
    assert_eq!(handle.job_lanes().await, Err(Refusal::Closed));
}

#[tokio::test]
async fn a_database_of_before_lists_had_an_index_of_their_own_gets_it_and_lists_its_jobs() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for id in 1..=3 {
        submit(&store.handle(), new(id, None, b"\x90")).await;
    }
    store.close();
    let database = rusqlite::Connection::open(folder.path().join("standin.db")).unwrap();
    let before = "DROP INDEX jobs_of_user_by_state; CREATE INDEX jobs_of_user ON jobs (user, id);
        PRAGMA user_version = 5;";
    database.execute_batch(before).unwrap();
    database.close().unwrap();
    let store = open(folder.path());
    let jobs = store.handle().jobs(page(Some("1000"))).await.unwrap();
    assert_eq!(jobs.len(), 3);
    store.close();
    let database = rusqlite::Connection::open(folder.path().join("standin.db")).unwrap();
    let text = "SELECT name FROM sqlite_schema WHERE name LIKE 'jobs_of_user%'";
    let mut names = database.prepare(text).unwrap();
    let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let names: Vec<_> = names.map(Result::unwrap).collect();
    assert_eq!(names, ["jobs_of_user_by_state"]);
}
