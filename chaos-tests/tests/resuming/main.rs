//! Sessions that outlive their connections, asked for by hand.

mod connection;
mod other_user;
mod service;
mod waiting;
mod window;

use std::{path::Path, time::Duration};

use chaos_tests::{
    ledger::{self, Step},
    under_test::UnderTest,
};

/// Far more than anything here takes; a test that reaches it has failed.
const LIMIT: Duration = Duration::from_secs(30);

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_chaos-tests"))
}

/// One worker, a spare, and these settings of the sessions.
fn service(sessions: &str) -> UnderTest {
    let under_test = UnderTest::serve(program(), |folder| {
        format!("[sessions]\n{sessions}\n")
            + &chaos_tests::under_test::hostile_pool("chaos", program(), folder, 1, "", "")
    });
    // Whoever speaks by hand does not wait for a service that is not up yet.
    under_test.client();
    under_test
}

/// How often a worker took that step with a request.
fn count(under_test: &UnderTest, id: u64, step: Step) -> usize {
    let ledger = ledger::read(&under_test.ledger());
    let of = ledger.get(&id).map_or(&[][..], Vec::as_slice);
    of.iter().filter(|entry| entry.step == step).count()
}
