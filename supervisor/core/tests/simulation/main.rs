//! Thousands of lives of a pool, each with deaths at any step, lived in a second or two.
//!
//! A life is a seed: it draws the settings, the requests, what each worker does and who kills it when. Time passes only
//! where the core asks for it or something happens, so a wake-up that the core forgets shows as a request without an
//! answer; in half of the lives the timer is late as well. After every step the rules are checked, by a model of the
//! world that does not trust what the core says about itself; and at its end a pool must be of use again.
//! `STANDIN_SIM_SEED=n` lives one life again; `STANDIN_SIM_LIVES=n` changes how many there are.
//!
//! - `life`: the loop, from one moment to the next.
//! - `nemesis`: what is drawn: settings, requests, and who does what to whom.
//! - `world`: the workers and requests as they are, and what the core's effects make of them.
//! - `workers`: what workers do.
//! - `checker`: the rules for what the core orders.
//! - `steady`: the rules for every moment.
//! - `blame`: whose fault a death was.
//! - `coverage`: the rare branches that must have been reached.

mod blame;
mod checker;
mod coverage;
mod life;
mod nemesis;
mod steady;
mod workers;
mod world;

use std::{panic::AssertUnwindSafe, time::Instant};

use self::{coverage::Seen, life::Life};

#[expect(
    clippy::disallowed_methods,
    reason = "only differences to this moment matter"
)]
fn beginning() -> Instant {
    Instant::now()
}

/// A life that breaks a rule is lived once more, to tell its story: ten thousand that keep them need not be told.
#[expect(clippy::print_stderr, reason = "a broken life tells its story")]
fn live(seed: u64, start: Instant) -> Seen {
    let mut life = Life::new(seed, start);
    if std::panic::catch_unwind(AssertUnwindSafe(|| life.live())).is_ok() {
        return life.seen;
    }
    let mut life = Life::new(seed, start).with_story();
    let lived = std::panic::catch_unwind(AssertUnwindSafe(|| life.live()));
    eprintln!(
        "life {seed} broke a rule; its last steps:\n{}",
        life.story()
    );
    eprintln!("live it again with STANDIN_SIM_SEED={seed}");
    match lived {
        Err(broken) => std::panic::resume_unwind(broken),
        Ok(()) => {
            panic!("life {seed} went another way the second time; it must depend on its seed only")
        }
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn the_rules_hold_in_ten_thousand_lives_with_deaths_at_any_step() {
    let start = beginning();
    if let Some(seed) = variable("STANDIN_SIM_SEED") {
        live(seed, start);
        return;
    }
    let mut seen = Seen::default();
    for seed in 0..variable("STANDIN_SIM_LIVES").unwrap_or(10_000) {
        seen.extend(live(seed, start));
    }
    coverage::assert_all_reached(&seen);
}
