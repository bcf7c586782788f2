//! `standin.status`: it is true, before and after deaths.

use chaos_tests::{
    platform,
    under_test::{eventually, pool_status, status, worker_pids},
};
use serde_json::{Value, json};
use standin_client::CallError;

use crate::setup::{LIMIT, begun, is_whole, program, service, start, work};

#[test]
fn the_status_tells_who_is_there_and_what_runs() {
    let (under_test, client) = service("");
    let running = start(&client, "chaos.always", &work(1, 500, ""));
    let waiting = start(&client, "chaos.always", &work(2, 0, ""));
    eventually(LIMIT, "one runs and one waits", || {
        let pool = pool_status(&client, "chaos");
        pool["running"] == 1 && pool["queued"] == 1
    });
    let status = status(&client);
    assert_eq!(status["pid"], under_test.service.id());
    assert_eq!(status["server"], "standin");
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["endpoint"], under_test.endpoint().to_string());
    assert_eq!(status["sessions"], 1);
    assert!(status["uptime_ms"].as_u64() > Some(0));
    let pool = &status["pools"][0];
    assert_eq!(
        (&pool["name"], &pool["state"]),
        (&json!("chaos"), &json!("ready"))
    );
    let workers = pool["workers"].as_array().expect("a list");
    let children = under_test.children();
    for worker in workers {
        let pid = worker["pid"].as_u64().expect("it has one") as u32;
        assert!(children.contains(&pid), "{worker} {children:?}");
        assert_eq!(worker["concurrency"], 1);
        assert_eq!(worker["generation"], 1);
    }
    let mut states: Vec<_> = workers
        .iter()
        .map(|worker| worker["state"].as_str())
        .collect();
    states.sort_unstable();
    assert_eq!(states, [Some("busy"), Some("ready")]);
    assert_eq!(
        status["pools"][1]["workers"][0]["concurrency"], 3,
        "as it declares"
    );
    for pending in [running, waiting] {
        client.wait::<u64>(pending).expect("it is answered");
    }
    let other = under_test.client();
    let after = chaos_tests::under_test::status(&other);
    assert_eq!(after["sessions"], 2);
    assert_eq!(
        after["requests"],
        json!({ "answered": 2, "replayed": 0, "refused": 0, "failed": 0 })
    );
}

#[test]
fn after_a_death_the_status_tells_who_died_and_why_and_what_became_of_the_call() {
    let (under_test, client) = service("");
    let killed = |id: u64, method: &str| {
        let running = start(&client, method, &work(id, 300, ""));
        eventually(LIMIT, "it runs", || begun(&under_test, id) == 1);
        let pool = pool_status(&client, "chaos");
        let workers = pool["workers"].as_array().expect("a list");
        let busy = workers
            .iter()
            .find(|worker| worker["state"] == "busy")
            .expect("one is busy");
        let pid = busy["pid"].as_u64().expect("it has one") as u32;
        platform::kill(pid);
        let answered = client.wait::<u64>(running);
        eventually(LIMIT, "the pool is whole again", || is_whole(&client));
        assert!(!worker_pids(&client, "chaos").contains(&pid));
        (pid, busy["slot"].clone(), answered)
    };
    let (pid, slot, answered) = killed(1, "chaos.always");
    assert_eq!(answered.expect("it is replayed"), 1);
    let pool = pool_status(&client, "chaos");
    let deaths = pool["deaths"].as_array().expect("a list");
    assert_eq!(deaths.len(), 1);
    let death = |death: &Value| {
        let mut death = death.clone();
        let ago = death
            .as_object_mut()
            .and_then(|death| death.remove("at_ms_ago"));
        assert!(ago.is_some_and(|ago| ago.as_u64() < Some(30_000)));
        death
    };
    let killed_by_hand = platform::KILLED;
    assert_eq!(
        death(&deaths[0]),
        json!({ "pid": pid, "slot": slot, "cause": killed_by_hand, "replayed": 1, "lost": 0 })
    );
    let counted = |pool: &Value, name: &str| pool[name].as_u64().expect("a number");
    assert_eq!(counted(&pool, "died"), 1);
    assert_eq!(counted(&pool, "replayed"), 1);
    assert_eq!(counted(&pool, "answered_after_replay"), 1);
    assert_eq!(counted(&pool, "failed"), 0);
    assert_eq!(counted(&pool, "starts"), 3);

    let (pid, slot, answered) = killed(2, "chaos.never");
    let error = answered.expect_err("it is not run twice");
    assert_eq!(error.code(), Some("worker_lost"));
    assert_eq!(
        error.answer().expect("the service's").message,
        format!(
            "The process that was working on \"chaos.never\" is gone: {killed_by_hand}. Whether it was executed is not known."
        )
    );
    let pool = pool_status(&client, "chaos");
    assert_eq!(
        death(&pool["deaths"][1]),
        json!({ "pid": pid, "slot": slot, "cause": killed_by_hand, "replayed": 0, "lost": 1 })
    );
    assert_eq!((counted(&pool, "died"), counted(&pool, "failed")), (2, 1));

    // One that ends by itself: its exit status and its last words are there to read.
    match client.call::<_, u64>("chaos.never", &work(3, 0, "exit_1")) {
        Err(CallError::Service(answer)) => assert_eq!(answer.code, "worker_lost"),
        other => panic!("{other:?}"),
    }
    let pool = pool_status(&client, "chaos");
    assert_eq!(pool["deaths"][2]["cause"], platform::ENDED_WITH_1);
    assert_eq!(pool["last_lines"], json!(["I have had enough"]));
    let totals = status(&client)["requests"].clone();
    assert_eq!(
        totals,
        json!({ "answered": 1, "replayed": 1, "refused": 0, "failed": 2 })
    );
}

#[test]
fn after_a_kill_of_the_service_the_status_tells_who_is_back_and_what_is_unknown() {
    let (mut under_test, client) = service("");
    assert_eq!(status(&client)["recovery"], Value::Null);
    let running = start(&client, "chaos.never", &work(1, 60_000, ""));
    eventually(LIMIT, "it runs", || begun(&under_test, 1) == 1);
    under_test.kill().expect("it lives");
    under_test.start_again(program());
    let error = client
        .wait::<u64>(running)
        .expect_err("it is not run twice");
    assert_eq!(error.code(), Some("outcome_unknown"));
    assert_eq!(
        status(&client)["recovery"],
        json!({ "after": "killed", "sessions": 1, "resumed": 1, "unknown": 1 })
    );
    // Whoever is asked to stop has hurt nobody.
    under_test.ask_to_stop();
    assert!(under_test.service.wait().expect("it is ours").success());
    under_test.start_again(program());
    assert_eq!(status(&client)["recovery"], Value::Null);
}
