//! `standin.explain`: what happened to a call, told of real processes that were really killed.

use std::{io::Write, time::Duration};

use chaos_tests::{
    platform,
    under_test::{UnderTest, eventually, hostile_pool, worker_pids},
};
use serde_json::{Value, json};
use standin_client::{ErrorAnswer, Outcome, blocking::Client};

use crate::setup::{LIMIT, begun, is_whole, program, refusal, service, start, the_error, work};

/// What the service tells, the newest first.
pub(crate) fn explain(client: &Client, query: &Value) -> Vec<Value> {
    client
        .call("standin.explain", query)
        .expect("it is answered")
}

/// The story of the request that an error leads to, as another connection is told it.
fn story_of(under_test: &UnderTest, answer: &ErrorAnswer) -> Value {
    let data: &[u8] = answer.data.as_ref().expect("it leads to the story");
    let data: Value = rmp_serde::from_slice(data).expect("it can be read");
    let told = explain(&under_test.client(), &data);
    let [story] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(story["request"], data["request"]);
    assert_eq!(story["code"], json!(answer.code));
    assert_eq!(story["outcome"], json!(answer.outcome.name()));
    story.clone()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value}"))
}

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

#[test]
fn each_call_of_a_batch_has_a_story_of_its_own() {
    let (_under_test, client) = service("");
    let calls: Vec<_> = (0..3)
        .map(|id| json!(["chaos.always", [work(id, 0, "")]]))
        .collect();
    let batch = start(&client, "standin.batch", &json!({ "calls": calls }));
    let msgid = batch.msgid();
    client.wait::<Value>(batch).expect("it is answered");
    let told = explain(&client, &json!({ "msgid": msgid }));
    let places: Vec<u64> = told.iter().map(|story| number(&story["call"])).collect();
    assert_eq!(places, [2, 1, 0], "the newest first");
    let session = &told[0]["session"];
    let same = explain(&client, &json!({ "session": session, "msgid": msgid }));
    assert_eq!(same.len(), 3);
    assert_eq!(explain(&client, &json!({ "limit": 2 })).len(), 2);
}

#[test]
fn a_query_that_makes_no_sense_is_refused_and_one_for_nothing_finds_nothing() {
    let (_under_test, client) = service("");
    assert!(explain(&client, &json!({ "request": 999_999 })).is_empty());
    assert!(explain(&client, &json!({ "msgid": 999_999 })).is_empty());
    assert!(explain(&client, &json!({ "poisoned": true })).is_empty());
    for query in [
        json!({ "request": "seven" }),
        json!({ "request": 1, "msgid": 1 }),
        json!({ "msgid": 1, "poisoned": true }),
        json!({ "limit": "all" }),
    ] {
        let answer = refusal(&client, "standin.explain", &query);
        assert_eq!(answer.code, "invalid_params", "{query}");
    }
}

#[derive(serde::Deserialize)]
struct Poisoned {
    request: u64,
    params: serde_bytes::ByteBuf,
    params_size: usize,
}

fn poisoned(client: &Client) -> Vec<Poisoned> {
    let query = json!({ "poisoned": true });
    let call = client.request("standin.explain").arguments(&query);
    client.send(call).expect("it is answered")
}

#[test]
fn a_poisoned_call_is_kept_with_its_story_and_what_was_in_it() {
    let (under_test, client) = service("");
    let deadly = work(1, 0, "abort");
    let answer = refusal(&client, "chaos.always", &deadly);
    assert_eq!(answer.code, "poisoned");
    let story = story_of(&under_test, &answer);
    assert_eq!(story["rule"], "poisoned: three deaths of its own doing");
    let attempts = story["attempts"].as_array().expect("a list");
    assert_eq!(attempts.len(), 3);
    assert!(
        attempts
            .iter()
            .all(|attempt| attempt["cause"] == platform::ABORTED)
    );
    assert_eq!(
        story.get("params"),
        None,
        "that is for administrators who ask"
    );

    let told = poisoned(&client);
    let [kept] = &told[..] else {
        panic!("{}", told.len())
    };
    assert_eq!(kept.request, number(&story["request"]));
    assert_eq!(kept.params.len(), kept.params_size);
    let params: Value = rmp_serde::from_slice(&kept.params).expect("it is what was sent");
    assert_eq!(params, json!([deadly]));
}

#[test]
fn the_same_deadly_bytes_are_refused_at_once_and_other_bytes_are_served() {
    let (under_test, client) = service("");
    let deadly = work(1, 0, "abort");
    assert_eq!(refusal(&client, "chaos.always", &deadly).code, "poisoned");
    eventually(LIMIT, "the pool is whole again", || is_whole(&client));
    let answer = refusal(&under_test.client(), "chaos.always", &deadly);
    assert_eq!(
        (&*answer.code, answer.outcome),
        ("poisoned", Outcome::NotExecuted)
    );
    assert!(answer.retry_after_ms.is_some_and(|pause| pause <= 10_000));
    assert_eq!(
        answer.message,
        "\"chaos.always\" with these arguments has ended one process after the other lately and is not tried again yet. \
         It was not executed."
    );
    let story = story_of(&under_test, &answer);
    let rule = "refused: the same call had ended one worker after the other";
    assert_eq!(
        (&story["rule"], &story["attempts"]),
        (&json!(rule), &json!([]))
    );
    assert_eq!(begun(&under_test, 1), 3, "nobody else died of it");
    let harmless: u64 = client
        .call("chaos.always", &work(2, 0, ""))
        .expect("others are served");
    assert_eq!(harmless, 2);
    // It is no poisoned call itself: it never ran.
    assert_eq!(poisoned(&client).len(), 1);
}

#[cfg(debug_assertions)]
#[test]
fn a_fault_of_standins_own_is_part_of_the_story_of_each_call_that_it_hit() {
    let under_test = UnderTest::serve(program(), |folder| {
        hostile_pool("chaos", program(), folder, 2, "", "")
    });
    let client = under_test.client();
    eventually(LIMIT, "the workers are ready", || {
        worker_pids(&client, "chaos").len() == 3
    });
    let never = start(&client, "chaos.never", &work(1, 400, ""));
    let always = start(&client, "chaos.always", &work(2, 400, ""));
    let msgid = json!({ "msgid": always.msgid() });
    eventually(LIMIT, "both run", || {
        begun(&under_test, 1) == 1 && begun(&under_test, 2) == 1
    });
    client
        .call::<_, bool>("standin.failpoint", &json!({ "place": "pool/chaos" }))
        .expect("failpoints are compiled in");
    // The question itself is what the pool fails at, unless a look of the monitor was quicker.
    explain(&client, &json!({}));

    let story = story_of(&under_test, &the_error(client.wait(never)));
    assert_eq!(
        story["rule"],
        "not replayed: a part of Standin failed that had given it to a worker"
    );
    assert_eq!(client.wait::<u64>(always).expect("it is run again"), 2);
    let story = &explain(&client, &msgid)[0];
    assert_eq!(story["attempts"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        story["notes"][0]["text"],
        "a part of Standin failed that had it; the one in its place was given it"
    );
}

/// What the service tells of a job.
fn explain_job(client: &Client, job: &Value) -> Value {
    let query = json!({ "job": job });
    let told = client.call("standin.explain", &query);
    told.expect("it is answered")
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
    let shown = command(
        &under_test,
        &["jobs", "show", job.as_str().expect("a text")],
    );
    let hint = format!("standin explain --job {}", job.as_str().expect("a text"));
    assert!(shown.contains(&hint), "{shown}");
    let shown = command(
        &under_test,
        &["explain", "--job", job.as_str().expect("a text")],
    );
    for words in ["unknown", "as try 1 of the job", platform::KILLED] {
        assert!(shown.contains(words), "{words}: {shown}");
    }

    let mut other = job.as_str().expect("a text").to_owned();
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
