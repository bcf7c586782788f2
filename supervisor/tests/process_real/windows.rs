//! What only Windows has: the job object, batch files, and where programs are looked for.

use std::{
    os::windows::process::CommandExt,
    process::{Command, Stdio},
};

use standin::process::Exit;
use windows_sys::Win32::{
    Foundation::HANDLE,
    System::{
        Diagnostics::Debug::{
            GetErrorMode, SEM_FAILCRITICALERRORS, SEM_NOGPFAULTERRORBOX, SEM_NOOPENFILEERRORBOX,
        },
        Threading::{CREATE_BREAKAWAY_FROM_JOB, OpenProcess, PROCESS_SUSPEND_RESUME},
    },
};

use crate::{
    helpers::{SCENE, actor, eventually, exit_of, has_said, launch, said, scene, spawner, unique},
    play::say,
    witness::with_name,
};

#[link(name = "ntdll")]
unsafe extern "system" {
    fn NtSuspendProcess(process: HANDLE) -> i32;
}

/// The scenes of these tests.
pub(crate) fn play(scene: &str, _with: &str) {
    match scene {
        "escape" => try_to_escape(),
        _ => panic!("there is no scene `{scene}`"),
    }
}

fn try_to_escape() {
    let (program, arguments) = actor();
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env(SCENE, "stay")
        .creation_flags(CREATE_BREAKAWAY_FROM_JOB);
    match command.stdout(Stdio::null()).spawn() {
        Ok(_) => say("escaped"),
        Err(error) => say(&format!("refused {}", error.raw_os_error().unwrap())),
    }
}

fn number(said: &[String], name: &str) -> u32 {
    let found = said.iter().find_map(|line| line.strip_prefix(name));
    found
        .unwrap_or_else(|| panic!("no {name}in {said:?}"))
        .parse()
        .unwrap()
}

/// What a process starts inherits this, on Windows; Wine 8 forgets it.
#[test]
fn a_crash_or_a_missing_dll_shows_no_dialog() {
    standin::process::prepare();
    // SAFETY: nothing is pointed to.
    let mode = unsafe { GetErrorMode() };
    let quiet = SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX;
    assert_eq!(mode & quiet, quiet, "{mode:#x}");
}

#[tokio::test]
async fn nobody_leaves_the_job() {
    const ACCESS_DENIED: u32 = 5;
    let process = spawner().spawn(scene("escape")).await.unwrap();
    assert_eq!(exit_of(&process).await, Exit::Code(0));
    assert_eq!(number(&said(&process).await, "refused "), ACCESS_DENIED);
}

#[tokio::test]
async fn a_suspended_worker_can_be_killed() {
    let process = spawner().spawn(scene("stay")).await.unwrap();
    has_said(&process, "ready").await;
    // SAFETY: nothing is pointed to, and the handle is closed once, after its use.
    unsafe {
        let handle = OpenProcess(PROCESS_SUSPEND_RESUME, 0, process.pid());
        assert_eq!(NtSuspendProcess(handle), 0);
        windows_sys::Win32::Foundation::CloseHandle(handle);
    }
    process.kill();
    assert_eq!(exit_of(&process).await, Exit::ByUs);
}

#[tokio::test]
async fn an_exception_is_told_by_its_code() {
    let spawner = spawner();
    for (code, expected) in [
        // A real overflow is not among the scenes: Wine 8 hangs where Windows ends the process.
        ("c00000fd", Exit::Signal(0xc000_00fd_u32.cast_signed())),
        ("c0000374", Exit::Signal(0xc000_0374_u32.cast_signed())),
        ("c0000142", Exit::Signal(0xc000_0142_u32.cast_signed())),
        ("40010004", Exit::Signal(0x4001_0004)),
        ("c0000017", Exit::OutOfMemory),
        ("1", Exit::CodeOrKill(1)),
        ("ffffffff", Exit::CodeOrKill(-1)),
    ] {
        let process = spawner
            .spawn(scene(&format!("status {code}")))
            .await
            .unwrap();
        assert_eq!(exit_of(&process).await, expected, "{code}");
    }
}

#[tokio::test]
async fn a_process_nobody_waits_for_any_more_ends() {
    let spawner = spawner();
    let name = format!("{}.exe", unique());
    let (program, arguments) = actor();
    let copy = program.with_file_name(&name);
    std::fs::copy(&program, &copy).unwrap();
    let mut named = launch(&arguments);
    named.command.insert(0, copy.clone().into());
    named.environment.push((SCENE.into(), "stay".into()));
    {
        // Polled once, so the order is given, then given up, most likely before it has been carried out.
        let mut once = std::task::Context::from_waker(std::task::Waker::noop());
        let _ = std::pin::pin!(spawner.spawn(named)).poll(&mut once);
    }
    // The spawning thread takes one order after the other.
    let next = spawner.spawn(scene("exit 0")).await.unwrap();
    exit_of(&next).await;
    eventually("it is gone", async || with_name(&name).is_empty()).await;
    eventually("its file is free", async || {
        std::fs::remove_file(&copy).is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_batch_file_can_be_a_worker() {
    let folder = tempfile::Builder::new()
        .prefix("my tools ")
        .tempdir()
        .unwrap();
    let text = "@echo first %~1\r\n@echo second %~2\r\n@exit 7\r\n";
    std::fs::write(folder.path().join("tool.cmd"), text).unwrap();
    let mut launch = launch(&["tool", "two words", "a(b)"]);
    let path = folder.path().as_os_str().to_owned();
    launch.environment.push(("Path".into(), path));
    let process = spawner().spawn(launch).await.unwrap();
    assert_eq!(exit_of(&process).await, Exit::Code(7));
    assert_eq!(
        process.last_lines().await,
        ["first two words", "second a(b)"]
    );
}

#[tokio::test]
async fn a_command_that_cannot_be_run_is_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("text.txt");
    std::fs::write(&file, "no program").unwrap();
    let error = spawner()
        .spawn(launch(&[file.to_str().unwrap()]))
        .await
        .unwrap_err();
    let expected = format!(
        "cannot start `{}`: it is no program; put the one that runs it in front of it",
        file.display()
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_worker_is_not_looked_for_where_the_service_was_started() {
    let error = spawner().spawn(launch(&["Cargo.toml"])).await.unwrap_err();
    let expected = "cannot start `Cargo.toml`: no program of this name is in the search path";
    assert!(std::path::Path::new("Cargo.toml").exists());
    assert_eq!(error.to_string(), expected);
}
