//! Calls with an idempotency key, made by hand against a real service.

mod deaths;
mod doors;
mod many;
#[cfg(debug_assertions)]
mod mending;
// It needs a place where something rare happens on command.
#[cfg(debug_assertions)]
mod nobody;
#[cfg(unix)]
mod other_user;
mod rules;

use std::{path::Path, time::Duration};

use chaos_tests::{
    ledger::{self, Step},
    raw_client::{RawClient, map},
    under_test::{UnderTest, hostile_pool},
};
use rmpv::Value;

/// Far more than anything here takes; a test that reaches it has failed.
const LIMIT: Duration = Duration::from_secs(30);

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_chaos-tests"))
}

/// So many workers, a spare, and these settings of their pool.
fn service(workers: usize, pool: &str) -> UnderTest {
    let under_test = UnderTest::serve(program(), |folder| {
        hostile_pool("chaos", program(), folder, workers, pool, "")
    });
    // Whoever speaks by hand does not wait for a service that is not up yet.
    under_test.client();
    under_test
}

fn kill_and_start_again(under_test: &mut UnderTest) {
    under_test.service.kill().expect("it lives");
    under_test.service.wait().expect("it dies");
    under_test.start_again(program());
    under_test.client();
}

fn connect(under_test: &UnderTest) -> RawClient {
    RawClient::connect(&under_test.endpoint())
}

/// Arguments for a hostile worker. The answer is the nonce, by which one run is told from another.
fn work(id: u64, nonce: u64, work_ms: u64) -> Value {
    map([
        ("id", id.into()),
        ("nonce", nonce.into()),
        ("work_ms", work_ms.into()),
    ])
}

fn key(key: &str) -> Value {
    map([("key", key.into())])
}

/// How often a worker took that step with a request.
fn count(under_test: &UnderTest, id: u64, step: Step) -> usize {
    let ledger = ledger::read(&under_test.ledger());
    let of = ledger.get(&id).map_or(&[][..], Vec::as_slice);
    of.iter().filter(|entry| entry.step == step).count()
}

fn begun(under_test: &UnderTest, id: u64) -> usize {
    count(under_test, id, Step::Begun)
}

/// Every class, by the method that has it.
const METHODS: [&str; 3] = ["chaos.always", "chaos.until_effect", "chaos.never"];
