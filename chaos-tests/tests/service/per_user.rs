//! A pool of which each user has one of their own.

use chaos_tests::{
    platform,
    raw_client::{RawClient, code, map},
    under_test::{UnderTest, eventually, status},
};
use rmpv::Value as Packed;
use serde_json::{Value, json};
use standin_client::blocking::Client;

use crate::{
    explain::explain,
    setup::{LIMIT, program, refusal},
};

/// One worker for each user, which goes after that time without use.
fn settings(folder: &std::path::Path, idle: &str, more: &str) -> String {
    format!(
        "[pools.sdk]\ncommand = ['{}', 'sdk-worker']\nenvironment = {{ CHAOS_LEDGER = '{}' }}\nscope = 'user'\n\
         workers = {{ min = 1, max = 1, spare = 0, idle = '{idle}' }}\n{more}\n",
        program().display(),
        folder.join("ledger").display(),
    )
}

fn serve(idle: &str) -> UnderTest {
    UnderTest::serve(program(), |folder| settings(folder, idle, ""))
}

/// What the pool of this process's user is called.
fn own_pool() -> String {
    format!("sdk@{}", standin_transport::own_user())
}

fn pools(client: &Client) -> Vec<String> {
    let status = status(client);
    let pools = status["pools"].as_array().expect("a list").iter();
    pools
        .map(|pool| pool["name"].as_str().expect("a text").to_owned())
        .collect()
}

fn who(client: &Client) -> Value {
    let call = client
        .request("sdk.who")
        .arguments(&json!({}))
        .timeout(LIMIT);
    client.send(call).expect("it is answered")
}

#[test]
fn a_users_pool_comes_with_the_first_call_and_is_told_whose_it_is() {
    let under_test = serve("5m");
    let client = under_test.client();
    assert!(pools(&client).is_empty(), "nobody has asked for anything");
    let first = who(&client);
    let user = standin_transport::own_user();
    assert_eq!(first["user"], *user);
    assert_eq!(first["asked_by"], *user);
    assert_eq!(pools(&client), [own_pool()]);
    let second = who(&under_test.client());
    assert_eq!(
        first["pid"], second["pid"],
        "all of a user's programs share it"
    );
    let story = &explain(&client, &json!({}))[0];
    assert_eq!(story["pool"], own_pool());
}

#[test]
fn whoever_asks_first_what_there_is_or_sends_a_batch_is_answered_as_with_any_pool() {
    let under_test = serve("5m");
    let client = under_test.client();
    let methods: Value = client.call("standin.methods", &()).expect("a list");
    let methods = methods.as_array().expect("a list");
    let echoes: Vec<_> = methods
        .iter()
        .filter(|line| line["name"] == "sdk.echo")
        .collect();
    assert_eq!(echoes.len(), 1, "it is listed once");

    let under_test = serve("5m");
    // Its hello asks for nothing.
    let _client = under_test.client();
    let mut raw = RawClient::connect(&under_test.endpoint());
    let echo = Packed::Array(vec!["sdk.echo".into(), map([("text", "hello".into())])]);
    let unknown = Packed::Array(vec!["sdk.nothing".into(), map([])]);
    raw.ask(
        1,
        "standin.batch",
        map([("calls", vec![echo, unknown].into())]),
    );
    let answers = raw.answer(1).expect("the batch itself is answered");
    assert_eq!(answers[0][1], "hello".into());
    assert_eq!(code(&answers[1][0]), "method_not_found");
}

#[test]
fn a_dead_worker_of_a_users_pool_is_replaced_and_its_call_is_made_again() {
    let under_test = serve("5m");
    let client = under_test.client();
    let before = who(&client)["pid"].as_u64().expect("a number") as u32;
    let steps = json!({ "steps": 20, "pause_ms": 25 });
    let running = crate::setup::start(&client, "sdk.progress", &steps);
    let other = under_test.client();
    eventually(LIMIT, "it runs", || {
        status(&other)["pools"][0]["running"] == 1
    });
    platform::kill(before);
    let made: u32 = client.wait(running).expect("it is made again");
    assert_eq!(made, 20);
    assert_ne!(who(&client)["pid"], before);
}

#[test]
fn keys_and_jobs_work_in_a_users_pool() {
    let under_test = serve("5m");
    let client = under_test.client();
    let call = || client.request("sdk.who").key("once").timeout(LIMIT);
    let first: Value = client.send(call().arguments(&json!({}))).expect("it runs");
    let again: Value = client
        .send(call().arguments(&json!({})))
        .expect("the answer is kept");
    assert_eq!(first, again);

    let under_test = serve("5m");
    let client = under_test.client();
    let job = json!({ "method": "sdk.echo", "params": [{ "text": "later" }] });
    let job: Value = client.call("job.submit", &job).expect("it is taken");
    let ended: Value = client.call("job.wait", &job).expect("it ends");
    assert_eq!(ended["state"], "done");
    let result: String = client.call("job.result", &job).expect("there is one");
    assert_eq!(result, "later");
    assert_eq!(pools(&client), [own_pool()]);
}

#[test]
fn a_users_pool_ends_when_it_is_not_needed_and_comes_again() {
    let under_test = serve("500ms");
    let client = under_test.client();
    let first = who(&client)["pid"].as_u64().expect("a number") as u32;
    eventually(LIMIT, "the pool is gone", || pools(&client).is_empty());
    eventually(LIMIT, "its worker has ended", || {
        !under_test.children().contains(&first)
    });
    assert_ne!(who(&client)["pid"], first);
    let started: Value = client
        .call("pool.start", &json!({ "pool": "sdk" }))
        .expect("an administrator may");
    assert!(
        started["methods"]
            .as_array()
            .is_some_and(|methods| !methods.is_empty())
    );
}

#[test]
fn a_reload_is_for_every_users_pool_and_a_stop_wants_to_be_told_whose() {
    let under_test = serve("5m");
    let client = under_test.client();
    let reload = || client.call::<_, Value>("pool.reload", &json!({ "pool": "sdk" }));
    reload().expect("nobody has one, so there is nothing to do");
    assert!(pools(&client).is_empty());
    let before = who(&client)["pid"].clone();
    reload().expect("the new worker starts");
    eventually(LIMIT, "a new worker serves", || {
        who(&client)["pid"] != before
    });

    let unclear = refusal(&client, "pool.stop", &json!({ "pool": "sdk" }));
    assert_eq!(unclear.code, "invalid_params");
    assert!(
        unclear.message.contains("Say whose is meant"),
        "{}",
        unclear.message
    );
    let stopped: Value = client
        .call("pool.stop", &json!({ "pool": own_pool() }))
        .expect("an administrator may");
    assert_eq!(stopped, json!({ "stopped": own_pool() }));
    assert_eq!(
        refusal(&client, "sdk.who", &json!({})).code,
        "pool_unavailable"
    );
    let start = json!({ "pool": "sdk" });
    client
        .call::<_, Value>("pool.start", &start)
        .expect("it starts");
    who(&client);
}

#[test]
fn no_call_is_lost_between_the_end_of_a_users_pool_and_the_next() {
    // Calls come when the pool is just about to end, and now and then just after that.
    let under_test = serve("20ms");
    let client = under_test.client();
    let mut pids = std::collections::BTreeSet::new();
    for round in 0..60 {
        pids.insert(who(&client)["pid"].as_u64());
        chaos_tests::clock::pause(15 + round % 10);
    }
    assert!(pids.len() > 1, "the pool has ended once at least: {pids:?}");
}

#[test]
fn the_service_stops_while_users_have_pools() {
    let mut under_test = serve("5m");
    let client = under_test.client();
    let pid = who(&client)["pid"].as_u64().expect("a number") as u32;
    under_test.ask_to_stop();
    assert!(under_test.service.wait().expect("it ends").success());
    eventually(LIMIT, "no worker is left", || platform::is_gone(pid));
}

/// Only root can be somebody else for a moment; on Windows it takes a second account.
#[cfg(unix)]
#[test]
fn each_user_meets_only_their_own_processes_and_only_so_many_users_have_some() {
    use chaos_tests::{
        other_user::{as_user, serve_everybody},
        under_test::worker_pids,
    };
    if !chaos_tests::platform::can_be_others(
        "each_user_meets_only_their_own_processes_and_only_so_many_users_have_some",
    ) {
        return;
    }
    let under_test = serve_everybody(program(), |folder| settings(folder, "5m", "users_max = 2"));
    let client = under_test.client();
    let roots = who(&client);
    let endpoint = under_test.endpoint();
    let asked_by = |user: u32| {
        as_user(user, || {
            let client = Client::connect(&endpoint, LIMIT).expect("everybody may connect");
            let answer = client.call::<_, Value>("sdk.who", &json!({}));
            (answer, pools(&client))
        })
    };
    let (theirs, seen) = asked_by(65534);
    let theirs = theirs.expect("there is room for a second user");
    assert_eq!(theirs["user"], "65534");
    assert_ne!(theirs["pid"], roots["pid"]);
    assert_eq!(seen, ["sdk@65534"], "one sees one's own");
    assert_eq!(pools(&client), ["sdk@0", "sdk@65534"]);
    let (refused, _) = asked_by(65533);
    let answer = crate::setup::the_error(refused);
    assert_eq!(
        (&*answer.code, answer.outcome.name()),
        ("overloaded", "not_executed")
    );
    // Who has not called for ten seconds makes room.
    eventually(LIMIT, "the third user has a pool", || {
        asked_by(65533).0.is_ok()
    });
    assert_eq!(worker_pids(&client, "sdk@65533").len(), 1);
}

/// Only root can start processes as somebody else.
#[cfg(target_os = "linux")]
#[test]
fn a_worker_runs_as_its_user_with_nothing_of_the_service() {
    use chaos_tests::other_user::{as_nobody, serve_everybody};
    if !chaos_tests::platform::can_be_others(
        "a_worker_runs_as_its_user_with_nothing_of_the_service",
    ) {
        return;
    }
    let mut under_test = serve_everybody(program(), |folder| {
        // The program may be where only root can go; as itself it can be started all the same.
        let settings = settings(folder, "5m", "run_as_user = true");
        settings.replace(&program().display().to_string(), "/proc/self/exe")
    });
    let roots = who(&under_test.client());
    assert_eq!(roots["environment"]["HOME"], "/root");
    let endpoint = under_test.endpoint();
    let his = as_nobody(|| who(&Client::connect(&endpoint, LIMIT).expect("everybody may connect")));
    let status = his["status"].as_str().expect("a text");
    let line = |name: &str| {
        let found = status.lines().find_map(|line| line.strip_prefix(name));
        let words = found.expect("there is such a line").split_whitespace();
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(line("Uid:"), ["65534"; 4]);
    assert_eq!(line("Gid:"), ["65534"; 4]);
    assert!(!line("Groups:").contains(&"0".to_owned()), "{status}");
    assert_eq!(line("CapEff:"), ["0000000000000000"]);
    assert_eq!(line("CapPrm:"), ["0000000000000000"]);
    let environment = his["environment"].as_object().expect("a map");
    assert_eq!(environment["USER"], "nobody");
    let is_known = |name: &String| {
        let known = [
            "PATH",
            "LANG",
            "LANGUAGE",
            "TZ",
            "HOME",
            "USER",
            "LOGNAME",
            "SHELL",
            "CHAOS_LEDGER",
        ];
        known.contains(&&**name) || name.starts_with("STANDIN_") || name.starts_with("LC_")
    };
    let strange: Vec<_> = environment.keys().filter(|name| !is_known(name)).collect();
    assert!(strange.is_empty(), "of the service's: {strange:?}");
    let open = his["open"].as_array().expect("a list").iter();
    let files: Vec<_> = open
        .filter_map(Value::as_str)
        .filter(|path| path.starts_with('/') && *path != "/dev/null" && !path.starts_with("/proc/"))
        .collect();
    assert!(files.is_empty(), "of the service's: {files:?}");
    // It has changed its user, and is tied to the service all the same.
    let pid = his["pid"].as_u64().expect("a number") as u32;
    under_test.service.kill().expect("it is ours");
    under_test.service.wait().expect("it ends");
    eventually(LIMIT, "the worker is gone", || platform::is_gone(pid));
}

/// Whoever is root may have it, and whoever is not is told so.
#[cfg(unix)]
#[test]
fn only_a_service_of_root_can_run_workers_as_their_users() {
    if rustix::process::geteuid().is_root() {
        return;
    }
    let mut under_test = UnderTest::serve(program(), |folder| {
        settings(folder, "5m", "run_as_user = true")
    });
    assert!(
        !under_test
            .service
            .wait()
            .expect("it ends by itself")
            .success()
    );
    let log = under_test.log();
    assert!(log.contains("not run by root"), "{log}");
}
