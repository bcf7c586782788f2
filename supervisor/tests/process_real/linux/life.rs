//! What only Linux has: signals, process groups, and what is left of a process that nobody has reaped.

use super::{SweepAtEnd, is_zombie, of_mark, shell, zombies};
use crate::helpers::{eventually, exit_of, has_said, launch, spawner};
use standin::process::Exit;

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
async fn a_killed_worker_takes_its_group_and_those_who_left_it_along() {
    // One grandchild in the group, one in a session of its own, and one of that one, whose parent is gone.
    let script = "sleep 600 & setsid sleep 600 & setsid sh -c 'setsid sleep 600 & exit 0' & wait %3; echo ready; wait";
    let launch = shell(script);
    let mark = launch.mark.clone();
    let _sweep = SweepAtEnd(mark.clone());
    let process = spawner().spawn(launch).await.unwrap();
    has_said(&process, "ready").await;
    eventually("all four run", async || of_mark(&mark).len() == 4).await;
    process.kill();
    assert_eq!(exit_of(&process).await, Exit::ByUs);
    assert!(!is_zombie(process.pid()));
    eventually("nobody is left", async || of_mark(&mark).is_empty()).await;
}

#[tokio::test]
async fn a_stopped_worker_can_be_killed() {
    let process = spawner()
        .spawn(shell("echo ready; kill -STOP $$"))
        .await
        .unwrap();
    has_said(&process, "ready").await;
    process.kill();
    assert_eq!(exit_of(&process).await, Exit::ByUs);
}

#[tokio::test]
async fn a_dropped_process_ends_and_leaves_no_zombie() {
    let launch = shell("echo ready; exec sleep 600");
    let mark = launch.mark.clone();
    let process = spawner().spawn(launch).await.unwrap();
    has_said(&process, "ready").await;
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
        assert_eq!(exit_of(process).await, Exit::ByUs);
        assert!(!is_zombie(process.pid()));
    }
}
