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
    format!(
        "test-{}-{}",
        std::process::id(),
        LAST.fetch_add(1, Ordering::Relaxed)
    )
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

/// Ends what a test has started when the test is over, however it ends. A service has its guardian for that.
pub(crate) struct SweepAtEnd(pub(crate) String);

impl Drop for SweepAtEnd {
    fn drop(&mut self) {
        standin::process::sweep(&self.0);
    }
}

/// Waits for the death, and says so if it does not come.
pub(crate) async fn exit_of(process: &Process) -> Exit {
    let exit = tokio::time::timeout(LIMIT, process.wait()).await;
    exit.expect("the death is noticed")
}

/// Ends it before the test's runtime does, so that it is reaped.
pub(crate) async fn end(process: Process) {
    process.kill();
    exit_of(&process).await;
}

/// Waits until it has printed this line.
pub(crate) async fn printed(process: &Process, line: &str) {
    eventually(&format!("it prints `{line}`"), async || {
        process
            .last_lines()
            .await
            .iter()
            .any(|printed| printed == line)
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
    let pids = folders
        .flatten()
        .filter_map(|folder| folder.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|found| found == entry.as_bytes())
    })
    .collect()
}

/// The children of this process that have died and were not reaped. Other tests' children are among them for a moment.
pub(crate) fn zombies() -> Vec<u32> {
    let folders = std::fs::read_dir("/proc").unwrap();
    let pids = folders
        .flatten()
        .filter_map(|folder| folder.file_name().to_str()?.parse().ok());
    pids.filter(|pid| is_zombie(*pid)).collect()
}

/// Whether this is a child of this process that has died and was not reaped.
pub(crate) fn is_zombie(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let of_ours = format!(" Z {} ", std::process::id());
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| rest.starts_with(&of_ours))
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
