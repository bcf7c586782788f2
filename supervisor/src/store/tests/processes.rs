//! A store in a process of its own, which is killed, or whose disk fails. The process is this test program, told by a
//! variable to be one of the children below.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read, Seek, Write as _},
    process::{Child, Command, Stdio},
};

use super::{super::fatal, *};

const FOLDER: &str = "STANDIN_TEST_STORE";

/// Starts one of the tests below as a child.
fn child(test: &str, folder: &Path) -> Child {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", test])
        .env(FOLDER, folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    child.unwrap()
}

/// Where this process is to have a store, if it is a child.
fn folder_of_child() -> Option<std::path::PathBuf> {
    std::env::var_os(FOLDER).map(Into::into)
}

/// Only as a child: writes keys from eight threads, half of them for power, and says which ones it was told are kept.
#[test]
fn child_that_writes_without_end() {
    let Some(folder) = folder_of_child() else {
        return;
    };
    let store = open(&folder);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let handle = store.handle();
            scope.spawn(move || {
                for number in 0.. {
                    let durability = match number % 2 {
                        0 => Durability::Power,
                        _ => Durability::Process,
                    };
                    let id = format!("{}-{thread}-{number}", std::process::id());
                    let name = RecordName::Key(key(&id));
                    let (tell, told) = mpsc::channel();
                    handle.write(completion(name, "kept"), durability, move |result| {
                        tell.send(result).unwrap();
                    });
                    told.recv().unwrap().unwrap();
                    let line = format!("kept {id}\n");
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

#[tokio::test]
async fn what_was_acknowledged_before_a_kill_is_found_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut kept = BTreeSet::new();
    for round in 1..=8 {
        let name = "store::tests::processes::child_that_writes_without_end";
        let mut child = child(name, folder.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut read = |line: Option<std::io::Result<String>>| {
            let line = line.transpose().unwrap();
            if let Some(id) = line.as_ref().and_then(|line| line.strip_prefix("kept ")) {
                kept.insert(id.to_owned());
            }
            line.is_some()
        };
        // Early in one round, late in another.
        for _ in 0..round * 150 {
            assert!(read(lines.next()), "it writes until it is killed");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        while read(lines.next()) {}
    }
    let store = open(folder.path()).handle();
    for id in &kept {
        assert_eq!(
            key_state(&store, &key(id)).await,
            Some(done("kept")),
            "{id}"
        );
    }
    assert!(kept.len() > 8 * 150, "{}", kept.len());
    let database = rusqlite::Connection::open(folder.path().join("standin.db")).unwrap();
    let whole = database.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
    assert_eq!(whole.unwrap(), "ok");
}

/// Writes over all of the database but its first pages, which name the tables.
fn damage(folder: &Path) {
    let mut file = std::fs::File::options()
        .write(true)
        .open(folder.join("standin.db"))
        .unwrap();
    let size = file.metadata().unwrap().len();
    let keep = 20 * 4096;
    file.seek(std::io::SeekFrom::Start(keep)).unwrap();
    file.write_all(&vec![0xa5; (size - keep) as usize]).unwrap();
}

/// In a child: opens a database, finds it damaged while it runs, and does something to it.
fn on_a_disk_that_fails(does: impl FnOnce(&StoreHandle)) {
    let Some(folder) = folder_of_child() else {
        return;
    };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let store = open(&folder);
    damage(&folder);
    does(&store.handle());
    panic!("it has used a damaged database");
}

/// Only as a child.
#[test]
fn child_whose_disk_fails() {
    on_a_disk_that_fails(|store| {
        for number in 0..1000 {
            let name = RecordName::Key(key(&number.to_string()));
            let _ = written(store, intent(name));
        }
    });
}

/// Only as a child.
#[test]
fn child_whose_disk_fails_under_a_list() {
    on_a_disk_that_fails(|store| {
        let page = JobPage {
            limit: 1000,
            ..JobPage::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let _ = runtime.unwrap().block_on(store.jobs(page));
    });
}

#[test]
fn a_failed_disk_ends_the_service_with_a_code_of_its_own_and_the_next_start_looks_through_it() {
    for what in [
        "child_whose_disk_fails",
        "child_whose_disk_fails_under_a_list",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        for number in 0..1000 {
            let name = RecordName::Key(key(&(number * 7).to_string()));
            let result = Ok(Bytes::from(vec![7; 4000]));
            let (fingerprint, name) = (fingerprint(), name);
            store.handle().post(Write::Completion {
                name,
                fingerprint,
                result,
            });
        }
        for id in 1..=1000 {
            store.handle().post(Write::Job(submitted(id, 4000)));
        }
        store.close();
        let mut child = child(&format!("store::tests::processes::{what}"), folder.path());
        let mut said = String::new();
        let mut stderr = child.stderr.take().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(fatal::EXIT_CODE), "{said}");
        assert!(
            said.contains("the database of the service failed"),
            "{said}"
        );
        let refused = open_after(folder.path(), "this-boot").expect_err("it is damaged");
        assert!(matches!(refused, StoreError::Damaged { .. }), "{refused}");
    }
}

#[test]
fn a_database_that_is_whole_after_all_is_used_again() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).close();
    let suspect = folder.path().join(fatal::SUSPECT);
    std::fs::write(&suspect, "it cannot be written: disk I/O error").unwrap();
    open(folder.path()).close();
    assert!(!suspect.exists());
}

/// Only as a child: makes a backup.
#[test]
fn child_that_backs_up() {
    if let Some(folder) = folder_of_child() {
        back_up(&folder, &folder.join("backups/b")).unwrap();
    }
}

#[test]
fn a_backup_that_is_killed_leaves_nothing_under_its_name_that_is_not_whole() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for number in 0..10 {
        let name = RecordName::Key(key(&number.to_string()));
        let result = Ok(Bytes::from(vec![7; 1 << 20]));
        let fingerprint = fingerprint();
        let write = Write::Completion {
            name,
            fingerprint,
            result,
        };
        written(&store.handle(), write).unwrap();
    }
    let backups = folder.path().join("backups");
    std::fs::create_dir(&backups).unwrap();
    let made = || std::fs::read_dir(&backups).unwrap().count() > 0;
    let mut child = child(
        "store::tests::processes::child_that_backs_up",
        folder.path(),
    );
    while !made() {
        assert!(child.try_wait().unwrap().is_none(), "it makes a backup");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let file = backups.join("b");
    if !file.exists() {
        // The next one is not kept from being made.
        back_up(folder.path(), &file).unwrap();
    }
    let backup = rusqlite::Connection::open(&file).unwrap();
    let whole = backup.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
    assert_eq!(whole.unwrap(), "ok");
    let count = backup.query_row("SELECT count(*) FROM keys", [], |row| row.get::<_, i64>(0));
    assert_eq!(count, Ok(10));
}
