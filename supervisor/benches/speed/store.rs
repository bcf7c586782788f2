//! Writes to the store beside the least that a disk asks for: the same bytes appended to a file by one thread that takes
//! all that wait at once, and flushed where the store flushes.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints and looks at the clock"
)]

use std::{
    fs::File,
    io::Write,
    path::Path,
    sync::mpsc,
    time::{Duration, Instant},
};

/// How often everything is measured: odd, for the median.
const ROUNDS: usize = 5;

const DURATION: Duration = Duration::from_millis(500);

/// An answer of some hundred bytes is what most calls have.
const SIZE: usize = 256;

/// As the store takes them.
const BATCH_MAX: usize = 512;

/// Measures and prints.
pub(crate) fn table() {
    println!("Writes to the store, {SIZE} bytes each, beside the same bytes appended to a file:");
    for (for_power, name) in [(false, "not flushed"), (true, "flushed")] {
        for callers in [1, 8, 64] {
            println!("  {callers} callers, {name}:");
            let (mut waits, mut rates) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                let folder = tempfile::tempdir().expect("there is a temporary folder");
                let floor = figures(
                    "floor",
                    appends(folder.path(), callers, for_power),
                    DURATION,
                );
                let store =
                    standin::measured_writes(folder.path(), callers, for_power, SIZE, DURATION);
                let store = figures("store", store, DURATION);
                waits.push(store.0 / floor.0);
                rates.push(store.1 / floor.1);
            }
            println!(
                "    store to floor, median of {ROUNDS} rounds: p50 {:.2}, writes per second {:.2}",
                median(&mut waits),
                median(&mut rates)
            );
        }
    }
    large();
}

/// The largest answer there may be.
fn large() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    println!("  one caller, 16 MiB each, flushed:");
    let took = standin::measured_writes(folder.path(), 1, true, 16 << 20, 4 * DURATION);
    figures("store", took, 4 * DURATION);
}

/// Prints, and gives the median in microseconds and the rate.
fn figures(name: &str, mut took: Vec<Duration>, duration: Duration) -> (f64, f64) {
    took.sort_unstable();
    let us = |at: usize| took[at.min(took.len() - 1)].as_secs_f64() * 1e6;
    let (p50, p99) = (us(took.len() / 2), us(took.len() * 99 / 100));
    let rate = took.len() as f64 / duration.as_secs_f64();
    println!("    {name:9}  p50 {p50:7.1} us  p99 {p99:7.1} us  {rate:8.0}/s");
    (p50, rate)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// How long each append took.
fn appends(folder: &Path, callers: usize, flush: bool) -> Vec<Duration> {
    let (queue, orders) = mpsc::channel::<mpsc::Sender<()>>();
    let mut file = File::create(folder.join("floor")).expect("there is room");
    let writer = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        while let Ok(first) = orders.recv() {
            let mut batch = vec![first];
            batch.extend(orders.try_iter().take(BATCH_MAX - 1));
            bytes.resize(batch.len() * SIZE, 7);
            file.write_all(&bytes).expect("there is room");
            if flush {
                file.sync_data().expect("the disk works");
            }
            for tell in batch {
                let _ = tell.send(());
            }
        }
    });
    let until = Instant::now() + DURATION;
    let caller = || {
        let queue = queue.clone();
        move || {
            let (tell, told) = mpsc::channel();
            let mut took = Vec::new();
            loop {
                let start = Instant::now();
                if start >= until {
                    return took;
                }
                queue.send(tell.clone()).expect("it takes them");
                told.recv().expect("it answers");
                took.push(start.elapsed());
            }
        }
    };
    let took = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..callers).map(|_| scope.spawn(caller())).collect();
        let took = threads.into_iter();
        took.flat_map(|it| it.join().expect("it does not panic"))
            .collect()
    });
    drop(queue);
    writer.join().expect("it does not panic");
    took
}
