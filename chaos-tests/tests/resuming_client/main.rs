//! The Rust client through cut connections and the death of the service: whoever calls notices nothing but time.

mod cuts;
mod kills;
mod relay;

use std::{collections::HashMap, path::Path, time::Duration};

use chaos_tests::{
    ledger::{self, Step},
    under_test::{UnderTest, hostile_pool},
};

/// Far more than anything here takes; a test that reaches it has failed.
const LIMIT: Duration = Duration::from_secs(60);

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_chaos-tests"))
}

fn service(workers: usize) -> UnderTest {
    UnderTest::serve(program(), |folder| {
        // One client may have half of the queue, and a slow disk as long as it takes.
        let pool = "queue = { max = 4_000, wait = '10m' }";
        hostile_pool("chaos", program(), folder, workers, pool, "")
    })
}

/// How often a worker took that step, by request.
fn counts(under_test: &UnderTest, step: Step) -> HashMap<u64, usize> {
    let ledger = ledger::read(&under_test.ledger()).into_iter();
    let count =
        |entries: Vec<ledger::Entry>| entries.iter().filter(|entry| entry.step == step).count();
    ledger.map(|(id, entries)| (id, count(entries))).collect()
}

fn count(under_test: &UnderTest, id: u64, step: Step) -> usize {
    counts(under_test, step).get(&id).copied().unwrap_or(0)
}
