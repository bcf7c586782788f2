//! The same load against the floors and Standin in turn, several times over.
//!
//! A machine that is shared is now fast, now slow, for seconds at a time. What is compared is therefore measured close
//! together, and the ratio that counts is the median of the rounds.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use crate::{
    load::{Load, Manner, Outcome},
    setup,
};

/// How often everything is measured: odd, for the median.
pub(crate) const ROUNDS: usize = 5;

/// Measures and prints. `with_direct`: a worker without anything before it, too.
pub(crate) fn rounds(load: Load, concurrency: u32, with_direct: bool) {
    let Load { depth, size, .. } = load;
    println!("  {depth} deep, {size} bytes:");
    let (mut trips, mut rates) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        if with_direct {
            print("direct", &setup::direct(load));
        }
        let relay = setup::relay(load);
        print("raw relay", &relay);
        let standin = setup::standin(load, concurrency);
        print("standin", &standin);
        trips.push(standin.p50_us() / relay.p50_us());
        rates.push(standin.per_second / relay.per_second);
    }
    println!(
        "    standin to raw relay, median of {ROUNDS} rounds: p50 {:.2}, calls per second {:.2} (from {:.2} to {:.2})",
        median(&mut trips),
        median(&mut rates),
        rates[0],
        rates[ROUNDS - 1],
    );
}

/// The same load by clients in two manners.
pub(crate) fn manners(load: Load, concurrency: u32, manners: [(&str, Manner); 2]) {
    let [(usual, _), (other, _)] = manners;
    let manners = manners.map(|(_, manner)| manner);
    in_turns(load, [usual, other], |number| {
        let manner = manners[number];
        setup::standin(Load { manner, ..load }, concurrency)
    });
}

/// The same load before services that note nothing of what happens to calls, and before usual ones.
pub(crate) fn explained(load: Load, concurrency: u32) {
    in_turns(load, ["unnoted", "explained"], |number| {
        setup::standin_explained(load, concurrency, number == 1)
    });
}

/// Measures two things in turns and prints what the second is of the first.
fn in_turns(load: Load, names: [&str; 2], measure: impl Fn(usize) -> Outcome) {
    let Load { depth, size, .. } = load;
    let [usual, other] = names;
    println!("  {depth} deep, {size} bytes:");
    let (mut trips, mut rates) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Who comes first takes turns as well: a machine that warms up or slows down is nobody's merit.
        let mut order = [0, 1];
        order.rotate_left(round % 2);
        let mut outcomes = order.map(|number| {
            let outcome = measure(number);
            print(names[number], &outcome);
            outcome
        });
        outcomes.rotate_left(round % 2);
        let [usual, other] = outcomes;
        trips.push(other.p50_us() / usual.p50_us());
        rates.push(other.per_second / usual.per_second);
    }
    println!(
        "    {other} to {usual}, median of {ROUNDS} rounds: p50 {:.3}, calls per second {:.3} (from {:.3} to {:.3})",
        median(&mut trips),
        median(&mut rates),
        rates[0],
        rates[ROUNDS - 1],
    );
}

fn print(name: &str, outcome: &Outcome) {
    println!(
        "    {name:9}  p50 {:7.1} us  p99 {:7.1} us  {:8.0}/s",
        outcome.p50_us(),
        outcome.p99_us(),
        outcome.per_second
    );
}

/// The middle one; leaves the values in their order.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
