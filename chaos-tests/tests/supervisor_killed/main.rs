//! Whoever kills the service itself leaves nothing of it behind, and the next one begins at once.

mod guardian;

use std::{path::Path, time::Duration};

use chaos_tests::{
    hostile_worker::LEAVES_OTHERS_BEHIND,
    platform,
    under_test::{UnderTest, eventually, worker_pids},
};
use standin_client::{Endpoint, blocking::Client};

const LIMIT: Duration = Duration::from_secs(60);

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
    let (under_test, client) = start();
    eventually(LIMIT, "all workers run", || {
        under_test.descendants().len() >= 4
    });
    leave_things_behind(&client);
    is_killed_and_leaves_nothing(under_test);
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
    under_test.ask_to_stop();
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
        "its socket or pipe is gone"
    );
}

/// The names of what is in a folder, in order.
fn files(folder: &Path) -> Vec<std::ffi::OsString> {
    let files = std::fs::read_dir(folder).expect("it is there").flatten();
    let mut names: Vec<_> = files.map(|file| file.file_name()).collect();
    names.sort();
    names
}

fn is_killed_and_leaves_nothing(mut under_test: UnderTest) {
    let children = under_test.children();
    under_test.service.kill().expect("it lives");
    under_test.service.wait().expect("it dies");
    eventually(LIMIT, "nothing is left", || {
        under_test.descendants().is_empty() && children.iter().all(|pid| platform::is_gone(*pid))
    });
}

/// Everything that a worker can do to leave something behind.
fn leave_things_behind(client: &Client) {
    let kinds = ["abort", "garbage"].into_iter();
    for (id, misbehave) in kinds.chain(LEAVES_OTHERS_BEHIND).enumerate() {
        let id = id as u64 + 10;
        let arguments = serde_json::json!({ "id": id, "nonce": id, "misbehave": misbehave });
        let died = client.call::<_, u64>("chaos.never", &arguments);
        assert_eq!(
            died.expect_err("it dies of it").code(),
            Some("worker_lost"),
            "{misbehave}"
        );
    }
    for end in [platform::kill, platform::crash, platform::ask_to_end] {
        let pid = worker_pids(client, "chaos")[0];
        end(pid);
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
    let all = "only the workers are left of it all, and the guardian where there is one";
    eventually(LIMIT, all, || {
        under_test.descendants().len() == 4
            && under_test.children().len() == 4 + platform::GUARDIANS
    });
    assert_eq!(under_test.zombies(), 0);
    let children = under_test.children();
    under_test.ask_to_stop();
    let ended = under_test.service.wait().expect("it ends");
    assert!(ended.success(), "{ended}");
    eventually(LIMIT, "nothing is left", || {
        under_test.descendants().is_empty() && children.iter().all(|pid| platform::is_gone(*pid))
    });
    let folder = under_test.folder.path();
    // What stays on purpose, and the test's own.
    let own = &["ledger", "log", "standin.toml", "state"];
    let mut expected = [own, platform::FILES_KEPT].concat();
    expected.sort_unstable();
    assert_eq!(files(folder), expected);
    assert_eq!(
        files(&folder.join("state")),
        ["standin.ballast", "standin.db", "standin.lock"]
    );
}
