//! Thousands of lives of a service and its clients, in which anything is cut, killed or late at any step.
//!
//! A life is a seed. Clients ask, take back, acknowledge, come back over new connections and send again what is not
//! answered; connections break with whatever is on its way; workers die; the store commits some of what it was given and
//! forgets the rest when the service dies, which it does twice in a row as well. The session and the pool are the real
//! cores; what the actors around them do is modelled message by message, so that each order of news is lived. The rules
//! are held against a ledger of what workers really did.
//! `STANDIN_SIM_SEED=n` lives one life again; `STANDIN_SIM_LIVES=n` changes how many there are.
//!
//! - `world`: the loop, and who does harm when.
//! - `client`: what clients do, and what they read.
//! - `connection`: what is on its way.
//! - `service`: newcomers, sessions found and made, the death and the start of the service.
//! - `session`, `pool`: the actors' part of a session and of a pool.
//! - `worker`: what workers do.
//! - `store`: what is on record, and what is waiting to be.
//! - `checker`: the rules.
//! - `coverage`: the rare branches that must have been reached.

mod checker;
mod client;
mod connection;
mod coverage;
mod pool;
mod service;
mod session;
mod store;
mod worker;
mod world;

use std::{panic::AssertUnwindSafe, time::Instant};

use self::{coverage::Seen, world::World};

#[expect(
    clippy::disallowed_methods,
    reason = "only differences to this moment matter"
)]
fn beginning() -> Instant {
    Instant::now()
}

/// A life that breaks a rule is lived once more, to tell its story.
#[expect(clippy::print_stderr, reason = "a broken life tells its story")]
fn live(seed: u64, start: Instant) -> Seen {
    let mut world = World::new(seed, start);
    if std::panic::catch_unwind(AssertUnwindSafe(|| world.live())).is_ok() {
        return world.seen;
    }
    let mut world = World::new(seed, start);
    world.story = Some(Vec::new());
    let lived = std::panic::catch_unwind(AssertUnwindSafe(|| world.live()));
    let story = world.story.take().unwrap_or_default();
    let last = story.len().saturating_sub(150);
    eprintln!(
        "life {seed} broke a rule; its last steps:\n{}",
        story[last..].join("\n")
    );
    eprintln!("live it again with STANDIN_SIM_SEED={seed}");
    match lived {
        Err(broken) => std::panic::resume_unwind(broken),
        Ok(()) => panic!("life {seed} went another way the second time"),
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn no_call_is_lost_or_run_twice_in_ten_thousand_lives_with_cuts_and_deaths_at_any_step() {
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
