//! The service under a service manager, played by the test: what it tells, and whose socket it serves.

use std::{
    io::{Read, Write},
    os::{
        fd::OwnedFd,
        unix::net::{UnixDatagram, UnixListener, UnixStream},
    },
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::helpers::{run, standin};

/// Longer than any machine takes; a test that waits this long has failed.
const LIMIT: Duration = Duration::from_secs(60);

/// `[0, 1, "standin.ping", []]` and its answer `[1, 1, nil, "pong"]`.
const PING: &[u8] = b"\x94\x00\x01\xacstandin.ping\x90";
const PONG: &[u8] = b"\x94\x01\x01\xc0\xa4pong";

/// A service that does not outlive the test.
struct Served(Child);

impl Served {
    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).expect("it runs");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_manager_hears_ready_once_clients_get_in_then_signs_of_life_then_stopping() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let endpoint = folder.path().join("s.sock");
    let notify = folder.path().join("notify");
    let manager = UnixDatagram::bind(&notify).expect("the name is free");
    manager.set_read_timeout(Some(LIMIT)).expect("it is not 0");
    let next = || {
        let mut buffer = [0; 256];
        let length = manager.recv(&mut buffer).expect("the manager is told");
        String::from_utf8_lossy(&buffer[..length]).trim().to_owned()
    };
    let mut command = standin(&["serve", "--endpoint"]);
    command.arg(&endpoint).stderr(Stdio::null());
    command
        .env("STANDIN_STATE", folder.path().join("state"))
        .env("NOTIFY_SOCKET", &notify)
        .env("WATCHDOG_USEC", "200000")
        .env_remove("WATCHDOG_PID");
    let mut service = Served(command.spawn().expect("the binary starts"));
    assert_eq!(next(), "READY=1");
    UnixStream::connect(&endpoint).expect("who is told that it is ready gets in");
    assert_eq!(next(), "WATCHDOG=1");
    assert_eq!(next(), "WATCHDOG=1");
    service.signal(Signal::TERM);
    while next() != "STOPPING=1" {}
    assert!(service.0.wait().expect("it ends").success());
}

/// Starts the service as systemd does: the socket is handle 3, and the variables name the process. The shell becomes
/// the service.
fn activated(handle: OwnedFd, runtime: &Path) -> Command {
    let inner = standin(&["serve"]);
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$0\" serve 3<&0 </dev/null",
        ])
        .arg(inner.get_program())
        .env("RUNTIME_DIRECTORY", runtime)
        .env("STATE_DIRECTORY", runtime.with_file_name("state"))
        .stdin(Stdio::from(handle));
    for variable in [
        "STANDIN_CONFIG",
        "STANDIN_ENDPOINT",
        "STANDIN_LOG",
        "STANDIN_STATE",
    ] {
        command.env_remove(variable);
    }
    command
}

/// Connects and asks, which the system allows as long as somebody listens, served or not.
fn ask(endpoint: &Path) -> UnixStream {
    let mut client = UnixStream::connect(endpoint).expect("somebody listens");
    client.set_read_timeout(Some(LIMIT)).expect("it is not 0");
    client.write_all(PING).expect("the system keeps it");
    client
}

fn is_answered(mut client: UnixStream) {
    let mut answer = vec![0; PONG.len()];
    client.read_exact(&mut answer).expect("it is answered");
    assert_eq!(answer, PONG);
}

#[test]
fn clients_that_connect_before_the_service_starts_or_after_it_was_killed_are_served() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let (endpoint, runtime) = (folder.path().join("s.sock"), folder.path().join("run"));
    std::fs::create_dir(&runtime).expect("the name is free");
    let listener = UnixListener::bind(&endpoint).expect("the name is free");
    let start = || {
        let handle = listener.try_clone().expect("there are handles");
        let mut command = activated(handle.into(), &runtime);
        Served(command.stderr(Stdio::null()).spawn().expect("it starts"))
    };
    let early = ask(&endpoint);
    let mut first = start();
    is_answered(early);
    assert!(
        runtime.join("s.sock.workers").is_dir() && !folder.path().join("s.sock.workers").exists(),
        "beside a socket that is not ours nothing is made"
    );
    first.signal(Signal::KILL);
    first.0.wait().expect("it is dead");
    let between = ask(&endpoint);
    let mut second = start();
    is_answered(between);
    second.signal(Signal::TERM);
    assert!(second.0.wait().expect("it ends").success());
    // It has left the socket to whom it belongs.
    let last = ask(&endpoint);
    let _third = start();
    is_answered(last);
}

#[test]
fn a_handle_that_is_no_listening_socket_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let refused = |handle: OwnedFd, reason: &str| {
        let output = activated(handle, folder.path()).output();
        let output = output.expect("the binary starts");
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{words}");
        assert!(words.contains(reason), "{words}");
    };
    let file = tempfile::tempfile().expect("there is room for a file");
    refused(file.into(), "the service manager handed over no socket");
    let datagrams = UnixDatagram::bind(folder.path().join("d")).expect("the name is free");
    refused(datagrams.into(), "handle 3 is no stream socket");
    let (one, _other) = UnixStream::pair().expect("there are handles");
    refused(one.into(), "handle 3 is a socket that does not listen");
}

#[test]
fn the_units_can_be_read_before_anything_is_installed() {
    let ran = run(&["service", "install", "--print"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    for line in [
        "# /etc/systemd/system/standin.socket",
        "# /etc/systemd/system/standin.service",
        "Type=notify",
        "TimeoutStartSec=infinity",
        "DynamicUser=yes",
        "SocketMode=0600",
    ] {
        assert!(ran.stdout.lines().any(|it| it == line), "{}", ran.stdout);
    }
    let ran = run(&["service", "install", "--print", "--user", "a b"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("`a b` is no name"), "{}", ran.stderr);
}

#[test]
fn without_systemd_every_verb_says_so_and_what_to_do() {
    if Path::new("/run/systemd/system").exists() {
        // Here the verbs would do what they are for. `.ci/service` runs where there is no systemd.
        return;
    }
    for verb in ["install", "uninstall", "start", "stop", "status"] {
        let ran = run(&["service", verb]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""), "{verb}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(ran.stderr, @r"
            error: systemd is not running here, so there is nothing that could run the service
            (hint: run `standin serve` from whatever starts programs here; `standin service install --print` shows the units)
            ");
        }
    }
}
