//! Opening, closing, and what is not opened.

use rusqlite::Connection;

use super::*;

#[tokio::test]
async fn what_waits_when_the_store_is_closed_is_committed_and_what_comes_later_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let handle = store.handle();
    let (tell, told) = mpsc::channel();
    for number in 0..1000 {
        let tell = tell.clone();
        let name = RecordName::Key(key(&number.to_string()));
        handle.write(intent(name), Durability::Process, move |result| {
            tell.send((number, result)).unwrap();
        });
    }
    store.close();
    // In the order in which they were handed in.
    for number in 0..1000 {
        assert_eq!(told.try_recv(), Ok((number, Ok(()))));
    }
    let late = RecordName::Key(key("late"));
    assert_eq!(written(&handle, intent(late)), Err(Refusal::Closed));
    assert_eq!(look_up(&handle, key("1")).await, Err(Refusal::Closed));
    let token = SessionToken::random();
    assert_eq!(handle.load_session(token).await, Err(Refusal::Closed));
    let store = open(folder.path()).handle();
    assert_eq!(
        key_state(&store, &key("999")).await,
        Some(RecordState::Intent)
    );
    assert_eq!(key_state(&store, &key("late")).await, None);
}

fn change(folder: &Path, text: &str) {
    let database = Connection::open(folder.join("standin.db")).unwrap();
    database.execute_batch(text).unwrap();
}

fn refusal(folder: &Path) -> StoreError {
    let file = folder.join("standin.db");
    let before = std::fs::read(&file).unwrap();
    let refused = open_after(folder, "this-boot").expect_err("it is refused");
    assert_eq!(std::fs::read(&file).unwrap(), before, "nothing was changed");
    refused
}

#[test]
fn a_database_of_a_newer_version_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).close();
    change(folder.path(), "PRAGMA user_version = 9999");
    let refused = refusal(folder.path());
    assert!(
        matches!(refused, StoreError::TooNew { found: 9999, .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains("newer Standin"), "{refused}");
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    change(
        folder.path(),
        "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)",
    );
    let refused = refusal(folder.path());
    assert!(matches!(refused, StoreError::Foreign { .. }), "{refused}");
}

#[test]
fn a_file_that_is_no_database_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("standin.db"), vec![7; 8192]).unwrap();
    let refused = refusal(folder.path());
    assert!(matches!(refused, StoreError::Damaged { .. }), "{refused}");
    assert!(refused.to_string().contains("backup"), "{refused}");
}

#[test]
fn what_an_interrupted_start_left_behind_is_no_hindrance() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("standin.db.new"), b"half").unwrap();
    std::fs::write(folder.path().join("standin.db.new-journal"), b"half").unwrap();
    open(folder.path()).close();
    let files = std::fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["standin.ballast", "standin.db"]);
}

#[test]
fn a_log_without_its_database_is_refused_and_not_played_into_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    written(&store.handle(), intent(RecordName::Key(key("a")))).unwrap();
    let other = tempfile::tempdir().unwrap();
    let log = other.path().join("standin.db-wal");
    std::fs::copy(folder.path().join("standin.db-wal"), &log).unwrap();
    store.close();
    let refused = open_after(other.path(), "this-boot").expect_err("it is refused");
    assert!(matches!(refused, StoreError::Orphan { .. }), "{refused}");
    assert!(log.metadata().unwrap().len() > 0, "it is left alone");
    assert!(!other.path().join("standin.db").exists());
}

/// A link to itself is there, and cannot be looked at.
#[cfg(unix)]
#[test]
fn a_database_that_cannot_be_looked_at_is_not_replaced_by_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("standin.db");
    std::os::unix::fs::symlink("standin.db", &file).unwrap();
    let refused = open_after(folder.path(), "this-boot").expect_err("it is refused");
    assert!(matches!(refused, StoreError::Folder { .. }), "{refused}");
    assert!(file.is_symlink(), "it is left alone");
}
