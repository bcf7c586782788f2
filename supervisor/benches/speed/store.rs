//! Writes to the store beside the same bytes appended to a file, flushed where the store flushes.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::time::Duration;

use standin::Writers;

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
        let writers = Writers {
            callers,
            for_power: flush,
            size: SIZE,
        };
        let mut store = standin::measured_writes(folder.path(), &[writers], DURATION);
        let store = figures("store", store.remove(0), DURATION);
        waits.push(store.p50_us / floor.p50_us);
        rates.push(store.per_second / floor.per_second);
    }
    println!(
        "    store to floor, median of {ROUNDS} rounds: p50 {:.2}, writes per second {:.2}",
        median(&mut waits),
        median(&mut rates)
    );
}

/// The largest answers there may be, and what the others wait for them, who write beside them and are not flushed.
fn large() {
    println!(
        "  one caller with the largest answers there are, flushed, and one with small ones, not flushed:"
    );
    let small = Writers {
        callers: 1,
        for_power: false,
        size: SIZE,
    };
    for size in [1 << 20, 4 << 20, 16 << 20] {
        let large = Writers {
            callers: 1,
            for_power: true,
            size,
        };
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let duration = 4 * DURATION;
        let took = standin::measured_writes(folder.path(), &[large, small], duration);
        let names = [format!("{} MiB", size >> 20), "small beside it".to_owned()];
        for (name, took) in names.iter().zip(took) {
            let longest = took.iter().max().copied().unwrap_or_default();
            figures(name, took, duration);
            println!("      at most {:.1} ms", longest.as_secs_f64() * 1e3);
        }
    }
}
