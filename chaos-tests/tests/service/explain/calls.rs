//! A call whose worker died, that ran out of time, was taken back, or whose caller has gone.

use std::{io::Write, time::Duration};

use chaos_tests::{platform, under_test::eventually};
use serde_json::{Value, json};
use standin_client::{Outcome, blocking::Client};

use super::{explain, number, story_of};
use crate::setup::{LIMIT, begun, is_whole, service, start, the_error, work};

/// Kills the worker that has the request.
fn kill_worker_of(client: &Client, msgid: u64) -> u64 {
    let story = explain(client, &json!({ "msgid": msgid })).remove(0);
    assert_eq!(story["state"], "running");
    let attempts = story["attempts"].as_array().expect("a list");
    let pid = number(&attempts.last().expect("it has one")["pid"]);
    platform::kill(pid as u32);
    pid
}

#[test]
fn a_call_that_was_replayed_tells_of_both_attempts_and_why() {
    let (under_test, client) = service("");
    let running = start(&client, "chaos.always", &work(1, 300, ""));
    let msgid = running.msgid();
    eventually(LIMIT, "it runs", || begun(&under_test, 1) == 1);
    let pid = kill_worker_of(&client, msgid);
    assert_eq!(client.wait::<u64>(running).expect("it is replayed"), 1);

    let told = explain(&client, &json!({ "msgid": msgid }));
    assert_eq!(told.len(), 1);
    let story = &told[0];
    for (name, value) in [
        ("method", json!("chaos.always")),
        ("replay", json!("always")),
        ("pool", json!("chaos")),
        ("msgid", json!(msgid)),
        ("state", json!("answered")),
        ("code", Value::Null),
        ("outcome", json!("executed")),
        ("rule", Value::Null),
    ] {
        assert_eq!(story[name], value, "{name}");
    }
    let attempts = story["attempts"].as_array().expect("a list");
    let [first, second] = &attempts[..] else {
        panic!("{story}");
    };
    assert_eq!(
        (number(&first["number"]), number(&second["number"])),
        (1, 2)
    );
    assert_eq!(number(&first["pid"]), pid);
    assert_ne!(first["slot"], second["slot"], "the spare took it");
    assert_eq!(
        (&first["end"], &first["cause"]),
        (&json!("worker_died"), &json!(platform::KILLED))
    );
    let rule = "replayed: it is `always`, by its method or by the caller's word";
    assert_eq!(first["rule"], rule);
    assert_eq!(
        (&second["end"], &second["rule"]),
        (&json!("answered"), &Value::Null)
    );
    // The times are in their order.
    let times = [
        &story["waited_us"],
        &first["ended_us"],
        &second["began_us"],
        &second["ended_us"],
    ]
    .map(number);
    assert!(times.is_sorted(), "{story}");
    assert_eq!(story["ended_us"], second["ended_us"]);
}

#[test]
fn a_call_that_was_lost_says_in_another_session_what_the_rule_was() {
    let (under_test, client) = service("");
    let lost = start(&client, "chaos.never", &work(1, 60_000, ""));
    eventually(LIMIT, "it runs", || begun(&under_test, 1) == 1);
    kill_worker_of(&client, lost.msgid());
    let answer = the_error(client.wait(lost));
    assert_eq!(
        (&*answer.code, answer.outcome),
        ("worker_lost", Outcome::Unknown)
    );
    let story = story_of(&under_test, &answer);
    assert_eq!(
        story["rule"],
        "not replayed: it is `never`, and the worker may have begun with it"
    );
    assert_eq!(story["attempts"][0]["cause"], platform::KILLED);
    assert_eq!(story["attempts"][0]["rule"], story["rule"]);

    eventually(LIMIT, "the pool is whole again", || is_whole(&client));
    let mut arguments = work(2, 0, "");
    arguments["after_ms"] = json!(60_000);
    let lost = start(&client, "chaos.until_effect", &arguments);
    let msgid = json!({ "msgid": lost.msgid() });
    eventually(LIMIT, "its effect is granted", || {
        explain(&client, &msgid)[0]["attempts"][0]["effect_granted_us"].is_u64()
    });
    kill_worker_of(&client, lost.msgid());
    let answer = the_error(client.wait(lost));
    let story = story_of(&under_test, &answer);
    assert_eq!(story["rule"], "not replayed: its effect had been granted");
}

#[test]
fn a_call_that_ran_out_of_time_or_was_taken_back_says_where_it_was_by_then() {
    let (under_test, client) = service("timeouts = { stop = '200ms' }");
    let brief = |id, limit_ms| {
        let call = client
            .request("chaos.always")
            .arguments(&work(id, 60_000, ""));
        let call = call.timeout(Duration::from_millis(limit_ms));
        client.start(call).expect("it is sent")
    };
    // The first must not make room for the second while that has time.
    let (runs, waits) = (brief(1, 1500), brief(2, 300));
    let runs = story_of(&under_test, &the_error(client.wait(runs)));
    let waits = story_of(&under_test, &the_error(client.wait(waits)));
    assert_eq!(
        runs["rule"],
        "the caller's time was up while the worker had it"
    );
    assert_eq!(runs["attempts"][0]["end"], "left");
    assert_eq!(
        waits["rule"],
        "the caller's time was up before a worker was free for it"
    );
    assert_eq!(waits["attempts"], json!([]));
    assert!(number(&waits["waited_us"]) >= 300_000, "{waits}");

    eventually(LIMIT, "the pool is whole again", || is_whole(&client));
    let running = start(&client, "chaos.always", &work(3, 0, "freeze"));
    let msgid = json!({ "msgid": running.msgid() });
    eventually(LIMIT, "it runs", || begun(&under_test, 3) > 0);
    client.cancel(&running).expect("the service takes it");
    assert_eq!(the_error(client.wait(running)).code, "cancelled");
    let story = &explain(&client, &msgid)[0];
    assert_eq!(story["notes"][0]["text"], "the caller took it back");
    assert_eq!(
        story["rule"],
        "it was taken back, and the worker did not leave off in time"
    );
}

#[test]
fn what_a_client_that_is_gone_had_asked_is_remembered() {
    let (under_test, client) = service("");
    // It says no hello, so nothing of it outlives its connection.
    let plain = platform::connect(under_test.endpoint().as_path());
    let mut plain = plain.expect("the service listens");
    let request = (0, 1, "chaos.never", [work(1, 0, "freeze")]);
    let request = rmp_serde::to_vec_named(&request).expect("it can be written");
    plain.write_all(&request).expect("the service reads");
    eventually(LIMIT, "it runs", || begun(&under_test, 1) == 1);
    drop(plain);
    eventually(LIMIT, "it is known that nobody waits", || {
        explain(&client, &json!({}))[0]["state"] == "abandoned"
    });
    let story = &explain(&client, &json!({ "limit": 1 }))[0];
    assert_eq!(story["rule"], "the caller had gone");
    assert_eq!(story["outcome"], "unknown");
}
