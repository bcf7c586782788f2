//! What the tests of processes share: what is started, and how it is waited for.

use std::{
    ffi::OsString,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use standin::process::{Exit, INSTANCE_VARIABLE, Launch, Process, Spawner};

use crate::witness::Witness;

/// Nothing here takes long; a loaded machine may.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// The variable that tells this executable what to play.
pub(crate) const SCENE: &str = "STANDIN_TEST_SCENE";

/// How a player begins a line that tells whom it has started.
pub(crate) const COMPANY: &str = "started ";

/// A spawner whose launcher is the real one, in a process that is prepared as the service is.
pub(crate) fn spawner() -> Spawner {
    standin::process::prepare();
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
        run_as: None,
        mark,
    }
}

/// The command that plays a scene.
pub(crate) fn actor() -> (PathBuf, [&'static str; 3]) {
    let arguments = ["play::plays_a_scene", "--exact", "--nocapture"];
    (std::env::current_exe().unwrap(), arguments)
}

/// A process that plays a scene.
pub(crate) fn scene(scene: &str) -> Launch {
    let (program, arguments) = actor();
    let mut launch = launch(&arguments);
    launch.command.insert(0, program.into());
    launch.environment.push((SCENE.into(), scene.into()));
    launch
}

/// What it has said last.
pub(crate) async fn said(process: &Process) -> Vec<String> {
    let mut lines = process.last_lines().await;
    // The test runner's own word before a scene begins.
    lines.retain(|line| line != "running 1 test");
    lines
}

/// Waits until it has said this line.
pub(crate) async fn has_said(process: &Process, line: &str) {
    eventually(&format!("it says `{line}`"), async || {
        said(process).await.iter().any(|said| said == line)
    })
    .await;
}

/// Those whom it says that it has started.
pub(crate) async fn company(process: &Process) -> Vec<Witness> {
    let said = said(process).await;
    let pids = said.iter().filter_map(|line| line.strip_prefix(COMPANY));
    pids.map(|pid| Witness::of(pid.parse().unwrap()).expect("it lives"))
        .collect()
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

pub(crate) async fn eventually_gone(what: &str, witnesses: &[Witness]) {
    eventually(what, async || witnesses.iter().all(Witness::is_gone)).await;
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
