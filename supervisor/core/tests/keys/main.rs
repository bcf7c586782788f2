//! Thousands of lives of a few keys: sessions that claim them, run under them and die; a store that keeps what was
//! committed; and a service that may be killed at any step.
//!
//! A life is a seed. What is on its way (verdicts, looked-up keys, writes) arrives in any order that the real parts
//! allow. The rules: what has an effect is run at most once, ever; every claim gets exactly one verdict; the same key
//! gives the same answer; a refused call does not burn its key; another payload is a conflict; an expired key is never
//! run again; whoever only looks never runs, and is told that nothing happened only if nothing did; and when the faults stop everybody is answered and nothing is kept. `STANDIN_SIM_SEED=n` lives one again.
//!
//! - `life`: the loop, and what happens by chance.
//! - `owner`: how a call under a key goes, from its start to its record.
//! - `rules`: what may be told, and what may happen.
//! - `store`: what is committed and what is on its way there.

mod life;
mod owner;
mod rules;
mod store;

use std::collections::BTreeMap;

use self::life::Life;

/// What must have happened in some life; otherwise the simulation has lost its teeth.
const MUST_HAPPEN: [&str; 19] = [
    "a claim ran",
    "a claim waited and was answered",
    "an answer came from the store",
    "a conflict while it ran",
    "a conflict with the store",
    "an expired key was refused",
    "time was up",
    "too many waited",
    "the store could not be read",
    "a refused key ran again",
    "a key was handed to the next",
    "an owner was lost and another ran",
    "an owner was lost and it was unknown",
    "the service died with a write on its way",
    "the service died before a verdict was heard",
    "unknown after the service died",
    "whoever looked found nothing",
    "whoever looked saw another run",
    "whoever looked got the answer",
];

#[test]
fn the_rules_for_keys_hold_in_ten_thousand_lives_with_deaths_at_any_step() {
    let variable = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    if let Some(seed) = variable("STANDIN_SIM_SEED") {
        Life::new(seed, true).live();
        return;
    }
    let mut seen: BTreeMap<&'static str, u64> = BTreeMap::new();
    for seed in 0..variable("STANDIN_SIM_LIVES").unwrap_or(10_000) {
        let mut life = Life::new(seed, false);
        let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| life.live()));
        if let Err(broken) = lived {
            tell(seed);
            std::panic::resume_unwind(broken);
        }
        for (what, times) in life.seen {
            *seen.entry(what).or_default() += times;
        }
    }
    for what in MUST_HAPPEN {
        assert!(seen.contains_key(what), "it never happened that {what}");
    }
}

#[expect(
    clippy::print_stderr,
    reason = "a broken life tells how to live it again"
)]
fn tell(seed: u64) {
    eprintln!("life {seed} broke a rule; live it again with STANDIN_SIM_SEED={seed}");
}
