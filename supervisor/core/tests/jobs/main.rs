//! Thousands of lives with jobs: deaths of the service at any step, clocks that jump, a store that is full at times.
//!
//! A life is a seed. The store keeps what was committed and nothing else; what was on its way there when the service
//! died is committed up to some point, and lost from there on. After every step the rules are checked by what the
//! world has seen, not by what the core says. `STANDIN_SIM_SEED=n` lives one life again; `STANDIN_SIM_LIVES=n` changes
//! how many there are.
//!
//! - `store`: what is committed, and what is on its way.
//! - `life`: what happens, in which order.
//! - `service`: the core with its mailbox, and what its effects lead to.
//! - `workers`: what becomes of an attempt.
//! - `rules`: what must be true.

mod life;
mod rules;
mod service;
mod store;
mod workers;

use std::time::Instant;

use self::life::{Life, Seen};

#[expect(
    clippy::disallowed_methods,
    reason = "only differences to this moment matter"
)]
fn beginning() -> Instant {
    Instant::now()
}

#[expect(clippy::print_stderr, reason = "a broken life tells its name")]
fn live(seed: u64, start: Instant) -> Seen {
    let life = std::panic::catch_unwind(|| {
        let mut life = Life::new(seed, start);
        life.live();
        life.seen
    });
    life.unwrap_or_else(|broken| {
        eprintln!("live it again with STANDIN_SIM_SEED={seed}");
        std::panic::resume_unwind(broken)
    })
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn no_job_is_lost_or_done_twice_in_two_thousand_lives_with_deaths_at_any_step() {
    let start = beginning();
    if let Some(seed) = variable("STANDIN_SIM_SEED") {
        live(seed, start);
        return;
    }
    let mut seen = Seen::default();
    for seed in 0..variable("STANDIN_SIM_LIVES").unwrap_or(2_000) {
        for (what, times) in live(seed, start) {
            *seen.entry(what).or_default() += times;
        }
    }
    for what in rules::MUST_BE_SEEN {
        assert!(
            seen.contains_key(what),
            "no life has seen \"{what}\": {seen:?}"
        );
    }
}
