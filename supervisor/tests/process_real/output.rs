//! What a process prints, with real pipes.

use super::helpers::{SweepAtEnd, end, exit_of, printed, shell, spawner};
use standin::process::Exit;

#[tokio::test]
async fn both_streams_are_kept_line_by_line() {
    let process = spawner()
        .spawn(shell(
            "echo one; sleep 0.1; echo two >&2; sleep 0.1; printf three",
        ))
        .await
        .unwrap();
    exit_of(&process).await;
    assert_eq!(process.last_lines().await, ["one", "two", "three"]);
}

#[tokio::test]
async fn lines_are_there_while_the_process_lives() {
    let process = spawner()
        .spawn(shell("echo ready; exec sleep 600"))
        .await
        .unwrap();
    printed(&process, "ready").await;
    end(process).await;
}

#[tokio::test]
async fn only_the_last_lines_are_kept() {
    let process = spawner().spawn(shell("seq 1 1000")).await.unwrap();
    assert_eq!(exit_of(&process).await, Exit::Code(0));
    let expected: Vec<String> = (981..=1000).map(|number| number.to_string()).collect();
    assert_eq!(process.last_lines().await, expected);
}

#[tokio::test]
async fn a_flood_is_read_to_its_end() {
    let process = spawner()
        .spawn(shell("yes | head -c 20000000; echo; echo end"))
        .await
        .unwrap();
    assert_eq!(exit_of(&process).await, Exit::Code(0));
    assert_eq!(
        process.last_lines().await.last().map(String::as_str),
        Some("end")
    );
}

#[tokio::test]
async fn a_line_without_end_is_read_and_cut() {
    let process = spawner()
        .spawn(shell(
            "head -c 5000000 /dev/zero | tr '\\0' x; echo; echo end",
        ))
        .await
        .unwrap();
    assert_eq!(exit_of(&process).await, Exit::Code(0));
    let lines = process.last_lines().await;
    assert_eq!(
        lines.iter().map(String::len).collect::<Vec<_>>(),
        [8 * 1024, 3]
    );
}

#[tokio::test]
async fn a_flooding_grandchild_does_not_hold_up_the_last_lines() {
    let launch = shell("setsid yes & echo begun; exit 4");
    let _sweep = SweepAtEnd(launch.mark.clone());
    let process = spawner().spawn(launch).await.unwrap();
    assert_eq!(exit_of(&process).await, Exit::Code(4));
    assert!(!process.last_lines().await.is_empty());
}

#[tokio::test]
async fn a_process_that_closed_its_output_lives_on() {
    let process = spawner()
        .spawn(shell("echo ready; exec >&- 2>&-; sleep 0.3; exit 5"))
        .await
        .unwrap();
    assert_eq!(exit_of(&process).await, Exit::Code(5));
    assert_eq!(process.last_lines().await, ["ready"]);
}
