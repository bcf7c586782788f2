//! How workers end when the service stops: asked on their pipe, and ended if they do not listen. The worker is this
//! test's own executable, started again, and speaks the wire by hand.

use std::io::{Read, Write};

use rmpv::Value;

use crate::helpers::{Service, standin};

/// The variable that makes this executable a worker, and says of which kind.
const KIND: &str = "TEST_WORKER_KIND";

/// More than any machine needs.
const LOOKS_MAX: u32 = 5000;

/// This is no test: it is the worker of the tests below.
#[test]
fn plays_a_worker() {
    let Ok(kind) = std::env::var(KIND) else {
        return;
    };
    let variable = |name: &str| std::env::var(name).expect("the service sets it");
    let mut pipe = connect(&variable("STANDIN_WORKER_ENDPOINT"));
    let map = |entries: Vec<(&str, Value)>| {
        let entries = entries.into_iter();
        Value::Map(entries.map(|(name, value)| (name.into(), value)).collect())
    };
    let method = map(vec![("name", "test.nothing".into())]);
    let hello = map(vec![
        ("token", variable("STANDIN_WORKER_TOKEN").into()),
        ("name", "test".into()),
        ("version", "1".into()),
        ("concurrency", 1.into()),
        ("methods", Value::Array(vec![method])),
    ]);
    let parts = vec![
        0.into(),
        1.into(),
        "worker.hello".into(),
        Value::Array(vec![hello]),
    ];
    let mut message = Vec::new();
    rmpv::encode::write_value(&mut message, &Value::Array(parts)).expect("there is room");
    pipe.write_all(&message).expect("the service listens");
    if kind == "deaf" {
        loop {
            std::thread::park();
        }
    }
    let mut heard = Vec::new();
    let mut piece = [0; 256];
    while !heard.windows(12).any(|word| word == b"worker.drain") {
        let count = pipe.read(&mut piece).expect("the service is there");
        assert_ne!(count, 0, "it hangs up without having asked");
        heard.extend_from_slice(&piece[..count]);
    }
}

#[cfg(unix)]
fn connect(endpoint: &str) -> std::os::unix::net::UnixStream {
    std::os::unix::net::UnixStream::connect(endpoint).expect("the service listens")
}

#[cfg(windows)]
fn connect(endpoint: &str) -> std::fs::File {
    let pipe = std::fs::File::options()
        .read(true)
        .write(true)
        .open(endpoint);
    pipe.expect("the service listens")
}

/// What a service says that had one such worker and was asked to stop.
fn log_of_a_stop(kind: &str) -> String {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("standin.toml");
    let program = std::env::current_exe().expect("it is known");
    let text = format!(
        "[pools.builtin]\nenabled = false\n\n[pools.test]\n\
         command = ['{}', 'stop::plays_a_worker', '--exact']\n\
         workers = {{ min = 1, max = 1, spare = 0 }}\ntimeouts = {{ stop = \"300ms\" }}\n\
         environment = {{ {KIND} = \"{kind}\" }}\n",
        program.display()
    );
    std::fs::write(&file, text).expect("there is room for it");
    let mut command = standin(&["serve", "--config"]);
    command.arg(&file);
    let service = Service::start_by(command);
    // Each look is a process of its own and takes its time.
    let is_ready = |_| {
        let status = service.ask(&["status", "--json"]);
        assert_eq!(status.code, Some(0), "{}", status.stderr);
        status.stdout.contains("\"state\": \"ready\"")
    };
    assert!((0..LOOKS_MAX).any(is_ready), "no worker gets ready");
    let ran = service.stop();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran.stderr
}

#[test]
fn a_worker_that_ends_when_it_is_asked_to_is_not_killed() {
    let log = log_of_a_stop("obedient");
    assert!(
        log.contains("a worker is gone") && log.contains("retired"),
        "{log}"
    );
    assert!(!log.contains("killing a worker"), "{log}");
}

#[test]
fn a_worker_that_does_not_end_when_it_is_asked_to_is_killed_after_its_time() {
    let log = log_of_a_stop("deaf");
    let words = "killed by Standin: it did not end when asked";
    assert!(
        log.contains("killing a worker") && log.contains(words),
        "{log}"
    );
}
