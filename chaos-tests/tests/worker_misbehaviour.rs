//! What a caller is told when a worker misbehaves, case by case.

use std::{
    io::{BufReader, Write},
    path::Path,
    time::Duration,
};

use chaos_tests::{
    hostile_worker::{BREAKS_THE_PROTOCOL, ENDS, IS_ODD, LEAVES_OTHERS_BEHIND},
    platform,
    under_test::{UnderTest, eventually, pool_status, worker_pids},
};
use standin_client::{CallError, Outcome, blocking::Client};

/// Nothing here takes long; a flood does on a loaded machine, where each write goes through Wine's server.
const LIMIT: Duration = Duration::from_secs(120);

fn service(pool: &str) -> (UnderTest, Client) {
    let under_test = UnderTest::start(Path::new(env!("CARGO_BIN_EXE_chaos-tests")), 2, pool, "");
    let client = Client::connect(&under_test.endpoint(), LIMIT).expect("the service starts");
    (under_test, client)
}

fn call(client: &Client, method: &str, id: u64, misbehave: &str) -> Result<u64, (String, Outcome)> {
    let arguments =
        serde_json::json!({ "id": id, "nonce": id, "work_ms": 1, "misbehave": misbehave });
    client
        .send(client.request(method).arguments(&arguments).timeout(LIMIT))
        .map_err(|error| match error {
            CallError::Service(answer) => (answer.code.into_owned(), answer.outcome),
            other => panic!("{method} {misbehave}: {other}"),
        })
}

fn lost(code: &str, outcome: Outcome) -> Result<u64, (String, Outcome)> {
    Err((code.to_owned(), outcome))
}

/// Whatever ends a worker in the middle of a call: an idempotent call is tried again until there is no doubt, and one
/// that must not run twice is answered at once.
fn each_is_answered_honestly(deadly: [&str; 3]) {
    let (under_test, client) = service("timeouts = { call = '10s' }");
    for (id, misbehave) in deadly.into_iter().enumerate() {
        let id = id as u64 + 1;
        assert_eq!(
            call(&client, "chaos.always", id, misbehave),
            lost("poisoned", Outcome::Unknown),
            "{misbehave}"
        );
        assert_eq!(
            call(&client, "chaos.never", id, misbehave),
            lost("worker_lost", Outcome::Unknown),
            "{misbehave}"
        );
    }
    assert_eq!(
        call(&client, "chaos.always", 300, ""),
        Ok(300),
        "the pool is whole again"
    );
    assert_eq!(under_test.zombies(), 0);
    eventually(LIMIT, "grandchildren have gone with their workers", || {
        under_test.descendants().len() <= 3
    });
}

#[test]
fn a_worker_that_ends_in_the_middle_of_a_call_never_costs_the_caller_an_honest_answer() {
    each_is_answered_honestly(ENDS);
}

#[test]
fn a_worker_that_breaks_the_protocol_never_costs_the_caller_an_honest_answer() {
    each_is_answered_honestly(BREAKS_THE_PROTOCOL);
}

#[test]
fn a_worker_that_leaves_others_behind_never_costs_the_caller_an_honest_answer() {
    each_is_answered_honestly(LEAVES_OTHERS_BEHIND);
}

#[test]
fn a_worker_that_is_only_odd_costs_the_caller_nothing() {
    let (_under_test, client) = service("");
    for (id, misbehave) in IS_ODD.into_iter().enumerate() {
        let id = id as u64 + 100;
        for method in ["chaos.always", "chaos.until_effect", "chaos.never"] {
            assert_eq!(
                call(&client, method, id, misbehave),
                Ok(id),
                "{method} {misbehave}"
            );
        }
    }
}

#[test]
fn a_death_before_the_effect_is_told_from_one_after_it() {
    let (_under_test, client) = service("");
    assert_eq!(
        call(&client, "chaos.until_effect", 200, "abort"),
        lost("poisoned", Outcome::NotExecuted)
    );
    assert_eq!(
        call(&client, "chaos.until_effect", 201, "die_after_grant"),
        lost("worker_lost", Outcome::Unknown)
    );
    assert_eq!(
        call(&client, "chaos.until_effect", 202, "die_before_answer"),
        lost("worker_lost", Outcome::Unknown)
    );
    assert_eq!(
        call(&client, "chaos.always", 300, ""),
        Ok(300),
        "the pool is whole again"
    );
}

#[test]
fn a_hung_worker_is_killed_at_its_deadline_and_the_call_replayed_within_the_callers_time() {
    let (under_test, client) = service("timeouts = { call = '300ms' }");
    // The caller has much more time than one attempt.
    assert_eq!(call(&client, "chaos.always", 1, "freeze_first"), Ok(1));
    assert_eq!(
        call(&client, "chaos.until_effect", 2, "freeze_first"),
        Ok(2)
    );
    let pool = pool_status(&client, "chaos");
    assert_eq!(
        (&pool["replayed"], &pool["answered_after_replay"]),
        (&2.into(), &2.into())
    );
    let deaths = pool["deaths"].as_array().expect("a list");
    for death in deaths {
        assert_eq!(
            death["cause"],
            "killed by Standin: a call ran past its time in it"
        );
        assert_eq!((&death["replayed"], &death["lost"]), (&1.into(), &0.into()));
    }
    assert_eq!(deaths.len(), 2);
    // A caller whose time is up before the attempt's is told then, and there is no second attempt.
    let arguments = serde_json::json!({ "id": 3, "misbehave": "freeze_first" });
    let request = client.request("chaos.always").arguments(&arguments);
    let answered = client.send::<u64>(request.timeout(Duration::from_millis(150)));
    assert_eq!(
        answered.expect_err("it hangs").code(),
        Some("deadline_exceeded")
    );
    eventually(LIMIT, "the pool is whole again", || {
        worker_pids(&client, "chaos").len() == 3
    });
    assert_eq!(under_test.zombies(), 0);
    let ledger = chaos_tests::ledger::read(&under_test.ledger());
    let begun = |id| {
        let entries: &Vec<_> = &ledger[&id];
        entries
            .iter()
            .filter(|entry| entry.step == chaos_tests::ledger::Step::Begun)
            .count()
    };
    assert_eq!([begun(1), begun(2), begun(3)], [2, 2, 1]);
}

#[test]
fn a_caller_who_vouches_for_a_call_has_it_replayed_whatever_its_method_says() {
    let (_under_test, client) = service("");
    for (id, method) in [(1, "chaos.never"), (2, "chaos.until_effect")] {
        let arguments = serde_json::json!({ "id": id, "nonce": id, "misbehave": "abort_first" });
        let request = client.request(method).arguments(&arguments).timeout(LIMIT);
        assert_eq!(
            client
                .send::<u64>(request.idempotent())
                .expect("it is replayed"),
            id
        );
    }
    assert_eq!(
        call(&client, "chaos.never", 3, "abort_first"),
        Err(("worker_lost".to_owned(), Outcome::Unknown))
    );
}

#[test]
fn what_a_worker_prints_stands_in_the_log_with_its_name() {
    let (under_test, client) = service("");
    assert_eq!(call(&client, "chaos.always", 1, "speak"), Ok(1));
    eventually(LIMIT, "both lines are in the log", || {
        let log = under_test.log();
        let line = |says: &str| {
            log.lines()
                .find(|line| line.contains(says))
                .map(str::to_owned)
        };
        let named = |line: String, stream: &str| {
            ["chaos/0", "chaos/1", "chaos/2"]
                .iter()
                .any(|name| line.contains(&format!("worker=\"{name}\"")))
                && line.contains(&format!("stream=\"{stream}\""))
        };
        line("spoken on stdout").is_some_and(|line| named(line, "stdout"))
            && line("spoken on stderr").is_some_and(|line| named(line, "stderr"))
    });
}

#[test]
fn a_worker_that_floods_both_streams_holds_up_nobody_and_does_not_fill_the_log() {
    let (under_test, client) = service("");
    let flooding = std::thread::spawn({
        let endpoint = under_test.endpoint();
        move || {
            let client = Client::connect(&endpoint, LIMIT).expect("it is there");
            call(&client, "chaos.never", 1, "torrent")
        }
    });
    for id in 2..50 {
        assert_eq!(
            call(&client, "chaos.always", id, ""),
            Ok(id),
            "the others are served"
        );
    }
    assert_eq!(flooding.join().expect("it does not panic"), Ok(1));
    eventually(LIMIT, "it is told that lines were left out", || {
        under_test
            .log()
            .contains("lines dropped: the worker prints too much")
    });
    assert!(
        under_test.log().len() < 1 << 20,
        "{} bytes",
        under_test.log().len()
    );
}

#[test]
fn a_worker_that_hoards_memory_is_replaced_at_its_next_idle_moment_and_no_call_is_lost() {
    let (under_test, client) = service("recycle = { rss = '160MiB' }");
    eventually(LIMIT, "the pool is whole", || {
        worker_pids(&client, "chaos").len() == 3
    });
    let before = worker_pids(&client, "chaos");
    assert_eq!(call(&client, "chaos.never", 1, "hoard"), Ok(1));
    let mut id = 1;
    eventually(LIMIT, "the hoarder is replaced", || {
        id += 1;
        assert_eq!(call(&client, "chaos.never", id, ""), Ok(id));
        let now = worker_pids(&client, "chaos");
        now.len() == 3 && now != before
    });
    let pool = pool_status(&client, "chaos");
    assert_eq!(pool["deaths"][0]["cause"], "retired", "{pool}");
    assert_eq!(
        (&pool["died"], &pool["failed"]),
        (&0.into(), &0.into()),
        "nobody died who was not meant to"
    );
    let now = worker_pids(&client, "chaos");
    assert_eq!(
        before.iter().filter(|pid| now.contains(pid)).count(),
        2,
        "the others stay"
    );
    assert_eq!(under_test.zombies(), 0);
}

#[test]
fn a_hung_worker_is_killed_at_its_deadline_and_the_caller_told() {
    let (under_test, client) = service("timeouts = { call = '200ms' }");
    assert_eq!(
        call(&client, "chaos.never", 1, "freeze"),
        Err(("worker_lost".to_owned(), Outcome::Unknown))
    );
    assert_eq!(
        call(&client, "chaos.until_effect", 2, "freeze"),
        Err(("poisoned".to_owned(), Outcome::NotExecuted))
    );
    assert_eq!(call(&client, "chaos.always", 3, ""), Ok(3));
    let log = under_test.log();
    assert!(log.contains("Deadline"), "{log}");
}

#[test]
fn a_worker_that_babbles_costs_no_memory_however_little_its_client_reads() {
    let (under_test, client) = service("");
    eventually(LIMIT, "the pool is whole", || {
        worker_pids(&client, "chaos").len() == 3
    });
    let before = under_test.memory_peak();
    // It wants to hear of progress and then does not listen.
    let mut deaf = platform::connect(under_test.endpoint().as_path()).expect("it listens");
    deaf.set_read_timeout(Some(LIMIT)).expect("it can be set");
    let hello = b"\x94\x00\x01\xadstandin.hello\x91\x81\xa8progress\xc3";
    let babble = b"\x94\x00\x02\xabchaos.never\x91\x82\xa2id\x01\xa9misbehave\xa6babble";
    deaf.write_all(hello).expect("the service reads");
    deaf.write_all(babble).expect("the service reads");
    eventually(LIMIT, "the call is answered", || {
        pool_status(&client, "chaos")["answered"] == 1
    });
    let grown = under_test.memory_peak() - before;
    assert!(grown < 24 << 20, "{grown} bytes");
    // What was left out is progress and nothing else.
    let mut said = BufReader::new(deaf);
    let mut next = || rmpv::decode::read_value(&mut said).expect("a message");
    assert_eq!(next()[1], 1.into(), "the hello is answered");
    let mut told = 0;
    let answer = loop {
        let message = next();
        if message[0] != 2.into() {
            break message;
        }
        told += 1;
    };
    assert_eq!((&answer[0], &answer[1]), (&1.into(), &2.into()), "{answer}");
    assert!(told > 0 && told < 800_000, "{told} times");
}
