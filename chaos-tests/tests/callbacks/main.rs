//! Workers ask the program that made the call, from end to end.

mod asking;
mod connection;
mod time;

use std::{path::Path, time::Duration};

use chaos_tests::{
    raw_client::{RawClient, map},
    under_test::{UnderTest, eventually, sdk_pool, worker_pids},
};
use rmpv::Value;
use standin_client::{Connect, blocking::Client};

const LIMIT: Duration = Duration::from_secs(30);

/// A service with one worker that is written with the SDK; `pool` holds more settings of it.
fn service(pool: &str) -> UnderTest {
    let program = Path::new(env!("CARGO_BIN_EXE_chaos-tests"));
    let under_test = UnderTest::serve(program, |folder| sdk_pool("sdk", program, folder, pool));
    let client = under_test.client();
    eventually(LIMIT, "the worker is ready", || {
        worker_pids(&client, "sdk").len() == 1
    });
    under_test
}

/// A client with one thread that serves callbacks.
fn client_that(under_test: &UnderTest, says: impl FnOnce(Connect) -> Connect) -> Client {
    let connect = Connect::new().endpoint(under_test.endpoint()).limit(LIMIT);
    Client::open(says(connect)).expect("the service is there")
}

fn logged(under_test: &UnderTest, line: &str) {
    eventually(LIMIT, line, || under_test.log().contains(line));
}

/// A client by hand that says that it answers callbacks, and whether a list of them at a time.
fn raw_client(under_test: &UnderTest, takes_batches: bool) -> (RawClient, Value) {
    let mut client = RawClient::connect(&under_test.endpoint());
    let hello = map([
        ("callbacks", true.into()),
        ("callback_batches", takes_batches.into()),
    ]);
    client.ask(1, "standin.hello", hello);
    let greeted = client.answer(1).expect("it is welcome");
    (client, greeted)
}

/// What `sdk.ask_all` and `sdk.ask_many` are to ask.
fn questions(method: &str, count: u64) -> Value {
    map([("method", method.into()), ("count", count.into())])
}

/// The next message, which must be a question: its number, its method and its parameters.
fn question(client: &mut RawClient) -> (u64, String, Value) {
    let message = client.message().expect("the connection lives");
    let parts = message.as_array().expect("it is a message");
    assert_eq!(
        (parts.len(), parts[0].as_u64()),
        (4, Some(0)),
        "{message} is a request without meta"
    );
    let method = parts[2].as_str().expect("it is a text").to_owned();
    (
        parts[1].as_u64().expect("a number"),
        method,
        parts[3].clone(),
    )
}

/// The argument of that name in the parameters of a question.
fn argument(params: &Value, name: &str) -> u64 {
    let value = chaos_tests::raw_client::field(&params[0], name);
    value.as_u64().expect("it is a number")
}

fn respond(client: &mut RawClient, msgid: u64, error: Value, result: Value) {
    client.send(&Value::Array(vec![1.into(), msgid.into(), error, result]));
}
