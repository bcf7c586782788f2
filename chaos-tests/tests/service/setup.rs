//! A service with a pool of hostile workers and one of well-behaved ones, and short ways to ask it.

use std::{path::Path, time::Duration};

use chaos_tests::{
    ledger::{self, Step},
    under_test::{UnderTest, eventually, hostile_pool, sdk_pool, worker_pids},
};
use serde_json::{Value, json};
use standin_client::{CallError, ErrorAnswer, Pending, blocking::Client};

/// Far more than anything here takes; a test that reaches it has failed.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_chaos-tests"))
}

/// Pools `chaos`, of one worker and a spare, and `sdk`; both ready. `chaos` holds more settings of the first.
pub(crate) fn service(chaos: &str) -> (UnderTest, Client) {
    let under_test = UnderTest::serve(program(), |folder| {
        hostile_pool("chaos", program(), folder, 1, chaos, "")
            + &sdk_pool("sdk", program(), folder, "")
    });
    let client = under_test.client();
    eventually(LIMIT, "the workers are ready", || is_whole(&client));
    (under_test, client)
}

pub(crate) fn is_whole(client: &Client) -> bool {
    worker_pids(client, "chaos").len() == 2 && worker_pids(client, "sdk").len() == 1
}

/// Arguments for a hostile worker.
pub(crate) fn work(id: u64, work_ms: u64, misbehave: &str) -> Value {
    json!({ "id": id, "nonce": id, "work_ms": work_ms, "misbehave": misbehave })
}

pub(crate) fn start(client: &Client, method: &str, arguments: &Value) -> Pending {
    let call = client.request(method).arguments(arguments).timeout(LIMIT);
    client.start(call).expect("it is sent")
}

/// The error that a call is answered with.
pub(crate) fn refusal(client: &Client, method: &str, arguments: &Value) -> ErrorAnswer {
    the_error(client.call::<_, Value>(method, arguments))
}

pub(crate) fn the_error(answered: Result<Value, CallError>) -> ErrorAnswer {
    match answered {
        Err(CallError::Service(answer)) => answer,
        other => panic!("{other:?}"),
    }
}

/// How often a worker began with a request.
pub(crate) fn begun(under_test: &UnderTest, id: u64) -> usize {
    let ledger = ledger::read(&under_test.ledger());
    let of = ledger.get(&id).map_or(&[][..], Vec::as_slice);
    of.iter().filter(|entry| entry.step == Step::Begun).count()
}
