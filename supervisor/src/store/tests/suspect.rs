//! The first start after a failure of the disk.

use rusqlite::Connection;

use super::{
    super::{fatal, open},
    *,
};

const FILES: [&str; 2] = ["standin.db", "standin.db-wal"];

/// What a service that has ended in the middle has left: a database and a log, of which the disk may not have all.
fn left_by_a_failure() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for number in 0..20 {
        let name = RecordName::Key(key(&number.to_string()));
        written(&store.handle(), completion(name, "kept")).unwrap();
    }
    let left = tempfile::tempdir().unwrap();
    for file in FILES {
        std::fs::copy(folder.path().join(file), left.path().join(file)).unwrap();
    }
    store.close();
    std::fs::write(left.path().join(fatal::SUSPECT), "it cannot be written").unwrap();
    assert!(size(left.path(), FILES[1]) > 0);
    left
}

fn size(folder: &Path, file: &str) -> u64 {
    folder.join(file).metadata().map_or(0, |it| it.len())
}

#[tokio::test]
async fn after_a_failure_nothing_is_written_behind_a_log_of_which_the_disk_may_not_have_all() {
    let folder = left_by_a_failure();
    let connection = open::database(folder.path()).unwrap();
    assert_eq!(size(folder.path(), FILES[1]), 0);
    assert!(!folder.path().join(fatal::SUSPECT).exists());
    drop(connection);
    let store = open(folder.path());
    for number in 0..20 {
        let state = key_state(&store.handle(), &key(&number.to_string())).await;
        assert_eq!(state, Some(done("kept")), "{number}");
    }
}

#[test]
fn after_a_failure_nothing_begins_while_somebody_keeps_the_log_from_going_into_the_database() {
    let folder = left_by_a_failure();
    let reader = Connection::open(folder.path().join(FILES[0])).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let count = "SELECT count(*) FROM keys";
    let count = reader.query_row(count, [], |row| row.get::<_, i64>(0));
    assert_eq!(count, Ok(20));
    let refused = open_after(folder.path(), "this-boot").expect_err("it is held");
    assert!(matches!(refused, StoreError::Held { .. }), "{refused}");
    assert!(folder.path().join(fatal::SUSPECT).exists());
    drop(reader);
    open(folder.path()).close();
    assert!(!folder.path().join(fatal::SUSPECT).exists());
}
