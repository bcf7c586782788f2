//! A job: each of its tries, and how it stands.

use chaos_tests::{
    platform,
    under_test::{UnderTest, eventually},
};
use serde_json::{Value, json};
use standin_client::blocking::Client;

use super::{explain, number, story_of};
use crate::setup::{LIMIT, begun, program, refusal, service, work};

/// What the service tells of a job.
fn explain_job(client: &Client, job: &Value) -> Value {
    let query = json!({ "job": job });
    let told = client.call("standin.explain", &query);
    told.expect("it is answered")
}

/// What a person is shown.
fn command(under_test: &UnderTest, arguments: &[&str]) -> String {
    let ran = std::process::Command::new(program())
        .args(arguments)
        .arg("--endpoint")
        .arg(under_test.endpoint().as_path())
        .output()
        .expect("it can be started");
    String::from_utf8(ran.stdout).expect("it is text")
}

#[test]
fn a_job_tells_of_its_tries_who_died_under_them_and_how_it_stands() {
    let (under_test, client) = service("");
    let never = json!({ "method": "chaos.never", "params": [work(1, 60_000, "")] });
    let submitted: Value = client.call("job.submit", &never).expect("it is taken");
    let job = &submitted["job"];
    eventually(LIMIT, "it runs", || begun(&under_test, 1) == 1);
    let told = explain_job(&client, job);
    assert_eq!(told["job"]["state"], "running", "{told}");
    let [running] = &told["calls"].as_array().expect("a list")[..] else {
        panic!("{told}");
    };
    assert_eq!(running["state"], "running");
    assert_eq!((&running["job"], &running["job_attempt"]), (job, &json!(1)));
    platform::kill(number(&running["attempts"][0]["pid"]) as u32);
    let named = json!({ "job": job });
    client
        .call::<_, Value>("job.wait", &named)
        .expect("it ends");

    let told = explain_job(&client, job);
    assert_eq!(told["job"]["state"], "unknown", "{told}");
    assert_eq!(told["job"]["error"]["code"], "worker_lost");
    let story = &told["calls"][0];
    assert_eq!(story["request"], running["request"]);
    assert_eq!(story["attempts"][0]["cause"], platform::KILLED);
    assert_eq!(
        story["rule"],
        "not replayed: it is `never`, and the worker may have begun with it"
    );
    let name = job.as_str().expect("a text");
    let shown = command(&under_test, &["jobs", "show", name]);
    let hint = format!("standin explain --job {name}");
    assert!(shown.contains(&hint), "{shown}");
    let shown = command(&under_test, &["explain", "--job", name]);
    for words in ["unknown", "as try 1 of the job", platform::KILLED] {
        assert!(shown.contains(words), "{words}: {shown}");
    }

    let mut other = name.to_owned();
    let last = if other.ends_with('0') { '1' } else { '0' };
    other.pop();
    other.push(last);
    for query in [
        json!({ "job": other }),
        json!({ "job": 7 }),
        json!({ "job": job, "msgid": 1 }),
    ] {
        let answer = refusal(&client, "standin.explain", &query);
        assert_eq!(answer.code, "invalid_params", "{query}");
    }
}

#[test]
fn a_job_tells_of_tries_that_no_pool_had() {
    let under_test = UnderTest::serve(program(), |_| {
        format!(
            "[pools.broken]\ncommand = ['{}', 'no-such-command']\n",
            program().display()
        )
    });
    let client = under_test.client();
    let submitted: Value = client
        .call("job.submit", &json!({ "method": "broken.thing" }))
        .expect("it may come yet");
    let job = &submitted["job"];
    eventually(LIMIT, "it was begun twice", || {
        let told = explain_job(&client, job);
        told["calls"].as_array().map(Vec::len) >= Some(2)
    });
    let told = explain_job(&client, job);
    let calls = told["calls"].as_array().expect("a list");
    for call in calls {
        assert_eq!(call["method"], "broken.thing");
        assert_eq!(call["code"], told["job"]["error"]["code"]);
        assert_eq!((&call["pool"], &call["job"]), (&json!(""), job));
        assert_eq!(call["rule"], "no pool offered the method at that time");
    }
    // It has a number like any other.
    let request = json!({ "request": calls[0]["request"] });
    assert_eq!(explain(&client, &request)[0]["job"], *job);
}

#[test]
fn an_error_that_was_kept_leads_to_no_other_call_after_the_service_was_started_again() {
    let (mut under_test, client) = service("");
    let never = json!({ "method": "chaos.never", "params": [work(1, 0, "abort")] });
    let submitted: Value = client.call("job.submit", &never).expect("it is taken");
    let job = json!({ "job": submitted["job"] });
    let ended: Value = client.call("job.wait", &job).expect("it ends");
    assert_eq!(ended["state"], "unknown", "{ended}");
    let before = refusal(&client, "job.result", &job);
    assert_eq!(story_of(&under_test, &before)["code"], "worker_lost");

    under_test.service.kill().expect("it lives");
    under_test.service.wait().expect("it dies");
    under_test.start_again(program());
    let client = under_test.client();
    for id in 2..30 {
        let call = client.request("chaos.always").arguments(&work(id, 0, ""));
        client.send::<u64>(call).expect("it is served");
    }
    let after = refusal(&client, "job.result", &job);
    assert_eq!(after, before, "it is kept as it was");
    let data: &[u8] = after.data.as_ref().expect("it has the number");
    let data: Value = rmp_serde::from_slice(data).expect("it can be read");
    assert!(explain(&client, &data).is_empty());
    assert_eq!(explain(&client, &json!({ "limit": 200 })).len(), 28);
}
