//! What a process prints, with real pipes.

use standin::process::Exit;

use crate::helpers::{end, exit_of, has_said, said, scene, spawner};

#[tokio::test]
async fn both_streams_are_kept_line_by_line() {
    let process = spawner().spawn(scene("streams")).await.unwrap();
    exit_of(&process).await;
    assert_eq!(said(&process).await, ["one", "two", "three"]);
}

#[tokio::test]
async fn lines_are_there_while_the_process_lives() {
    let process = spawner().spawn(scene("stay")).await.unwrap();
    has_said(&process, "ready").await;
    end(process).await;
}

#[tokio::test]
async fn only_the_last_lines_are_kept() {
    let process = spawner().spawn(scene("count 1000")).await.unwrap();
    assert_eq!(exit_of(&process).await, Exit::Code(0));
    let expected: Vec<String> = (981..=1000).map(|number| number.to_string()).collect();
    assert_eq!(said(&process).await, expected);
}

#[tokio::test]
async fn a_flood_is_read_to_its_end_and_holds_up_nobody() {
    let process = spawner().spawn(scene("flood 20000000")).await.unwrap();
    assert_eq!(exit_of(&process).await, Exit::Code(0));
    assert_eq!(said(&process).await.last().unwrap(), "end");
}

#[tokio::test]
async fn a_line_without_end_is_read_and_cut() {
    let process = spawner().spawn(scene("line 5000000")).await.unwrap();
    assert_eq!(exit_of(&process).await, Exit::Code(0));
    let lines = said(&process).await;
    assert_eq!(
        lines.iter().map(String::len).collect::<Vec<_>>(),
        [8 * 1024, 3]
    );
}

#[tokio::test]
async fn a_flooding_grandchild_does_not_hold_up_the_last_lines() {
    let process = spawner().spawn(scene("flooding_child")).await.unwrap();
    assert_eq!(exit_of(&process).await, Exit::Code(4));
    assert!(!said(&process).await.is_empty());
}

#[tokio::test]
async fn a_process_that_closed_its_output_lives_on() {
    let process = spawner().spawn(scene("close")).await.unwrap();
    assert_eq!(exit_of(&process).await, Exit::Code(5));
    assert_eq!(said(&process).await, ["ready"]);
}

/// What the same greeting looks like from a program that writes in another code page. What is no UTF-8 is replaced, one
/// mark for each piece of it; the rest of the line, and the lines after it, are what they were.
#[tokio::test]
async fn a_line_in_any_code_page_is_kept_as_far_as_it_can_be_read() {
    let spawner = spawner();
    for (code_page, greeting, expected) in [
        ("UTF-8", &b"Gr\xc3\xbc\xc3\x9fe!"[..], "Grüße!"),
        ("Windows 1252", b"Gr\xfc\xdfe!", "Gr\u{fffd}\u{fffd}e!"),
        ("MS-DOS 850", b"Gr\x81\xe1e!", "Gr\u{fffd}\u{fffd}e!"),
        ("Shift-JIS", b"\x93\xfa\x96{!", "\u{fffd}\u{fffd}\u{fffd}{!"),
        ("UTF-16", b"G\0r\0!\0", "G\u{fffd}r\u{fffd}!\u{fffd}"),
    ] {
        let line = [greeting, b"\r\nnext\r\n"].concat();
        let hex: String = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let process = spawner.spawn(scene(&format!("bytes {hex}"))).await.unwrap();
        assert_eq!(exit_of(&process).await, Exit::Code(0), "{code_page}");
        assert_eq!(said(&process).await, [expected, "next"], "{code_page}");
    }
}
