//! One process from its start to its end, with real processes and real signals.

use super::helpers::{
    SweepAtEnd, end, eventually, exit_of, is_zombie, launch, of_mark, printed, shell, spawner,
    zombies,
};
use standin::process::{Exit, SpawnError};

#[tokio::test]
async fn exit_codes_and_signals_are_told_apart() {
    let spawner = spawner();
    for (script, expected) in [
        ("exit 0", Exit::Code(0)),
        ("exit 3", Exit::Code(3)),
        ("kill -SEGV $$", Exit::Signal(11)),
        ("kill -TERM $$", Exit::Signal(15)),
        ("kill -KILL $$", Exit::Signal(9)),
    ] {
        let process = spawner.spawn(shell(script)).await.unwrap();
        assert_eq!(exit_of(&process).await, expected, "{script}");
    }
}

#[tokio::test]
async fn a_command_that_does_not_exist_ends_with_127_and_says_so() {
    let process = spawner()
        .spawn(launch(&["no-such-command", "--help"]))
        .await
        .unwrap();
    assert_eq!(exit_of(&process).await, Exit::Code(127));
    let expected = ["cannot start `no-such-command`: No such file or directory"];
    assert_eq!(process.last_lines().await, expected);
}

#[tokio::test]
async fn a_command_that_cannot_be_run_ends_with_126_and_says_so() {
    let process = spawner().spawn(launch(&["/etc/passwd"])).await.unwrap();
    assert_eq!(exit_of(&process).await, Exit::Code(126));
    assert_eq!(
        process.last_lines().await,
        ["cannot start `/etc/passwd`: Permission denied"]
    );
}

#[tokio::test]
async fn a_folder_that_does_not_exist_is_named() {
    let mut launch = shell("exit 0");
    launch.folder = Some("/no/such/folder".into());
    let error = spawner().spawn(launch).await.unwrap_err();
    assert!(matches!(error, SpawnError::Folder { .. }), "{error:?}");
    let expected = "cannot start `sh`: its folder `/no/such/folder` cannot be used: No such file or directory (os error 2)";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_worker_gets_its_arguments_and_folder_and_environment_and_nothing_else() {
    let mut launch = launch(&[
        "sh",
        "-c",
        "echo $0 $1; pwd; echo $EXTRA; echo ${STANDIN_PARENT-none}; ulimit -c",
        "--",
        "-x",
    ]);
    launch.folder = Some("/".into());
    launch.environment.push(("EXTRA".into(), "more".into()));
    let process = spawner().spawn(launch).await.unwrap();
    assert_eq!(exit_of(&process).await, Exit::Code(0));
    assert_eq!(
        process.last_lines().await,
        ["-- -x", "/", "more", "none", "0"]
    );
}

#[tokio::test]
async fn handles_of_the_service_do_not_reach_a_worker() {
    use std::os::fd::AsRawFd;
    let open = std::fs::File::open("/").unwrap();
    rustix::io::fcntl_setfd(&open, rustix::io::FdFlags::empty()).unwrap();
    let script = format!(
        "test -e /proc/self/fd/{} && echo leaked; echo done",
        open.as_raw_fd()
    );
    let process = spawner().spawn(shell(&script)).await.unwrap();
    exit_of(&process).await;
    assert_eq!(process.last_lines().await, ["done"]);
}

#[tokio::test]
async fn a_grandchild_that_holds_stdout_does_not_delay_the_death() {
    let launch = shell("sleep 600 & printf 'last words'; exit 3");
    let mark = launch.mark.clone();
    let process = spawner().spawn(launch).await.unwrap();
    assert_eq!(exit_of(&process).await, Exit::Code(3));
    assert_eq!(process.last_lines().await, ["last words"]);
    eventually("the grandchild is gone", async || of_mark(&mark).is_empty()).await;
}

#[tokio::test]
async fn a_killed_worker_takes_its_group_and_those_who_left_it_along() {
    // One grandchild in the group, one in a session of its own, and one of that one, whose parent is gone.
    let script = "sleep 600 & setsid sleep 600 & setsid sh -c 'setsid sleep 600 & exit 0' & wait %3; echo ready; wait";
    let launch = shell(script);
    let mark = launch.mark.clone();
    let _sweep = SweepAtEnd(mark.clone());
    let process = spawner().spawn(launch).await.unwrap();
    printed(&process, "ready").await;
    eventually("all four run", async || of_mark(&mark).len() == 4).await;
    process.kill();
    assert_eq!(exit_of(&process).await, Exit::Signal(9));
    assert!(!is_zombie(process.pid()));
    eventually("nobody is left", async || of_mark(&mark).is_empty()).await;
}

#[tokio::test]
async fn others_survive_the_death_of_one() {
    let spawner = spawner();
    let family = || shell("setsid sleep 600 & echo ready; wait");
    let (doomed, other) = (family(), family());
    let (doomed_mark, other_mark) = (doomed.mark.clone(), other.mark.clone());
    let _sweeps = [doomed_mark.clone(), other_mark.clone()].map(SweepAtEnd);
    let doomed = spawner.spawn(doomed).await.unwrap();
    let other = spawner.spawn(other).await.unwrap();
    printed(&doomed, "ready").await;
    printed(&other, "ready").await;
    doomed.kill();
    exit_of(&doomed).await;
    eventually("the doomed one's are gone", async || {
        of_mark(&doomed_mark).is_empty()
    })
    .await;
    assert_eq!(of_mark(&other_mark).len(), 2);
    assert!(other.includes(other.pid()));
    assert!(
        !doomed.includes(doomed.pid()),
        "its number may be anybody's by now"
    );
    end(other).await;
}

#[tokio::test]
async fn a_kill_after_the_death_hits_nobody() {
    let process = spawner().spawn(shell("exit 0")).await.unwrap();
    exit_of(&process).await;
    process.kill();
    assert_eq!(exit_of(&process).await, Exit::Code(0));
}

#[tokio::test]
async fn a_stopped_worker_can_be_killed() {
    let process = spawner()
        .spawn(shell("echo ready; kill -STOP $$"))
        .await
        .unwrap();
    printed(&process, "ready").await;
    process.kill();
    assert_eq!(exit_of(&process).await, Exit::Signal(9));
}

#[tokio::test]
async fn a_dropped_process_ends_and_leaves_no_zombie() {
    let launch = shell("echo ready; exec sleep 600");
    let mark = launch.mark.clone();
    let process = spawner().spawn(launch).await.unwrap();
    printed(&process, "ready").await;
    let pid = process.pid();
    drop(process);
    eventually("it is gone", async || {
        of_mark(&mark).is_empty() && !is_zombie(pid)
    })
    .await;
}

#[tokio::test]
async fn a_process_nobody_waits_for_any_more_ends_and_leaves_no_zombie() {
    let spawner = spawner();
    let launch = shell("exec sleep 600");
    let mark = launch.mark.clone();
    {
        // Polled once, so the order is given, then given up, most likely before it has been carried out.
        let mut once = std::task::Context::from_waker(std::task::Waker::noop());
        let _ = std::pin::pin!(spawner.spawn(launch)).poll(&mut once);
    }
    // The spawning thread takes one order after the other.
    let next = spawner.spawn(shell("exit 0")).await.unwrap();
    exit_of(&next).await;
    eventually("it is gone", async || {
        of_mark(&mark).is_empty() && zombies().is_empty()
    })
    .await;
}

#[tokio::test]
async fn many_at_once_leave_no_zombie() {
    let spawner = spawner();
    let mut processes = Vec::new();
    for _ in 0..30 {
        processes.push(spawner.spawn(shell("exec sleep 600")).await.unwrap());
    }
    for process in &processes {
        process.kill();
    }
    for process in &processes {
        assert_eq!(exit_of(process).await, Exit::Signal(9));
        assert!(!is_zombie(process.pid()));
    }
}
