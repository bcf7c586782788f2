//! A full disk: here a database that may not grow, which SQLite reports in the same way.

use rusqlite::Connection;

use super::{
    super::{Database, Disk, open},
    *,
};
use crate::clock;

/// A store with so many pages more than an empty one has.
fn small(folder: &Path, pages: u32, disk: Disk) -> Store {
    let connection = open::database(folder).unwrap();
    let has: u32 = connection
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    let limit = format!("PRAGMA max_page_count = {}", has + pages);
    connection.query_row(&limit, [], |_| Ok(())).unwrap();
    let database = Database::new(connection, "this-boot".to_owned());
    Store::start(folder, database, disk).unwrap()
}

fn large(name: RecordName, size: usize) -> Write {
    Write::Completion {
        name,
        fingerprint: fingerprint(),
        result: Ok(Bytes::from(vec![7; size])),
    }
}

fn record(number: u32) -> RecordName {
    RecordName::Key(key(&number.to_string()))
}

#[tokio::test]
async fn on_a_full_disk_what_begins_is_refused_and_what_ends_gets_the_room_that_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(folder.path(), clock::now());
    let store = small(folder.path(), 20, disk);
    let handle = store.handle();
    let ballast = folder.path().join("standin.ballast");
    for number in 0..4 {
        written(&handle, intent(record(number))).unwrap();
    }
    // More than there is: it is refused, and nothing of it is left.
    let result = written(&handle, large(record(0), 200_000));
    assert_eq!(result, Err(Refusal::Full));
    assert_eq!(
        key_state(&handle, &key("0")).await,
        Some(RecordState::Intent)
    );
    assert!(!ballast.exists(), "it was given up");
    // What is smaller finds room, also in one commit with what does not.
    let (tell, told) = mpsc::channel();
    for (number, size) in [(1, 200_000), (2, 10), (3, 200_000)] {
        let tell = tell.clone();
        let write = large(record(number), size);
        handle.write(write, Durability::Power, move |result| {
            tell.send((number, result)).unwrap();
        });
    }
    let told: Vec<_> = told.iter().take(3).collect();
    let full = Err(Refusal::Full);
    assert_eq!(told, [(1, full), (2, Ok(())), (3, full)]);
}

#[tokio::test]
async fn what_begins_is_taken_again_as_soon_as_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(folder.path(), clock::now()).without_pause();
    let store = small(folder.path(), 20, disk);
    let handle = store.handle();
    let mut number = 0;
    let refused = loop {
        number += 1;
        let result = written(&handle, large(record(number), 5_000));
        if result.is_err() {
            break result;
        }
        assert!(number < 1000, "it fills up");
    };
    assert_eq!(refused, Err(Refusal::Full));
    let other = Connection::open(folder.path().join("standin.db")).unwrap();
    other.execute("DELETE FROM keys", []).unwrap();
    assert_eq!(written(&handle, intent(record(0))), Ok(()));
    assert!(folder.path().join("standin.ballast").exists());
}

#[tokio::test]
async fn on_a_full_disk_jobs_are_found_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(folder.path(), clock::now());
    let store = small(folder.path(), 20, disk);
    let handle = store.handle();
    let job = submitted(1, 100);
    assert_eq!(written(&handle, Write::Job(job.clone())), Ok(()));
    let refused = written(&handle, Write::Job(submitted(2, 200_000)));
    assert_eq!(refused, Err(Refusal::Full));
    let JobWrite::Submitted(job) = job else {
        unreachable!("it is one");
    };
    let row = handle.job(job.name).await.unwrap().unwrap();
    let stored = handle.job_result(job.name).await.unwrap();
    assert_eq!(stored.map(|stored| stored.row), Some(row.clone()));
    assert_eq!(handle.jobs(JobPage::default()).await, Ok(vec![row]));
    assert_eq!(handle.job_counts(None).await.unwrap().queued, 1);
}
