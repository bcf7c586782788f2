//! The processes that these tests start: this executable itself, started again to play a scene. So they behave the
//! same wherever the tests run, and nothing needs to be installed.

use std::{
    io::{Write, stderr, stdout},
    process::{Child, Command},
};

use crate::helpers::{COMPANY, SCENE, actor};

/// This is no test: it is what the tests start, with [`SCENE`] set.
#[test]
fn plays_a_scene() {
    let Ok(scene) = std::env::var(SCENE) else {
        return;
    };
    let (scene, with) = scene.split_once(' ').unwrap_or((&scene, ""));
    let number = || with.parse::<usize>().unwrap();
    match scene {
        "exit" => leave(with.parse().unwrap()),
        "panic" => panic!("{with}"),
        "abort" => std::process::abort(),
        "access" => touch_nothing(),
        "status" => leave(u32::from_str_radix(with, 16).unwrap().cast_signed()),
        "stay" => stay(),
        "wait" => park(),
        "say" => say(with),
        "tell" => tell_about_itself(),
        "family" => family(with),
        "bare_child" => bare_child(),
        "last_words" => last_words(),
        "streams" => streams(),
        "bytes" => bytes(with),
        "count" => (1..=number()).for_each(|number| say(&number.to_string())),
        "flood" => flood(number(), "y\n"),
        "line" => flood(number(), "x"),
        "flooding_child" => flooding_child(),
        "close" => close_output(),
        "write" => write_through(number()),
        "service" => crate::killed_service::play(with),
        #[cfg(windows)]
        _ => crate::windows::play(scene, with),
        #[cfg(not(windows))]
        _ => panic!("there is no scene `{scene}`"),
    }
    leave(0);
}

#[expect(
    clippy::disallowed_methods,
    reason = "what the test's own runner prints at the end is not wanted"
)]
pub(crate) fn leave(code: i32) -> ! {
    std::process::exit(code)
}

/// Says a line, whole and at once.
pub(crate) fn say(line: &str) {
    stdout().write_all(format!("{line}\n").as_bytes()).unwrap();
}

pub(crate) fn stay() -> ! {
    say("ready");
    park()
}

fn park() -> ! {
    loop {
        std::thread::park();
    }
}

fn touch_nothing() {
    let nowhere = std::hint::black_box(std::ptr::null::<u8>().wrapping_add(8));
    // SAFETY: none at all: this is a crash.
    unsafe { nowhere.read_volatile() };
}

/// Arguments, folder and environment, one a line.
fn tell_about_itself() {
    let arguments: Vec<String> = std::env::args().skip_while(|one| one != "--").collect();
    for argument in arguments.iter().skip(1) {
        say(&format!("argument {argument}"));
    }
    say(&format!(
        "folder {}",
        std::env::current_dir().unwrap().display()
    ));
    for name in ["EXTRA", "STANDIN_PARENT"] {
        say(&format!(
            "{name} {}",
            std::env::var(name).unwrap_or_else(|_| "none".into())
        ));
    }
}

/// Starts somebody who plays another scene and prints into the same pipes.
pub(crate) fn start(scene: &str) -> Child {
    let (program, arguments) = actor();
    let mut command = Command::new(program);
    command.args(arguments).env(SCENE, scene);
    let child = command.spawn().unwrap();
    say(&format!("{COMPANY}{}", child.id()));
    child
}

/// A child that stays; with `deep` also a grandchild whose parent is gone. Says `family` when all are there.
fn family(kind: &str) {
    let mut child = start("stay");
    if kind == "deep" {
        let mut parent = start("family abandoned");
        parent.wait().unwrap();
    }
    if kind == "abandoned" {
        leave(0);
    }
    say("family");
    child.wait().unwrap();
}

/// A child that has nothing in its environment.
fn bare_child() {
    let mut command = Command::new("sleep");
    command.arg("1000").env_clear();
    // It outlives its parent, and who reads its parent's output would wait for it.
    command.stdout(std::process::Stdio::null());
    let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    say(&format!("{COMPANY}{}", child.id()));
    say("family");
    child.wait().unwrap();
}

#[expect(
    clippy::zombie_processes,
    reason = "whom it leaves behind is what the scene is about"
)]
fn last_words() {
    let _holds_the_pipe = start("wait");
    stdout().write_all(b"last words").unwrap();
    stdout().flush().unwrap();
    leave(3);
}

/// One line after the other on both streams. The pause is so long that whoever reads both sees the order.
fn streams() {
    say("one");
    pause();
    stderr().write_all(b"two\n").unwrap();
    pause();
    stdout().write_all(b"three").unwrap();
    stdout().flush().unwrap();
}

/// Bytes given as hex digits, as they are.
fn bytes(hex: &str) {
    let digits = hex.as_bytes().chunks(2);
    let bytes: Vec<u8> = digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    stdout().write_all(&bytes).unwrap();
    stdout().flush().unwrap();
}

/// That many bytes of the same, and then `end` on a line of its own.
fn flood(count: usize, with: &str) {
    let piece = with.repeat(4096 / with.len());
    let mut stdout = stdout().lock();
    for _ in 0..count / piece.len() {
        stdout.write_all(piece.as_bytes()).unwrap();
    }
    stdout.write_all(b"\nend\n").unwrap();
    stdout.flush().unwrap();
}

#[expect(
    clippy::zombie_processes,
    reason = "whom it leaves behind is what the scene is about"
)]
fn flooding_child() {
    let _floods = start("flood 100000000000");
    say("begun");
    leave(4);
}

/// Nobody can write there any more, and it lives on for a while.
fn close_output() {
    say("ready");
    #[cfg(unix)]
    let both = {
        use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
        let both = [stdout().as_raw_fd(), stderr().as_raw_fd()];
        // SAFETY: nobody uses them from here on.
        both.map(|one| unsafe { OwnedFd::from_raw_fd(one) })
    };
    #[cfg(windows)]
    let both = {
        use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
        let both = [stdout().as_raw_handle(), stderr().as_raw_handle()];
        // SAFETY: nobody uses them from here on.
        both.map(|one| unsafe { OwnedHandle::from_raw_handle(one) })
    };
    drop(both);
    pause();
    leave(5);
}

/// Uses a handle that is somebody else's, if it is there.
fn write_through(number: usize) {
    #[cfg(unix)]
    // SAFETY: nobody here uses that number, and it is given back below.
    let mut file = unsafe { std::os::fd::FromRawFd::from_raw_fd(i32::try_from(number).unwrap()) };
    #[cfg(windows)]
    // SAFETY: nobody here uses that handle, and it is given back below.
    let mut file = unsafe {
        let handle = std::ptr::without_provenance_mut(number);
        std::os::windows::io::FromRawHandle::from_raw_handle(handle)
    };
    let _ = std::fs::File::write_all(&mut file, b"mine");
    std::mem::forget(file);
    say("tried");
}

/// A while in which it lives and does nothing. Nothing waits for it.
#[expect(clippy::disallowed_methods, reason = "this is what the scene is about")]
fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(300));
}
