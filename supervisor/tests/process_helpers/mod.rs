//! What the tests of processes share: commands to start, and a look at who is left.

use std::{
    ffi::OsString,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use standin::process::{Exit, INSTANCE_VARIABLE, Launch, MARK_VARIABLE, Process, Spawner};

/// Nothing here takes long; a loaded machine may.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// A spawner whose launcher is the real one.
pub(crate) fn spawner() -> Spawner {
    Spawner::with_launcher(PathBuf::from(env!("CARGO_BIN_EXE_standin"))).unwrap()
}

/// A text that no other process has.
pub(crate) fn unique() -> String {
    static LAST: AtomicU32 = AtomicU32::new(0);
    format!("test-{}-{}", std::process::id(), LAST.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn launch(command: &[&str]) -> Launch {
    let mark = unique();
    Launch {
        name: "test/1".to_owned(),
        command: command.iter().map(OsString::from).collect(),
        folder: None,
        environment: vec![(INSTANCE_VARIABLE.into(), mark.clone().into())],
        mark,
    }
}

pub(crate) fn shell(script: &str) -> Launch {
    launch(&["sh", "-c", script])
}

/// Waits for the death, and says so if it does not come.
pub(crate) async fn exit_of(process: &Process) -> Exit {
    let exit = tokio::time::timeout(LIMIT, process.wait()).await;
    exit.expect("the death is noticed")
}

/// Waits until it has printed this line.
pub(crate) async fn printed(process: &Process, line: &str) {
    eventually(&format!("it prints `{line}`"), async || {
        process.last_lines().await.iter().any(|printed| printed == line)
    })
    .await;
}

/// The living processes of a worker.
pub(crate) fn of_mark(mark: &str) -> Vec<u32> {
    with_variable(&format!("{MARK_VARIABLE}={mark}"))
}

/// The living processes with this entry in their environment.
pub(crate) fn with_variable(entry: &str) -> Vec<u32> {
    let folders = std::fs::read_dir("/proc").unwrap();
    let pids = folders.flatten().filter_map(|folder| folder.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|found| found == entry.as_bytes())
    })
    .collect()
}

/// The zombies that this process is to blame for.
pub(crate) fn zombies() -> Vec<String> {
    let own = format!(" Z {} ", std::process::id());
    let folders = std::fs::read_dir("/proc").unwrap();
    let stats = folders.flatten().filter_map(|folder| std::fs::read_to_string(folder.path().join("stat")).ok());
    stats.filter(|stat| stat.contains(&own)).collect()
}

/// Polls until it is so; fails with what never came true.
pub(crate) async fn eventually(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let polled = tokio::time::timeout(LIMIT, async {
        while !check().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(polled.await.is_ok(), "this never came true: {what}");
}
