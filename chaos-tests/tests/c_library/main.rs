//! The C library and a real service, by the functions that C calls. What each function does by itself is tested by
//! `clients/c/tests/surface.c`; here are the deaths, the waits, and what no program should do.

mod callbacks;
#[path = "../../../clients/c/fuzz/driver.rs"]
mod driver;
mod losing;
mod random;
mod running;
mod surface;

use std::{path::Path, time::Duration};

use chaos_tests::under_test::{UnderTest, eventually, hostile_pool, sdk_pool, worker_pids};

/// Far more than anything here takes; a test that reaches it has failed.
const LIMIT: Duration = Duration::from_secs(60);

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_chaos-tests"))
}

/// A service whose workers are there.
fn service() -> UnderTest {
    let under_test = UnderTest::serve(program(), |folder| {
        hostile_pool("chaos", program(), folder, 2, "", "")
            + &sdk_pool("sdk", program(), folder, "")
    });
    let client = under_test.client();
    eventually(LIMIT, "the worker is ready", || {
        worker_pids(&client, "sdk").len() == 1
    });
    under_test
}
