//! Writes to the store beside the same bytes appended to a file, flushed where the store flushes.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::time::Duration;

use crate::{
    compare::{ROUNDS, median},
    floor::{Appends, SIZE, appends, figures},
};

const DURATION: Duration = Duration::from_millis(500);

/// Measures and prints.
pub(crate) fn table() {
    println!("Writes to the store, {SIZE} bytes each, beside the same bytes appended to a file:");
    for (flush, name) in [(false, "not flushed"), (true, "flushed")] {
        for callers in [1, 8, 64] {
            println!("  {callers} callers, {name}:");
            let floor = Appends {
                callers,
                records_each: 1,
                flush,
                duration: DURATION,
            };
            compare(floor);
        }
    }
    large();
}

fn compare(floor: Appends) {
    let (mut waits, mut rates) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let Appends { callers, flush, .. } = floor;
        let floor = figures("floor", appends(folder.path(), floor), DURATION);
        let store = standin::measured_writes(folder.path(), callers, flush, SIZE, DURATION);
        let store = figures("store", store, DURATION);
        waits.push(store.p50_us / floor.p50_us);
        rates.push(store.per_second / floor.per_second);
    }
    println!(
        "    store to floor, median of {ROUNDS} rounds: p50 {:.2}, writes per second {:.2}",
        median(&mut waits),
        median(&mut rates)
    );
}

/// The largest answer there may be.
fn large() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    println!("  one caller, 16 MiB each, flushed:");
    let took = standin::measured_writes(folder.path(), 1, true, 16 << 20, 4 * DURATION);
    figures("store", took, 4 * DURATION);
}
