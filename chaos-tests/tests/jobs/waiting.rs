//! Jobs that wait: for their time, for room, for their owner to change their mind.

use chaos_tests::{
    ledger,
    under_test::{UnderTest, eventually, sdk_pool},
};
use serde_json::{Value, json};
use standin_client::blocking::Client;

use crate::{LIMIT, chaos, program, start, status, submit, until, wait};

/// By the clock that `run_at` goes by.
#[expect(
    clippy::disallowed_methods,
    reason = "a program that wants something done later asks the machine's clock"
)]
fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("it is after 1970").as_millis() as u64
}

#[test]
fn a_job_for_later_is_begun_then_and_not_before() {
    let (_under_test, client) = start(1);
    let run_at = now_ms() + 1500;
    let mut job = chaos("chaos.always", 1, json!({}));
    job["run_at"] = json!(run_at);
    let job = submit(&client, &job);
    let waits = status(&client, &job);
    assert_eq!(waits["next_at"], run_at, "{waits}");
    let ended = wait(&client, &job);
    assert_eq!(ended["state"], "done");
    assert!(ended["ended_at"].as_u64() >= Some(run_at), "{ended}");
}

#[test]
fn a_job_that_is_taken_back_while_it_waits_is_never_begun() {
    let (under_test, client) = start(1);
    let mut job = chaos("chaos.always", 1, json!({}));
    job["run_at"] = json!(now_ms() + 1500);
    let taken_back = submit(&client, &job);
    let cancelled: Value = client
        .call("job.cancel", &json!({ "job": taken_back }))
        .expect("it waits");
    assert_eq!(cancelled["state"], "cancelled");
    // One behind it with the same time shows that the time has come.
    job["params"] = json!([{ "id": 2 }]);
    wait(&client, &submit(&client, &job));
    assert!(!ledger::read(&under_test.ledger()).contains_key(&1));
}

#[test]
fn a_job_that_is_taken_back_while_it_runs_is_cancelled_if_nothing_has_happened() {
    let under_test = UnderTest::serve(program(), |folder| {
        sdk_pool("sdk", program(), folder, "timeouts = { stop = '500ms' }")
    });
    let client = under_test.client();
    let when = under_test.folder.path().join("now");
    let job = submit(
        &client,
        &json!({ "method": "sdk.effect", "params": [{ "when": when }] }),
    );
    eventually(LIMIT, "it runs", || under_test.log().contains("waits"));
    let cancelled: Value = client
        .call("job.cancel", &json!({ "job": job }))
        .expect("it runs");
    assert_eq!(cancelled["cancelling"], true, "{cancelled}");
    // It waits for a file that never comes, has asked for no leave, and is ended after its stop time.
    let ended = wait(&client, &job);
    assert_eq!(ended["state"], "cancelled", "{ended}");
}

#[test]
fn a_job_whose_method_is_not_known_yet_can_be_taken_back_too() {
    let under_test = UnderTest::start(program(), 1, "", "never_hello");
    let client = under_test.client();
    let job = submit(&client, &chaos("chaos.always", 1, json!({})));
    until(&client, &job, "it is begun", |job| {
        job["state"] == "running"
    });
    let _: Value = client
        .call("job.cancel", &json!({ "job": job }))
        .expect("it is known");
    assert_eq!(wait(&client, &job)["state"], "cancelled");
}

#[test]
fn thousands_of_jobs_that_wait_hold_up_nobody_who_waits_for_an_answer() {
    let (under_test, client) = start(2);
    // A session has a thousand requests open at most.
    for part in 0..6 {
        let pending: Vec<_> = (0..500)
            .map(|id| {
                let job = chaos("chaos.always", part * 500 + id, json!({ "work_ms": 20 }));
                let call = client.request("job.submit").arguments(&job);
                client.start(call).expect("it is sent")
            })
            .collect();
        for submitted in pending {
            let _: Value = client.wait(submitted).expect("it is taken");
        }
    }
    // One of the two workers is always left for those who wait.
    for id in 0..50 {
        let arguments = json!({ "id": 1_000_000 + id, "nonce": id });
        let answer: u64 = client
            .call("chaos.always", &arguments)
            .expect("it is answered");
        assert_eq!(answer, id);
    }
    let waiting: Vec<Value> = client
        .call("job.list", &json!({ "state": "queued", "limit": 1000 }))
        .expect("it answers");
    assert_eq!(waiting.len(), 1000, "most of the jobs are still to be done");
    let running: Vec<Value> = client
        .call("job.list", &json!({ "state": "running" }))
        .expect("it answers");
    assert!(running.len() <= 1, "{running:?}");
    let begun = || ledger::read(&under_test.ledger()).len();
    let before = begun();
    eventually(LIMIT, "jobs go on", || begun() > before);
}

/// Why the pool of a job is not there, as its status and the list say.
fn reason(client: &Client, job: &str) -> Value {
    let of_status = status(client, job)["error"]["reason"].clone();
    let listed: Value = client.call("job.list", &json!({})).expect("there are some");
    let mut listed = listed.as_array().expect("a list").iter();
    let listed = listed.find(|one| one["job"] == job).expect("it is kept");
    assert_eq!(listed["error"]["reason"], of_status);
    of_status
}

#[test]
fn a_job_whose_pool_does_not_start_says_why_in_a_field_of_its_own() {
    let under_test = UnderTest::start(program(), 1, "", "exit_before_hello");
    let client = under_test.client();
    let job = submit(&client, &chaos("chaos.always", 1, json!({})));
    until(&client, &job, "it has met the pool", |job| {
        job["state"] == "queued" && job["error"]["code"] == "pool_unavailable"
    });
    let words = reason(&client, &job);
    assert_eq!(words, "the licence file is missing");
    let message = status(&client, &job)["error"]["message"].clone();
    let message = message.as_str().expect("a text");
    assert!(message.contains("exit code 3"), "{message}");
}

#[test]
fn a_job_waits_for_a_pool_that_is_stopped_and_costs_no_try_until_it_is_started_again() {
    let (under_test, client) = start(2);
    let order = |method: &str| -> Value {
        let pool = json!({ "pool": "chaos" });
        client.call(method, &pool).expect("it obeys")
    };
    // What it offers is known by then.
    let work = json!({ "id": 100, "nonce": 100 });
    let _: u64 = client.call("chaos.always", &work).expect("it is served");
    order("pool.stop");
    let jobs: Vec<_> = (1..=5)
        .map(|id| {
            let mut job = chaos("chaos.until_effect", id, json!({}));
            job["retry"]["attempts_max"] = json!(1);
            submit(&client, &job)
        })
        .collect();
    // It has been looked for more than once.
    eventually(LIMIT, "the jobs have met the stopped pool", || {
        let begun = jobs
            .iter()
            .map(|job| status(&client, job)["attempts"].as_u64());
        begun.map(|begun| begun.expect("a number")).sum::<u64>() >= 3
    });
    for job in &jobs {
        let waits = status(&client, job);
        let state = waits["state"].as_str().expect("a text");
        assert!(["queued", "running"].contains(&state), "{waits}");
        assert_eq!(waits["failures"], 0, "{waits}");
    }
    // Those that wait behind the first have not asked yet.
    let has_asked = |job: &&String| status(&client, job)["error"].is_object();
    let asked = jobs.iter().find(has_asked).expect("one has met it");
    assert_eq!(reason(&client, asked), "somebody has stopped \"chaos\"");
    assert_eq!(ledger::read(&under_test.ledger()).len(), 1, "of the call");
    order("pool.start");
    for job in &jobs {
        assert_eq!(wait(&client, job)["state"], "done");
    }
}
