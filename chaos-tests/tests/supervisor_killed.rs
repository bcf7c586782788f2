//! Whoever kills the service itself leaves nothing of it behind, and the next one begins at once.
#![cfg(unix)]

use std::{path::Path, time::Duration};

use chaos_tests::under_test::{UnderTest, eventually, signal_process, worker_pids};
use rustix::process::Signal;
use standin_client::{Endpoint, blocking::Client};

const LIMIT: Duration = Duration::from_secs(20);

fn start() -> (UnderTest, Client) {
    let under_test = UnderTest::start(Path::new(env!("CARGO_BIN_EXE_chaos-tests")), 3, "", "");
    let client = Client::connect(&under_test.endpoint(), LIMIT).expect("the service starts");
    let arguments = serde_json::json!({ "id": 1, "nonce": 1 });
    let _: u64 = client
        .call("chaos.always", &arguments)
        .expect("the workers start");
    (under_test, client)
}

#[test]
fn a_killed_service_leaves_no_process_behind() {
    let (mut under_test, _client) = start();
    eventually(LIMIT, "all workers run", || {
        under_test.descendants().len() >= 4
    });
    under_test.service.kill().expect("it lives");
    under_test.service.wait().expect("it dies");
    eventually(LIMIT, "no worker is left", || {
        under_test.descendants().is_empty()
    });
}

#[test]
fn a_service_that_is_asked_to_stop_finishes_what_runs_and_ends_its_workers() {
    let (mut under_test, client) = start();
    let endpoint: Endpoint = under_test.endpoint();
    let slow = std::thread::spawn(move || {
        let client = Client::connect(&endpoint, LIMIT).expect("it is there");
        client.call::<_, u64>(
            "chaos.never",
            &serde_json::json!({ "id": 2, "nonce": 2, "work_ms": 1000 }),
        )
    });
    eventually(LIMIT, "the slow call runs", || {
        let status: serde_json::Value = client.call("standin.status", &()).expect("it answers");
        status["pools"][0]["running"] == 1
    });
    under_test.signal(Signal::TERM);
    assert_eq!(
        slow.join()
            .expect("the client lives")
            .expect("the call is answered"),
        2
    );
    eventually(LIMIT, "the service ends", || {
        under_test
            .service
            .try_wait()
            .is_ok_and(|exit| exit.is_some())
    });
    assert!(under_test.descendants().is_empty());
    assert!(
        !under_test.endpoint().as_path().exists(),
        "its socket is gone"
    );
}

/// The process that outlives the service for a moment.
fn guardian(under_test: &UnderTest) -> Option<u32> {
    let is_guardian = |pid: &u32| {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        name.trim() == "standin-guard"
    };
    let children = under_test.children();
    children.into_iter().map(|(pid, _)| pid).find(is_guardian)
}

fn is_gone(pid: u32) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}

/// Everything that a worker can do to leave something behind.
fn leave_things_behind(client: &Client) {
    for (id, misbehave) in [
        "abort",
        "grandchild",
        "escaped_grandchild",
        "close_pipe",
        "garbage",
    ]
    .into_iter()
    .enumerate()
    {
        let id = id as u64 + 10;
        let arguments = serde_json::json!({ "id": id, "nonce": id, "misbehave": misbehave });
        let died = client.call::<_, u64>("chaos.never", &arguments);
        assert_eq!(
            died.expect_err("it dies of it").code(),
            Some("worker_lost"),
            "{misbehave}"
        );
    }
    for signal in [Signal::KILL, Signal::SEGV, Signal::TERM] {
        let pid = worker_pids(client, "chaos")[0];
        signal_process(pid, signal);
        eventually(LIMIT, "it is replaced", || {
            let pids = worker_pids(client, "chaos");
            pids.len() == 4 && !pids.contains(&pid)
        });
    }
}

#[test]
fn after_all_kinds_of_deaths_a_stop_leaves_no_process_no_zombie_and_no_file() {
    let (mut under_test, client) = start();
    leave_things_behind(&client);
    eventually(LIMIT, "only the workers are left of it all", || {
        under_test.descendants().len() == 4
    });
    assert_eq!(under_test.zombies(), 0);
    let children = under_test.children();
    assert_eq!(
        children.len(),
        5,
        "four workers and the guardian: {children:?}"
    );
    under_test.signal(Signal::TERM);
    let ended = under_test.service.wait().expect("it ends");
    assert!(ended.success(), "{ended}");
    eventually(LIMIT, "nothing is left", || {
        under_test.descendants().is_empty() && children.iter().all(|(pid, _)| is_gone(*pid))
    });
    let left = std::fs::read_dir(under_test.folder.path())
        .expect("it is there")
        .flatten();
    let mut left: Vec<_> = left.map(|file| file.file_name()).collect();
    left.sort();
    // The lock and the state stay on purpose; the rest is the test's own.
    assert_eq!(left, ["ledger", "log", "s.lock", "s.state", "standin.toml"]);
}

#[test]
fn a_killed_guardian_is_replaced_and_the_service_may_be_killed_all_the_same() {
    let (mut under_test, client) = start();
    eventually(LIMIT, "there is a guardian", || {
        guardian(&under_test).is_some()
    });
    let first = guardian(&under_test).expect("there is one");
    signal_process(first, Signal::KILL);
    eventually(LIMIT, "there is another guardian", || {
        guardian(&under_test).is_some_and(|second| second != first)
    });
    assert!(is_gone(first));
    leave_things_behind(&client);
    let children = under_test.children();
    under_test.service.kill().expect("it lives");
    under_test.service.wait().expect("it dies");
    eventually(LIMIT, "nothing is left", || {
        under_test.descendants().is_empty() && children.iter().all(|(pid, _)| is_gone(*pid))
    });
}
