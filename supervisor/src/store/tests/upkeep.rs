//! The log and backups.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use rusqlite::Connection;

use super::*;

fn large(number: u32) -> Write {
    Write::Completion {
        name: RecordName::Key(key(&number.to_string())),
        fingerprint: fingerprint(),
        result: Ok(Bytes::from(vec![7; 1 << 20])),
    }
}

#[test]
fn the_log_is_emptied_before_it_grows_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let handle = store.handle();
    for number in 0..100 {
        written(&handle, large(number)).unwrap();
    }
    let size = |name: &str| folder.path().join(name).metadata().unwrap().len() >> 20;
    assert!(size("standin.db") > 70, "{} MiB", size("standin.db"));
    assert!(
        size("standin.db-wal") < 40,
        "{} MiB",
        size("standin.db-wal")
    );
}

#[test]
fn a_reader_keeps_the_log_from_being_emptied_and_nobody_from_writing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let handle = store.handle();
    written(&handle, large(0)).unwrap();
    let reader = Connection::open(folder.path().join("standin.db")).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let count = || {
        let text = "SELECT count(*) FROM keys";
        reader
            .query_row::<i64, _, _>(text, [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(count(), 1);
    for number in 1..60 {
        written(&handle, large(number)).unwrap();
    }
    assert_eq!(count(), 1);
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(count(), 60);
}

#[tokio::test]
async fn a_backup_that_is_made_while_the_store_is_used_is_a_database_to_start_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let handle = store.handle();
    let token = SessionToken::random();
    handle.post(session_opened(token));
    handle.post(completion(request(token, 1), "x"));
    written(&handle, completion(RecordName::Key(key("a")), "sent")).unwrap();
    let other = tempfile::tempdir().unwrap();
    let file = other.path().join("standin.db");
    back_up(folder.path(), &file).unwrap();
    written(&handle, intent(RecordName::Key(key("later")))).unwrap();

    let restored = open(other.path());
    assert!(restored.left().is_empty());
    let restored = restored.handle();
    assert_eq!(key_state(&restored, &key("a")).await, Some(done("sent")));
    assert_eq!(key_state(&restored, &key("later")).await, None);
    // What it knows of a session is out of date.
    assert_eq!(restored.load_session(token).await, Ok(None));
    assert_eq!(records(&handle, token).await.len(), 1);
}

#[test]
fn a_backup_overwrites_nothing_and_leaves_no_half_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    let nothing = back_up(folder.path(), &file).expect_err("there is no database");
    assert!(nothing.to_string().contains("no database"), "{nothing}");
    assert!(!file.exists());
    open(folder.path()).close();
    std::fs::write(&file, "mine").unwrap();
    let refused = back_up(folder.path(), &file).expect_err("it is there");
    assert!(refused.to_string().contains("not overwritten"), "{refused}");
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    let nowhere = folder.path().join("no/such/folder");
    back_up(folder.path(), &nowhere).expect_err("it cannot be made");
}

/// Reads for a while, as a list of many jobs does.
fn read(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("SELECT id FROM keys")?;
    let mut rows = statement.query([])?;
    assert!(rows.next()?.is_some());
    let (_nobody, nothing) = mpsc::channel::<()>();
    let _ = nothing.recv_timeout(Duration::from_millis(20));
    Ok(())
}

#[test]
fn those_who_read_one_list_after_another_do_not_make_the_log_grow_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let handle = store.handle();
    written(&handle, large(0)).unwrap();
    let is_wanted = AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (tell, told) = mpsc::channel();
            let ask = || {
                let tell = tell.clone();
                let lists = &handle.readers.lists;
                lists.look(read, move |found| tell.send(found).unwrap());
            };
            // One waits while another is read: there is hardly a moment between two.
            ask();
            while is_wanted.load(Ordering::Relaxed) {
                ask();
                told.recv().unwrap().unwrap();
            }
            told.recv().unwrap().unwrap();
        });
        for number in 1..200 {
            written(&handle, large(number)).unwrap();
        }
        is_wanted.store(false, Ordering::Relaxed);
    });
    let log = folder.path().join("standin.db-wal").metadata().unwrap();
    let size = log.len() >> 20;
    assert!(size < 60, "{size} MiB");
}
