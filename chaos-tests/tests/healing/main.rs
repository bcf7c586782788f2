//! An actor of the service fails in the middle of its work: the layer above mends it, and callers get what they would
//! get after the death of a worker.
#![cfg(debug_assertions)]

mod beginning;
mod tasks;
mod whole;

use std::{path::Path, time::Duration};

use chaos_tests::{
    ledger::{self, Step},
    platform,
    under_test::{UnderTest, eventually, hostile_pool, pool_status, status, worker_pids},
};
use serde_json::{Value, json};
use standin_client::{CallError, Outcome, Pending, blocking::Client};

const LIMIT: Duration = Duration::from_secs(30);

const SHORT: Duration = Duration::from_millis(200);

/// How long a call runs that something is to happen to while it runs. A machine that runs everything at once needs more
/// than some tenths of a second until it happens.
const LONG_MS: u64 = 1500;

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_chaos-tests"))
}

fn service() -> UnderTest {
    let program = program();
    UnderTest::serve(program, |folder| {
        // The second pool offers the same methods, which the first one has; it only has to stay as it is.
        hostile_pool("chaos", program, folder, 2, "", "")
            + &hostile_pool("other", program, folder, 1, "", "")
    })
}

fn is_whole(client: &Client) -> bool {
    worker_pids(client, "chaos").len() == 3 && worker_pids(client, "other").len() == 2
}

fn arm(client: &Client, place: &str) {
    let armed = client.call("standin.failpoint", &json!({ "place": place }));
    assert_eq!(armed.ok(), Some(true), "failpoints are compiled in");
}

/// A call that takes so long before its effect, or after it where it has one.
fn start(client: &Client, method: &str, id: u64, work_ms: u64) -> Pending {
    let when = match method {
        "chaos.until_effect" => "after_ms",
        _ => "work_ms",
    };
    let arguments = json!({ "id": id, "nonce": id, when: work_ms });
    let call = client.request(method).arguments(&arguments).timeout(LIMIT);
    client.start(call).expect("it is sent")
}

fn told(client: &Client, pending: Pending) -> Result<u64, (String, Outcome)> {
    client.wait(pending).map_err(|error| match error {
        CallError::Service(answer) => (answer.code.into_owned(), answer.outcome),
        other => panic!("{other}"),
    })
}

fn begun(under_test: &UnderTest, id: u64) -> usize {
    let ledger = ledger::read(&under_test.ledger());
    let of = ledger.get(&id).map_or(&[][..], Vec::as_slice);
    of.iter().filter(|entry| entry.step == Step::Begun).count()
}

#[test]
fn a_failed_pool_is_replaced_and_no_call_is_lost_or_run_twice_against_its_promise() {
    let under_test = service();
    let client = under_test.client();
    eventually(LIMIT, "both pools are whole", || is_whole(&client));
    let (lost, kept) = (worker_pids(&client, "chaos"), worker_pids(&client, "other"));

    // Two run; the others wait in the queue.
    let running_always = start(&client, "chaos.always", 1, LONG_MS);
    let running_never = start(&client, "chaos.never", 2, LONG_MS);
    eventually(LIMIT, "both run", || {
        pool_status(&client, "chaos")["running"] == 2 && begun(&under_test, 2) == 1
    });
    let waiting_never = start(&client, "chaos.never", 3, 1);
    let waiting_until_effect = start(&client, "chaos.until_effect", 4, 1);
    eventually(LIMIT, "the others wait", || {
        pool_status(&client, "chaos")["queued"] == 2
    });
    arm(&client, "pool/chaos");
    // The question itself is what the pool fails at, unless a look of the monitor was quicker; then it is about to begin.
    let status = status(&client);
    let pools = status["pools"].as_array().expect("a list");
    let is_another = |pool: &Value| pool["name"] != "chaos" || pool["state"] == "starting";
    assert!(pools.iter().all(is_another), "{status}");

    assert_eq!(told(&client, running_always), Ok(1));
    assert_eq!(
        told(&client, running_never),
        Err(("worker_lost".to_owned(), Outcome::Unknown))
    );
    assert_eq!(told(&client, waiting_never), Ok(3));
    assert_eq!(told(&client, waiting_until_effect), Ok(4));
    assert_eq!(begun(&under_test, 2), 1, "it never runs twice");
    assert_eq!(begun(&under_test, 3), 1, "it never runs twice");

    eventually(LIMIT, "the pool is whole again", || is_whole(&client));
    assert_eq!(
        worker_pids(&client, "other"),
        kept,
        "the other pool saw nothing of it"
    );
    eventually(LIMIT, "the lost pool's workers are gone", || {
        let alive = under_test.descendants();
        lost.iter().all(|pid| !alive.contains(pid))
    });
    assert_eq!(under_test.descendants().len(), 5);
    assert_eq!(under_test.zombies(), 0);
    assert!(
        under_test
            .log()
            .contains("a pool's actor failed; another takes its place")
    );
}

#[test]
fn a_pool_that_fails_between_a_decision_and_its_act_answers_every_call_once() {
    let under_test = service();
    let client = under_test.client();
    eventually(LIMIT, "both pools are whole", || is_whole(&client));

    // It fails before it sends the call that it has decided to send: no worker saw it, so even this may go again.
    arm(&client, "pool_effect/chaos");
    let unsent = start(&client, "chaos.never", 1, 0);
    assert_eq!(told(&client, unsent), Ok(1));
    assert_eq!(begun(&under_test, 1), 1);

    // It fails with the worker's answer in its hand: the call was executed, and nobody knows any more.
    for (method, expected) in [
        ("chaos.always", Ok(2)),
        (
            "chaos.never",
            Err(("worker_lost".to_owned(), Outcome::Unknown)),
        ),
        (
            "chaos.until_effect",
            Err(("worker_lost".to_owned(), Outcome::Unknown)),
        ),
    ] {
        eventually(LIMIT, "both pools are whole", || is_whole(&client));
        let running = start(&client, method, 2, LONG_MS);
        eventually(LIMIT, "it runs", || {
            pool_status(&client, "chaos")["running"] == 1
        });
        if method == "chaos.until_effect" {
            // Its leave is an effect of the pool as well: that one is let pass.
            eventually(LIMIT, "it has its leave", || {
                let ledger = ledger::read(&under_test.ledger());
                ledger[&2].iter().any(|entry| entry.step == Step::Effect)
            });
        }
        arm(&client, "pool_effect/chaos");
        assert_eq!(told(&client, running), expected, "{method}");
    }
    let after = start(&client, "chaos.never", 3, 0);
    assert_eq!(told(&client, after), Ok(3));
}

#[test]
fn a_call_that_was_taken_back_stays_so_though_its_pool_fails_before_it_hears_of_it() {
    let under_test = service();
    let client = under_test.client();
    eventually(LIMIT, "both pools are whole", || is_whole(&client));
    let begun_already = start(&client, "chaos.always", 1, 60_000);
    let second = start(&client, "chaos.always", 2, LONG_MS);
    eventually(LIMIT, "both run", || {
        begun(&under_test, 1) == 1 && begun(&under_test, 2) == 1
    });
    arm(&client, "pool/chaos");
    // What the pool fails at is the news.
    client.cancel(&begun_already).expect("it is taken back");
    let answer = told(&client, begun_already);
    assert_eq!(answer, Err(("cancelled".to_owned(), Outcome::Unknown)));
    assert_eq!(told(&client, second), Ok(2), "others are made again");
}

#[test]
fn a_failed_worker_actor_is_as_a_killed_worker() {
    let under_test = service();
    let client = under_test.client();
    eventually(LIMIT, "both pools are whole", || is_whole(&client));
    for (id, method, expected) in [
        (1, "chaos.always", Ok(1)),
        (
            2,
            "chaos.never",
            Err(("worker_lost".to_owned(), Outcome::Unknown)),
        ),
        (
            3,
            "chaos.until_effect",
            Err(("worker_lost".to_owned(), Outcome::Unknown)),
        ),
    ] {
        let running = start(&client, method, id, LONG_MS);
        eventually(LIMIT, "it runs", || begun(&under_test, id) == 1);
        let busy = pool_status(&client, "chaos");
        let busy = busy["workers"].as_array().expect("a list").iter();
        let busy: Vec<_> = busy.filter(|worker| worker["state"] == "busy").collect();
        let [busy] = busy.as_slice() else {
            panic!("{busy:?}")
        };
        // The news of the death is what the actor fails at.
        arm(&client, &format!("worker/{}", busy["slot"]));
        let pid = busy["pid"].as_u64().expect("it has one") as u32;
        platform::kill(pid);
        assert_eq!(told(&client, running), expected, "{method}");
        eventually(LIMIT, "both pools are whole", || is_whole(&client));
        assert!(!worker_pids(&client, "chaos").contains(&pid));
    }
    assert!(
        under_test
            .log()
            .contains("a worker actor failed; its process is ended")
    );
    let pool = pool_status(&client, "chaos");
    assert_eq!(
        pool["deaths"][0]["cause"],
        "killed by Standin after a fault of Standin's own"
    );
    assert_eq!(under_test.zombies(), 0);
    assert_eq!(under_test.descendants().len(), 5);
}

#[test]
fn a_failed_session_is_gone_on_with_as_after_the_death_of_the_service_and_no_other_notices() {
    let under_test = service();
    let (client, other) = (under_test.client(), under_test.client());
    eventually(LIMIT, "both pools are whole", || is_whole(&other));
    let running = start(&client, "chaos.never", 1, LONG_MS);
    let same = start(&client, "chaos.always", 2, 2 * LONG_MS);
    eventually(LIMIT, "both run", || {
        pool_status(&other, "chaos")["running"] == 2
    });
    let elsewhere = start(&other, "chaos.never", 3, 1);
    // The answer to the first call is what the session fails at.
    arm(&client, "session");
    let unknown = Err(("outcome_unknown".to_owned(), Outcome::Unknown));
    assert_eq!(told(&client, running), unknown);
    assert_eq!(told(&client, same), Ok(2));
    assert_eq!(told(&other, elsewhere), Ok(3));
    assert_eq!((begun(&under_test, 1), begun(&under_test, 3)), (1, 1));
    let pong: String = client.call("standin.ping", &()).expect("it is served on");
    assert_eq!(pong, "pong");
    assert_eq!(status(&other)["sessions"], 2);
}

#[test]
fn a_failed_monitor_is_started_again() {
    let under_test = service();
    let client = under_test.client();
    eventually(LIMIT, "both pools are whole", || is_whole(&client));
    let measured = |client: &Client| {
        let pool = pool_status(client, "chaos");
        let workers = pool["workers"].as_array().expect("a list").iter();
        workers
            .filter(|worker| worker["rss_bytes"].as_u64() > Some(0))
            .count()
    };
    eventually(LIMIT, "memory is measured", || measured(&client) == 3);
    arm(&client, "monitor");
    eventually(LIMIT, "it fails", || {
        under_test
            .log()
            .contains("the monitor failed; it is started again")
    });
    // A worker of after the failure is measured as well.
    platform::kill(worker_pids(&client, "chaos")[0]);
    eventually(LIMIT, "memory is measured again", || {
        is_whole(&client) && measured(&client) == 3
    });
}

fn ends_with_an_error_and_leaves_nothing_behind(place: &str) {
    let mut under_test = service();
    let client = under_test.client();
    eventually(LIMIT, "both pools are whole", || is_whole(&client));
    let armed: Result<bool, _> = client.call(
        "standin.failpoint",
        &json!({ "place": place, "times": 100 }),
    );
    assert_eq!(armed.ok(), Some(true));
    let children = under_test.children();
    eventually(LIMIT, "the service ends", || {
        // What it is asked while it ends, and when it is gone, nobody need wait for.
        let call = client.request("standin.status").timeout(SHORT);
        let _ = client.send_raw(call);
        under_test
            .service
            .try_wait()
            .is_ok_and(|exit| exit.is_some())
    });
    let exit = under_test
        .service
        .try_wait()
        .expect("it has ended")
        .expect("it has ended");
    assert_eq!(exit.code(), Some(3), "{}", under_test.log());
    assert!(
        under_test.log().contains("failed and could not be mended"),
        "{}",
        under_test.log()
    );
    eventually(LIMIT, "nothing is left", || {
        under_test.descendants().is_empty() && children.iter().all(|pid| platform::is_gone(*pid))
    });
}

#[test]
fn a_pool_that_fails_again_and_again_ends_the_service_which_leaves_nothing_behind() {
    ends_with_an_error_and_leaves_nothing_behind("pool/chaos");
}

#[test]
fn what_keeps_the_pools_and_fails_again_and_again_ends_the_service_which_leaves_nothing_behind() {
    ends_with_an_error_and_leaves_nothing_behind("pools");
}

#[test]
fn a_pool_that_fails_while_the_service_stops_does_not_keep_it_from_stopping() {
    let mut under_test = service();
    let client = under_test.client();
    eventually(LIMIT, "both pools are whole", || is_whole(&client));
    let running = start(&client, "chaos.always", 1, 5000);
    eventually(LIMIT, "it runs", || begun(&under_test, 1) == 1);
    // The one in its place takes nothing more, and must not say that nothing was done.
    arm(&client, "pool_stop/chaos");
    under_test.ask_to_stop();
    let refused = Err(("shutting_down".to_owned(), Outcome::Unknown));
    assert_eq!(told(&client, running), refused);
    let exit = under_test.service.wait().expect("it ends");
    assert!(exit.success(), "{exit}\n{}", under_test.log());
    eventually(LIMIT, "nothing is left", || {
        under_test.descendants().is_empty()
    });
}
