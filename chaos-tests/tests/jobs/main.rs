//! Jobs on a real service: durable before they are acknowledged, done once, tried again where that is safe.

mod asking;
#[cfg(unix)]
mod other_user;
mod outbox;
mod surviving;
mod waiting;

use std::{path::Path, time::Duration};

use chaos_tests::under_test::{UnderTest, eventually};
use serde_json::{Value, json};
use standin_client::blocking::Client;

const LIMIT: Duration = Duration::from_secs(60);

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_chaos-tests"))
}

/// A service with so many hostile workers.
fn start(workers: usize) -> (UnderTest, Client) {
    let under_test = UnderTest::start(program(), workers, "", "");
    let client = under_test.client();
    (under_test, client)
}

/// Kills the service and starts it again.
fn kill(under_test: &mut UnderTest) -> Client {
    under_test.service.kill().expect("it lives");
    under_test.service.wait().expect("it dies");
    under_test.start_again(program());
    under_test.client()
}

fn submit(client: &Client, arguments: &Value) -> String {
    let submitted: Value = client.call("job.submit", arguments).expect("it is taken");
    submitted["job"].as_str().expect("it has a name").to_owned()
}

/// A job for a hostile worker. Its tries follow each other quickly.
fn chaos(method: &str, id: u64, more: Value) -> Value {
    let mut params = json!({ "id": id, "nonce": id });
    let (params_map, more) = (params.as_object_mut(), more.as_object().cloned());
    params_map
        .expect("it is a map")
        .extend(more.unwrap_or_default());
    json!({
        "method": method,
        "params": [params],
        "retry": { "backoff_ms": 50, "backoff_max_ms": 500 },
    })
}

fn status(client: &Client, job: &str) -> Value {
    let arguments = json!({ "job": job });
    client.call("job.status", &arguments).expect("it is known")
}

/// How it stands when it has ended.
fn wait(client: &Client, job: &str) -> Value {
    let arguments = json!({ "job": job });
    client.call("job.wait", &arguments).expect("it ends")
}

fn until(client: &Client, job: &str, what: &str, holds: impl Fn(&Value) -> bool) {
    eventually(LIMIT, what, || holds(&status(client, job)));
}

fn code<T: std::fmt::Debug>(result: Result<T, standin_client::CallError>) -> String {
    let error = result.expect_err("it is refused");
    error.code().expect("the service said so").to_owned()
}
