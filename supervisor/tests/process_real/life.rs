//! One process from its start to its end.

use std::io::Read;

use standin::process::{Exit, SpawnError};

use crate::{
    helpers::{company, end, eventually_gone, exit_of, has_said, launch, said, scene, spawner},
    witness::{Witness, end_from_outside},
};

/// What the same accident is called here.
fn crash(signal: i32, exception: u32) -> Exit {
    Exit::Signal(if cfg!(windows) {
        exception.cast_signed()
    } else {
        signal
    })
}

#[tokio::test]
async fn exit_codes_and_crashes_are_told_apart() {
    let spawner = spawner();
    for (played, expected) in [
        ("exit 0", Exit::Code(0)),
        ("exit 3", Exit::Code(3)),
        ("panic on purpose", Exit::Code(101)),
        ("access", crash(11, 0xc000_0005)),
        ("abort", crash(6, 0xc000_0409)),
    ] {
        let process = spawner.spawn(scene(played)).await.unwrap();
        assert_eq!(exit_of(&process).await, expected, "{played}");
    }
}

#[tokio::test]
async fn an_end_by_us_is_told_from_one_by_somebody_else() {
    let spawner = spawner();
    let ours = spawner.spawn(scene("stay")).await.unwrap();
    let theirs = spawner.spawn(scene("stay")).await.unwrap();
    has_said(&ours, "ready").await;
    has_said(&theirs, "ready").await;
    ours.kill();
    assert_eq!(exit_of(&ours).await, Exit::ByUs);
    end_from_outside(theirs.pid());
    let expected = if cfg!(windows) {
        Exit::CodeOrKill(1)
    } else {
        Exit::Signal(9)
    };
    assert_eq!(exit_of(&theirs).await, expected);
}

#[tokio::test]
async fn a_folder_that_does_not_exist_is_named() {
    let folder = std::env::temp_dir().join("no-such-folder");
    let mut launch = scene("exit 0");
    launch.folder = Some(folder.clone());
    let error = spawner().spawn(launch).await.unwrap_err();
    assert!(matches!(error, SpawnError::Folder { .. }), "{error:?}");
    let expected = format!("its folder `{}` cannot be used: ", folder.display());
    assert!(error.to_string().contains(&expected), "{error}");
}

#[tokio::test]
async fn a_worker_gets_its_arguments_and_folder_and_environment() {
    let arguments = [
        "--",
        "two words",
        "",
        r"a\b\",
        r#"say "yes""#,
        "grüße 🦀",
        "100%",
    ];
    let folder = tempfile::Builder::new()
        .prefix("ordner grüße 🦀 ")
        .tempdir()
        .unwrap();
    // Links on the way are gone.
    let folder = std::fs::canonicalize(folder.path())
        .map(|path| (folder, path))
        .unwrap();
    let mut launch = scene("tell");
    launch.command.extend(arguments.map(Into::into));
    launch.folder = Some(folder.1.clone());
    launch
        .environment
        .push(("EXTRA".into(), "mehr = größer".into()));
    let process = spawner().spawn(launch).await.unwrap();
    assert_eq!(exit_of(&process).await, Exit::Code(0));
    let mut expected: Vec<String> = arguments[1..]
        .iter()
        .map(|argument| format!("argument {argument}").trim_end().to_owned())
        .collect();
    let folder = folder.1.to_string_lossy();
    expected.push(format!("folder {}", folder.trim_start_matches(r"\\?\")));
    expected.push("EXTRA mehr = größer".to_owned());
    expected.push("STANDIN_PARENT none".to_owned());
    assert_eq!(said(&process).await, expected);
}

#[tokio::test]
async fn handles_of_the_service_do_not_reach_a_worker() {
    let (mut read, write) = std::io::pipe().unwrap();
    let number = inheritable(&write);
    let launch = scene(&format!("write {number}"));
    let process = spawner().spawn(launch).await.unwrap();
    assert_eq!(exit_of(&process).await, Exit::Code(0));
    assert_eq!(said(&process).await.last().unwrap(), "tried");
    std::io::Write::write_all(&mut &write, b"ours").unwrap();
    let mut first = [0; 4];
    read.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"ours", "a worker wrote through a handle of ours");
}

/// As somebody in the service might have opened it.
#[cfg(unix)]
fn inheritable(of: &std::io::PipeWriter) -> usize {
    rustix::io::fcntl_setfd(of, rustix::io::FdFlags::empty()).unwrap();
    usize::try_from(std::os::fd::AsRawFd::as_raw_fd(of)).unwrap()
}

/// As somebody in the service might have opened it.
#[cfg(windows)]
fn inheritable(of: &std::io::PipeWriter) -> usize {
    use windows_sys::Win32::Foundation::{HANDLE_FLAG_INHERIT, SetHandleInformation};
    let handle = std::os::windows::io::AsRawHandle::as_raw_handle(of);
    // SAFETY: the handle is open.
    let done = unsafe { SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT) };
    assert_ne!(done, 0);
    handle.addr()
}

#[tokio::test]
async fn a_grandchild_that_holds_stdout_does_not_delay_the_death() {
    let process = spawner().spawn(scene("last_words")).await.unwrap();
    let child = company_when_said(&process).await;
    assert_eq!(exit_of(&process).await, Exit::Code(3));
    assert!(said(&process).await.contains(&"last words".to_owned()));
    eventually_gone("the grandchild is gone", &child).await;
}

/// Waits until it has started somebody. It may be dead by then.
async fn company_when_said(process: &standin::process::Process) -> Vec<Witness> {
    crate::helpers::eventually("it says whom it has started", async || {
        said(process)
            .await
            .iter()
            .any(|line| line.starts_with(crate::helpers::COMPANY))
    })
    .await;
    let said = said(process).await;
    let pids = said
        .iter()
        .filter_map(|line| line.strip_prefix(crate::helpers::COMPANY));
    pids.filter_map(|pid| Witness::of(pid.parse().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_killed_worker_takes_all_that_it_started_along() {
    let process = spawner().spawn(scene("family deep")).await.unwrap();
    has_said(&process, "family").await;
    crate::helpers::eventually("both descendants run", async || {
        said(&process)
            .await
            .iter()
            .filter(|line| *line == "ready")
            .count()
            == 2
    })
    .await;
    let witness = Witness::of(process.pid()).expect("it lives");
    let company = company_when_said(&process).await;
    assert!(company.iter().filter(|one| !one.is_gone()).count() >= 2);
    process.kill();
    assert_eq!(exit_of(&process).await, Exit::ByUs);
    assert!(witness.is_gone());
    eventually_gone("nobody is left", &company).await;
}

#[tokio::test]
async fn others_survive_the_death_of_one() {
    let spawner = spawner();
    let doomed = spawner.spawn(scene("family")).await.unwrap();
    let other = spawner.spawn(scene("family")).await.unwrap();
    has_said(&doomed, "family").await;
    has_said(&other, "family").await;
    let (of_doomed, of_other) = (company(&doomed).await, company(&other).await);
    doomed.kill();
    exit_of(&doomed).await;
    eventually_gone("the doomed one's are gone", &of_doomed).await;
    assert!(of_other.iter().all(|one| !one.is_gone()));
    assert!(other.includes(other.pid()));
    assert!(
        !doomed.includes(doomed.pid()),
        "its number may be anybody's by now"
    );
    end(other).await;
}

#[tokio::test]
async fn a_process_includes_what_it_has_started_and_nobody_else() {
    let spawner = spawner();
    let one = spawner.spawn(scene("family")).await.unwrap();
    let other = spawner.spawn(scene("stay")).await.unwrap();
    has_said(&one, "family").await;
    let said = said(&one).await;
    let child = said
        .iter()
        .find_map(|line| line.strip_prefix(crate::helpers::COMPANY));
    assert!(one.includes(child.unwrap().parse().unwrap()));
    assert!(!one.includes(other.pid()) && !one.includes(std::process::id()));
    end(one).await;
    end(other).await;
}

#[tokio::test]
async fn a_kill_after_the_death_hits_nobody() {
    let process = spawner().spawn(scene("exit 0")).await.unwrap();
    exit_of(&process).await;
    process.kill();
    assert_eq!(exit_of(&process).await, Exit::Code(0));
}

#[tokio::test]
async fn a_dropped_process_ends() {
    let process = spawner().spawn(scene("stay")).await.unwrap();
    let witness = Witness::of(process.pid()).expect("it lives");
    has_said(&process, "ready").await;
    drop(process);
    eventually_gone("it is gone", &[witness]).await;
}

#[tokio::test]
async fn many_at_once_end_at_once() {
    let spawner = spawner();
    let mut processes = Vec::new();
    for _ in 0..15 {
        processes.push(spawner.spawn(scene("stay")).await.unwrap());
    }
    for process in &processes {
        process.kill();
    }
    for process in &processes {
        assert_eq!(exit_of(process).await, Exit::ByUs);
    }
}

#[tokio::test]
async fn a_command_that_does_not_exist_is_named() {
    let named = launch(&["no-such-command", "--help"]);
    let told = match spawner().spawn(named).await {
        Ok(process) => {
            assert_eq!(exit_of(&process).await, Exit::Code(127));
            process.last_lines().await.join(" ")
        }
        Err(error) => error.to_string(),
    };
    assert!(
        told.starts_with("cannot start `no-such-command`: "),
        "{told}"
    );
}
