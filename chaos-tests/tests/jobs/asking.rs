//! What can be asked about jobs, and by whom.

use chaos_tests::{
    ledger,
    under_test::{UnderTest, eventually, hostile_pool, sdk_pool},
};
use serde_json::{Value, json};
use standin_client::Outcome;

use crate::{LIMIT, chaos, code, program, start, status, submit, wait};

#[test]
fn the_same_key_gives_the_same_job_and_another_payload_is_refused() {
    let (_under_test, client) = start(1);
    let mut job = chaos("chaos.always", 1, json!({}));
    job["key"] = json!("order-7");
    let first = submit(&client, &job);
    assert_eq!(submit(&client, &job), first);
    wait(&client, &first);
    assert_eq!(submit(&client, &job), first, "also when it has ended");
    job["params"] = json!([{ "id": 2 }]);
    assert_eq!(
        code(client.call::<_, Value>("job.submit", &job)),
        "key_conflict"
    );
    let all: Vec<Value> = client.call("job.list", &json!({})).expect("it answers");
    assert_eq!(all.len(), 1, "{all:?}");
}

/// Two services, in each of which a call takes the last room that there is: of the user, of the program.
#[test]
fn a_job_that_was_taken_is_named_though_there_is_no_room_for_another() {
    for limit in ["[quotas]\nrequests = 1\n", "session_requests_max = 1\n"] {
        let under_test = UnderTest::serve(program(), |folder| {
            limit.to_owned() + &hostile_pool("chaos", program(), folder, 2, "", "")
        });
        let client = under_test.client();
        let mut job = chaos("chaos.always", 1, json!({}));
        job["run_at"] = json!(u64::MAX >> 12);
        job["key"] = json!("order-7");
        let first = submit(&client, &job);
        let work = json!({ "id": 9, "nonce": 9, "work_ms": 60_000 });
        let long = client.request("chaos.always").arguments(&work);
        let _running = client.start(long).expect("it is sent");
        eventually(LIMIT, "it runs", || {
            ledger::read(&under_test.ledger()).contains_key(&9)
        });
        assert_eq!(submit(&client, &job), first, "{limit}");
        job["params"] = json!([{ "id": 2 }]);
        let asked = client.call::<_, Value>("job.submit", &job);
        assert_eq!(code(asked), "key_conflict", "{limit}");
        job["key"] = json!("order-8");
        let refused = client.call::<_, Value>("job.submit", &job);
        let refused = refused.expect_err("there is no room");
        assert_eq!(refused.code(), Some("overloaded"), "{limit}");
        assert_eq!(refused.outcome(), Outcome::NotExecuted, "{limit}");
    }
}

#[test]
fn a_list_has_the_newest_first_and_goes_on_where_it_ended() {
    let (_under_test, client) = start(1);
    let mut later = chaos("chaos.always", 1, json!({}));
    later["run_at"] = json!(u64::MAX >> 12);
    let jobs: Vec<_> = (0..5).map(|_| submit(&client, &later)).collect();
    let done = submit(&client, &chaos("chaos.always", 1, json!({})));
    wait(&client, &done);
    let list = |arguments: Value| {
        let jobs: Vec<Value> = client.call("job.list", &arguments).expect("it answers");
        let names = jobs
            .iter()
            .map(|job| job["job"].as_str().map(str::to_owned));
        names.collect::<Option<Vec<_>>>().expect("each has a name")
    };
    assert_eq!(list(json!({ "state": "done" })), [done]);
    let newest = list(json!({ "state": "queued", "limit": 3 }));
    assert_eq!(newest, [jobs[4].clone(), jobs[3].clone(), jobs[2].clone()]);
    let rest = list(json!({ "state": "queued", "after": newest[2] }));
    assert_eq!(rest, [jobs[1].clone(), jobs[0].clone()]);
}

/// Three errors of which no message could hold two.
#[test]
fn jobs_are_listed_on_more_pages_when_their_errors_are_too_long_for_one() {
    let under_test = UnderTest::serve(program(), |folder| sdk_pool("sdk", program(), folder, ""));
    let client = under_test.client();
    let long = 9_000_000;
    let job = json!({
        "method": "sdk.fail",
        "params": [{ "bytes": long }],
        "retry": { "attempts_max": 1 },
    });
    let mut jobs: Vec<_> = (0..3).map(|_| submit(&client, &job)).collect();
    let mut listed = Vec::new();
    for job in &jobs {
        assert_eq!(wait(&client, job)["state"], "dead");
    }
    loop {
        let after = json!({ "after": listed.last() });
        let page: Vec<Value> = client.call("job.list", &after).expect("it answers");
        if page.is_empty() {
            break;
        }
        assert!(page.len() < jobs.len());
        for job in page {
            assert_eq!(job, status(&client, text(&job["job"])));
            let words = text(&job["error"]["message"]);
            assert!(words.starts_with("It is broken.xxx"));
            assert!(words.ends_with("x..."));
            listed.push(text(&job["job"]).to_owned());
        }
    }
    jobs.reverse();
    assert_eq!(listed, jobs);
    let told = std::process::Command::new(program())
        .args(["jobs", "list", "--endpoint"])
        .arg(under_test.endpoint().as_path())
        .output()
        .expect("it can be started");
    let told = String::from_utf8(told.stdout).expect("it is a text");
    assert!(jobs.iter().all(|job| told.contains(job)), "{told}");
    // Nothing that was said is lost.
    let result = client.call::<_, Value>("job.result", &json!({ "job": jobs[0] }));
    let error = result.expect_err("it failed");
    assert!(error.to_string().len() > long);
    // The service's log is no place for it.
    assert!(under_test.log().contains("the job has failed for good"));
    assert!(under_test.log().len() < long);
}

fn text(value: &Value) -> &str {
    value.as_str().expect("it is a text")
}

#[test]
fn the_status_counts_jobs_by_their_state() {
    let (_under_test, client) = start(1);
    let mut later = chaos("chaos.always", 1, json!({}));
    later["run_at"] = json!(u64::MAX >> 12);
    let waiting: Vec<_> = (0..3).map(|_| submit(&client, &later)).collect();
    wait(
        &client,
        &submit(&client, &chaos("chaos.always", 2, json!({}))),
    );
    let mut dead = chaos("chaos.always", 3, json!({ "misbehave": "exit_1" }));
    dead["retry"]["attempts_max"] = json!(1);
    wait(&client, &submit(&client, &dead));
    let cancelled: Value = client
        .call("job.cancel", &json!({ "job": waiting[0] }))
        .expect("it waits");
    assert_eq!(cancelled["state"], "cancelled");
    let status = chaos_tests::under_test::status(&client);
    assert_eq!(
        status["jobs"],
        json!({ "queued": 2, "running": 0, "done": 1, "dead": 1, "unknown": 0, "cancelled": 1 })
    );
}

#[test]
fn a_wait_ends_with_the_callers_time_and_the_job_goes_on() {
    let (_under_test, client) = start(1);
    let mut later = chaos("chaos.always", 1, json!({}));
    later["run_at"] = json!(u64::MAX >> 12);
    let job = submit(&client, &later);
    let wait = client
        .request("job.wait")
        .arguments(&json!({ "job": job }))
        .timeout(std::time::Duration::from_millis(300));
    let late = client.send::<Value>(wait).expect_err("its time is up");
    assert_eq!(late.code(), Some("deadline_exceeded"));
    assert_eq!(status(&client, &job)["state"], "queued");
    let early = client.call::<_, Value>("job.result", &json!({ "job": job }));
    assert_eq!(code(early), "invalid_request");
}

#[test]
fn what_cannot_be_a_job_is_refused_at_once() {
    let (_under_test, client) = start(1);
    wait(
        &client,
        &submit(&client, &chaos("chaos.always", 1, json!({}))),
    );
    let refused = |arguments: Value| code(client.call::<_, Value>("job.submit", &arguments));
    assert_eq!(refused(json!({})), "invalid_params");
    assert_eq!(refused(json!({ "method": "no.such" })), "method_not_found");
    for own in ["standin.ping", "job.submit", "pool.start"] {
        assert_eq!(refused(json!({ "method": own })), "invalid_params");
    }
    for wrong in [
        json!({ "params": 7 }),
        json!({ "key": "" }),
        json!({ "run_at": "tomorrow" }),
        json!({ "timeout_ms": 0 }),
        json!({ "retry": { "attempts_max": 0 } }),
        json!({ "retry": { "backof_ms": 5 } }),
        json!({ "retry": 5 }),
    ] {
        let mut job = chaos("chaos.always", 1, json!({}));
        let wrong = wrong.as_object().expect("it is a map").clone();
        job.as_object_mut().expect("it is a map").extend(wrong);
        assert_eq!(refused(job), "invalid_params");
    }
    for job in ["", "7", "1-0000000000000000", "x-y"] {
        let asked = client.call::<_, Value>("job.status", &json!({ "job": job }));
        assert_eq!(code(asked), "invalid_params");
    }
}
