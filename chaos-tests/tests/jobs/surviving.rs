//! The service may be killed at any moment.

use std::path::PathBuf;

use chaos_tests::{
    ledger::{self, Step},
    under_test::{UnderTest, eventually, sdk_pool},
};
use serde_json::{Value, json};
use standin_client::blocking::Client;

use crate::{LIMIT, chaos, kill, program, start, status, submit, until, wait};

fn count(under_test: &UnderTest, id: u64, step: Step) -> usize {
    let entries = ledger::read(&under_test.ledger());
    let entries = entries.get(&id).map(Vec::as_slice).unwrap_or_default();
    entries.iter().filter(|entry| entry.step == step).count()
}

#[test]
fn a_job_that_was_acknowledged_is_done_once_though_the_service_is_killed_at_once() {
    let (mut under_test, client) = start(2);
    let methods = ["chaos.until_effect", "chaos.never", "chaos.always"];
    let jobs: Vec<_> = (0..30)
        .map(|id| {
            let method = methods[id as usize % 3];
            (id, method, submit(&client, &chaos(method, id, json!({}))))
        })
        .collect();
    let client = kill(&mut under_test);
    let mut unknown = 0;
    for (id, method, job) in jobs {
        let ended = wait(&client, &job);
        let begun = count(&under_test, id, Step::Begun);
        let effects = count(&under_test, id, Step::Effect);
        let state = ended["state"].as_str().expect("a text");
        unknown += usize::from(state == "unknown");
        match method {
            "chaos.always" => assert_eq!(state, "done", "{ended}"),
            "chaos.until_effect" => {
                assert!(effects <= 1, "{ended}");
                assert!(
                    state == "unknown" || (state == "done" && effects == 1),
                    "{ended}"
                );
            }
            _ => {
                assert!(begun <= 1, "{ended}");
                assert!(
                    state == "unknown" || (state == "done" && begun == 1),
                    "{ended}"
                );
            }
        }
    }
    // Of two workers one is for jobs, so only one can have been at work.
    assert!(unknown <= 1, "{unknown} are unknown");
}

/// A service with a worker that does a job when a file is there, and such a job at work.
fn waiting_for_a_file() -> (UnderTest, Client, PathBuf, String) {
    let under_test = UnderTest::serve(program(), |folder| sdk_pool("sdk", program(), folder, ""));
    let client = under_test.client();
    let when = under_test.folder.path().join("now");
    let job = json!({ "method": "sdk.effect", "params": [{ "when": when }] });
    let job = submit(&client, &job);
    eventually(LIMIT, "it has begun", || under_test.log().contains("waits"));
    (under_test, client, when, job)
}

#[test]
fn a_job_that_was_killed_before_its_effect_is_done_in_the_next_life() {
    let (mut under_test, _client, when, job) = waiting_for_a_file();
    let client = kill(&mut under_test);
    std::fs::write(&when, "").expect("the folder is ours");
    let ended = wait(&client, &job);
    assert_eq!(ended["state"], "done", "{ended}");
    assert_eq!(ended["attempts"], 2, "{ended}");
    assert_eq!(ended["failures"], 0, "the kill was not its fault: {ended}");
}

#[test]
fn the_failure_of_what_keeps_the_jobs_is_mended_and_they_go_on() {
    let (under_test, client, when, job) = waiting_for_a_file();
    let armed: bool = client
        .call("standin.failpoint", &json!({ "place": "jobs" }))
        .expect("it is armed");
    assert!(armed);
    // Whatever becomes of this one, it is what the jobs fail over.
    let more = json!({ "method": "sdk.echo", "params": [1] });
    let _ = client.call::<_, Value>("job.submit", &more);
    eventually(LIMIT, "it is noticed", || {
        under_test.log().contains("all are started again")
    });
    std::fs::write(&when, "").expect("the folder is ours");
    let client = under_test.client();
    let ended = wait(&client, &job);
    assert_eq!(ended["state"], "done", "{ended}");
    assert_eq!(ended["attempts"], 2, "{ended}");
}

#[cfg(debug_assertions)]
#[test]
fn a_job_that_was_told_to_stop_does_not_run_in_the_pool_that_takes_the_place_of_a_failed_one() {
    // Whoever is told to stop has all the time it wants.
    let under_test = UnderTest::serve(program(), |folder| {
        sdk_pool("sdk", program(), folder, "timeouts = { stop = '60s' }")
    });
    let client = under_test.client();
    let when = under_test.folder.path().join("now");
    let effect = json!({ "method": "sdk.effect", "params": [{ "when": when }] });
    let job = submit(&client, &effect);
    eventually(LIMIT, "it runs", || under_test.log().contains("waits"));
    let cancelled: Value = client
        .call("job.cancel", &json!({ "job": job }))
        .expect("it runs");
    assert_eq!(cancelled["cancelling"], true, "{cancelled}");
    let place = json!({ "place": "pool/sdk" });
    let armed: bool = client
        .call("standin.failpoint", &place)
        .expect("failpoints are compiled in");
    assert!(armed);
    until(&client, &job, "it is cancelled", |job| {
        // A question is what the pool fails at.
        chaos_tests::under_test::status(&client);
        job["state"] == "cancelled"
    });
    let log = under_test.log();
    assert!(log.contains("a pool's actor failed"));
    assert_eq!(log.matches("waits worker").count(), 1, "it is begun once");
    assert_eq!(status(&client, &job)["outcome"], "not_executed");
}

#[test]
fn a_job_that_may_have_happened_is_shown_and_sent_again_only_by_a_person() {
    let (mut under_test, mut client) = start(2);
    for (id, method) in [(1, "chaos.until_effect"), (2, "chaos.never")] {
        let (during, step) = match method {
            "chaos.never" => ("work_ms", Step::Begun),
            _ => ("after_ms", Step::Effect),
        };
        let job = submit(&client, &chaos(method, id, json!({ during: 5000 })));
        eventually(LIMIT, "it is at it", || count(&under_test, id, step) == 1);
        client = kill(&mut under_test);
        let ended = wait(&client, &job);
        assert_eq!(ended["state"], "unknown", "{ended}");
        assert_eq!(ended["error"]["code"], "outcome_unknown", "{ended}");
        // Others go on, it does not.
        let other = submit(&client, &chaos("chaos.always", 100 + id, json!({})));
        assert_eq!(wait(&client, &other)["state"], "done");
        assert_eq!(count(&under_test, id, Step::Begun), 1);
        let again: Value = client
            .call("job.retry", &json!({ "job": job }))
            .expect("a person may");
        assert!(again["error"].is_object(), "why it was not done: {again}");
        assert_eq!(wait(&client, &job)["state"], "done");
        assert_eq!(count(&under_test, id, Step::Begun), 2);
    }
}

#[test]
fn a_job_that_may_have_happened_is_not_said_to_be_not_executed_when_it_is_sent_again_and_taken_back()
 {
    let (mut under_test, client) = start(2);
    let params = json!({ "after_ms": 5000 });
    let job = submit(&client, &chaos("chaos.until_effect", 1, params));
    eventually(LIMIT, "it is at it", || {
        count(&under_test, 1, Step::Effect) == 1
    });
    let client = kill(&mut under_test);
    assert_eq!(wait(&client, &job)["state"], "unknown");
    // Answered when the pool has said what it offers; a job that begins before that counts for no pool.
    let _: Value = client
        .call("standin.methods", &json!({}))
        .expect("it is answered");
    // Of two workers one is for jobs.
    let other = submit(
        &client,
        &chaos("chaos.always", 2, json!({ "work_ms": 20_000 })),
    );
    until(&client, &other, "it runs", |job| job["state"] == "running");
    let arguments = json!({ "job": job });
    let again: Value = client.call("job.retry", &arguments).expect("a person may");
    assert_eq!(again["state"], "queued", "{again}");
    let ended: Value = client.call("job.cancel", &arguments).expect("it waits");
    assert_eq!(ended["state"], "cancelled", "{ended}");
    assert_eq!(ended["outcome"], "unknown", "{ended}");
    let error = client
        .call::<_, Value>("job.result", &arguments)
        .expect_err("it was taken back");
    assert_eq!(error.code(), Some("cancelled"));
    assert_eq!(error.outcome(), standin_client::Outcome::Unknown, "{error}");
    assert_eq!(count(&under_test, 1, Step::Begun), 1);
}

#[test]
fn results_waiting_jobs_and_cancelled_ones_are_as_they_were_after_a_kill() {
    let (mut under_test, client) = start(2);
    let done = submit(&client, &chaos("chaos.always", 7, json!({})));
    wait(&client, &done);
    let mut later = chaos("chaos.always", 8, json!({}));
    later["run_at"] = json!(u64::MAX >> 12);
    let (later, cancelled) = (submit(&client, &later), submit(&client, &later));
    let _: Value = client
        .call("job.cancel", &json!({ "job": cancelled }))
        .expect("it waits");
    let client = kill(&mut under_test);
    let result: u64 = client
        .call("job.result", &json!({ "job": done }))
        .expect("it is kept");
    assert_eq!(result, 7);
    assert_eq!(status(&client, &later)["state"], "queued");
    assert_eq!(status(&client, &cancelled)["state"], "cancelled");
    until(&client, &done, "it is done", |job| job["state"] == "done");
}

#[test]
fn a_service_that_is_stopped_leaves_its_jobs_to_the_next_one() {
    let (mut under_test, client) = start(1);
    let jobs: Vec<_> = (1..=5)
        .map(|id| {
            let job = chaos("chaos.until_effect", id, json!({ "after_ms": 100 }));
            submit(&client, &job)
        })
        .collect();
    eventually(LIMIT, "the first is at it", || {
        count(&under_test, 1, Step::Effect) == 1
    });
    under_test.ask_to_stop();
    assert!(under_test.service.wait().expect("it ends").success());
    under_test.start_again(program());
    let client = under_test.client();
    for (job, id) in jobs.iter().zip(1..) {
        assert_eq!(wait(&client, job)["state"], "done", "{}", under_test.log());
        assert_eq!(count(&under_test, id, Step::Effect), 1);
    }
}
