//! Any functions in any order on any handles: codes, and never a crash.

use crate::driver::{Choices, drive};
use chaos_tests::under_test::{UnderTest, eventually};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use super::{LIMIT, service, surface::*};

/// Choices from a seed.
struct Seeded(ChaCha8Rng);

impl Choices for Seeded {
    fn next(&mut self) -> Option<u8> {
        Some(self.0.next_u32().to_le_bytes()[0])
    }
}

fn run(under_test: &UnderTest, seed: u64) {
    let mut choices = Seeded(ChaCha8Rng::seed_from_u64(seed));
    drive(&under_test.endpoint().to_string(), &mut choices, 3000, 3);
    // Whatever it left open or lost, the next client is well, once the queue has room for it.
    let client = open(under_test);
    eventually(LIMIT, "the next client is well", || {
        let call = new_call(client, "sdk.echo", &serde_json::json!({ "text": "a" }));
        let result = standin_surface::exports::run::standin_send(call, LIMIT_MS);
        let is_full = result == FAILED && code(call) == "overloaded";
        assert!(
            result == OK || is_full,
            "after seed {seed}: {}",
            message(call)
        );
        close(call);
        !is_full
    });
    close(client);
}

#[test]
fn any_functions_in_any_order_on_any_handles_are_codes_and_never_a_crash() {
    let under_test = service();
    for seed in 1..=20 {
        run(&under_test, seed);
    }
}
