//! What can be asked about jobs, and by whom.

use std::os::unix::{fs::PermissionsExt, process::CommandExt};

use chaos_tests::under_test::{UnderTest, hostile_pool};
use serde_json::{Value, json};

use crate::{chaos, code, program, start, status, submit, wait};

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

#[test]
fn a_user_sees_their_own_jobs_and_an_administrator_all() {
    if !rustix::process::geteuid().is_root() {
        // Only root can be two users.
        return;
    }
    let under_test = UnderTest::serve(program(), |folder| {
        let pool = hostile_pool("chaos", program(), folder, 1, "", "");
        format!("mode = '0666'\n{pool}")
    });
    let client = under_test.client();
    // The other user is to get at the endpoint, and is not to write where the tests are run.
    let everybody = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(under_test.folder.path(), everybody).expect("it is ours");
    let other = |arguments: &[&str]| {
        let ran = std::process::Command::new(program())
            .args(["jobs"])
            .args(arguments)
            .args(["--json", "--endpoint"])
            .arg(under_test.endpoint().as_path())
            .uid(65534)
            .current_dir("/")
            .output()
            .expect("it can be started");
        let (out, error) = (ran.stdout, ran.stderr);
        let text = String::from_utf8_lossy(if out.is_empty() { &error } else { &out }).into_owned();
        (ran.status.success(), text)
    };
    let ours = submit(&client, &chaos("chaos.always", 1, json!({})));
    let (taken, theirs) = other(&["submit", "chaos.always", "id=2"]);
    assert!(taken, "{theirs}");
    let theirs: Value = serde_json::from_str(&theirs).expect("it is JSON");
    let theirs = theirs["job"].as_str().expect("a text");
    let (_, listed) = other(&["list"]);
    assert!(
        listed.contains(theirs) && !listed.contains(&ours),
        "{listed}"
    );
    for forbidden in ["show", "cancel", "retry"] {
        let (done, said) = other(&[forbidden, &ours]);
        assert!(!done, "{forbidden}: {said}");
    }
    let all: Vec<Value> = client.call("job.list", &json!({})).expect("it answers");
    assert_eq!(all.len(), 2);
    assert_eq!(status(&client, theirs)["user"], "65534");
}
