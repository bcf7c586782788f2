//! An actor fails before it has begun: whoever wanted it tries again, and nobody waits for it for ever.

use chaos_tests::{
    platform,
    raw_client::{RawClient, field, token},
    under_test::{eventually, pool_status, status, worker_pids},
};
use rmpv::Value;

use crate::{LIMIT, arm, is_whole, program, service, start, told};

#[test]
fn a_worker_that_fails_before_it_has_begun_is_as_one_that_does_not_start() {
    let under_test = service();
    let client = under_test.client();
    eventually(LIMIT, "both pools are whole", || is_whole(&client));
    arm(&client, "worker_begins/0");
    let workers = pool_status(&client, "chaos")["workers"].clone();
    let mut workers = workers.as_array().expect("a list").iter();
    let first = workers.find(|worker| worker["slot"] == 0);
    let pid = first.and_then(|worker| worker["pid"].as_u64());
    platform::kill(pid.expect("it has one") as u32);
    // What the next one in its place fails at is its beginning.
    eventually(LIMIT, "it is noticed, and another is started", || {
        let deaths = pool_status(&client, "chaos")["deaths"].clone();
        let deaths = deaths.as_array().expect("a list").clone();
        is_whole(&client) && deaths.len() == 2 && deaths[1]["cause"] == "could not be started"
    });
    let call = start(&client, "chaos.never", 1, 0);
    assert_eq!(told(&client, call), Ok(1));
}

#[test]
fn a_pool_that_fails_before_it_has_begun_is_replaced_and_its_calls_are_answered() {
    let under_test = service();
    let client = under_test.client();
    eventually(LIMIT, "both pools are whole", || is_whole(&client));
    let lost = worker_pids(&client, "chaos");
    arm(&client, "pool_begins/chaos");
    arm(&client, "pool/chaos");
    // The call is what the pool fails at, and the next one does so at its beginning.
    let call = start(&client, "chaos.never", 1, 0);
    assert_eq!(told(&client, call), Ok(1));
    eventually(LIMIT, "the pool is whole again", || is_whole(&client));
    let now = worker_pids(&client, "chaos");
    assert!(now.iter().all(|pid| !lost.contains(pid)));
    let log = under_test.log();
    let failures = log.matches("a pool's actor failed; another takes its place");
    assert_eq!(failures.count(), 2, "{log}");
}

#[test]
fn a_session_that_fails_before_it_has_begun_is_forgotten_and_its_client_comes_back_to_what_is_kept()
{
    let mut under_test = service();
    let endpoint = under_test.endpoint();
    under_test.client();
    let mut client = RawClient::connect(&endpoint);
    let session = token(&client.hello(None).expect("a session"));
    under_test.service.kill().expect("it lives");
    under_test.service.wait().expect("it dies");
    under_test.start_again(program());
    let other = under_test.client();
    let connected = status(&other)["sessions"].clone();
    arm(&other, "session_begins");
    // It is disconnected, and not left to wait.
    let mut client = RawClient::connect(&endpoint);
    client.ask_hello(Some(&session));
    assert_eq!(client.message(), None);
    let (client, hello) = RawClient::resume(&endpoint, &session);
    assert_eq!(field(&hello, "resumed"), &Value::Boolean(true));
    drop(client);
    eventually(LIMIT, "nobody is counted who is not there", || {
        status(&other)["sessions"] == connected
    });
}
