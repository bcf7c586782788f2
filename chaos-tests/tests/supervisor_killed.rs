//! Whoever kills the service itself leaves nothing of it behind, and the next one begins at once.
#![cfg(unix)]

use std::{path::Path, time::Duration};

use chaos_tests::under_test::{UnderTest, eventually};
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
    under_test.signal(rustix::process::Signal::TERM);
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
