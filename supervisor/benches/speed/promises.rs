//! Calls with a key and submissions of jobs, whose promise outlives the loss of power, beside three floors: what the disk
//! flushes one after the other; as many flushed appends as the promise needs, of as many callers, flushed together (see
//! `floor.rs`); and the same clients before a raw relay whose worker appends and flushes what it gets (see `raw.rs`).

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::time::Duration;

use crate::{
    compare::{ROUNDS, median},
    floor::{Appends, SIZE, appends, figures},
    load::{Load, Manner, Outcome},
    setup,
};

const FLOOR_DURATION: Duration = Duration::from_secs(1);

/// Calls that a worker takes at a time: nobody waits for a worker. A call that must not run twice has one while the store
/// writes down that it begins.
const CONCURRENCY: u32 = 64;

/// Of each caller.
const CALLS: usize = 200;

/// What is compared.
struct Promise {
    name: &'static str,
    manner: Manner,
    /// What must be on the disk, one after the other, before it is answered.
    flushes: usize,
}

/// Calls with keys, a new key each.
pub(crate) fn keys() {
    println!("Calls with a key, {SIZE} bytes, beside flushed appends of as much:");
    let promises = [
        Promise {
            name: "key, always",
            manner: Manner::Keyed("bench.echo"),
            // Its answer.
            flushes: 1,
        },
        Promise {
            name: "key, never",
            manner: Manner::Keyed("bench.once"),
            // That it begins, and its answer.
            flushes: 2,
        },
    ];
    compare(&promises);
}

/// Submissions of jobs, a new key each.
pub(crate) fn jobs() {
    println!("Jobs submitted with a key, {SIZE} bytes, beside flushed appends of as much:");
    let promises = [
        Promise {
            name: "jobs for later",
            manner: Manner::Submits { at_once: false },
            flushes: 1,
        },
        Promise {
            name: "jobs that run",
            manner: Manner::Submits { at_once: true },
            flushes: 1,
        },
    ];
    compare(&promises);
}

fn compare(promises: &[Promise]) {
    for callers in [1, 8, 64] {
        println!("  {callers} callers:");
        let mut rounds = vec![Vec::new(); promises.len()];
        for _ in 0..ROUNDS {
            for (promise, rounds) in promises.iter().zip(&mut rounds) {
                rounds.push(round(promise, callers));
            }
        }
        for (promise, rounds) in promises.iter().zip(rounds) {
            println!("    {}, median of {ROUNDS} rounds:", promise.name);
            for (number, floor) in FLOORS.iter().enumerate() {
                let mut ratios: Vec<f64> = rounds.iter().map(|ratios| ratios[number]).collect();
                let median = median(&mut ratios);
                let (least, most) = (ratios[0], ratios[ROUNDS - 1]);
                println!("      {median:.2} of {floor} (from {least:.2} to {most:.2})");
            }
        }
    }
}

/// What each is a part of.
const FLOORS: [&str; 3] = [
    "the flushes one after the other",
    "the flushed appends",
    "the raw relay that keeps",
];

/// How many per second, as a part of how many there could be: if each had a flush to itself, if there were only the disk
/// and all flushed together, and if the same clients were before a relay that understands nothing and a worker that keeps
/// what it gets.
fn round(promise: &Promise, callers: usize) -> [f64; 3] {
    let alone = disk(promise, 1);
    let together = disk(promise, callers);
    let load = Load {
        clients: callers,
        depth: 1,
        size: SIZE,
        calls: CALLS,
        manner: promise.manner,
    };
    let plain = Load {
        manner: Manner::Plain,
        ..load
    };
    let relay = setup::keeping_relay(plain, promise.flushes);
    print("raw relay that keeps", &relay);
    let standin = setup::standin_with(load, setup::WORKERS, CONCURRENCY);
    print(promise.name, &standin);
    [alone, together, relay.per_second].map(|floor| standin.per_second / floor)
}

/// How often per second so many callers have their bytes on the disk.
fn disk(promise: &Promise, callers: usize) -> f64 {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let what = Appends {
        callers,
        records_each: promise.flushes,
        flush: true,
        duration: FLOOR_DURATION,
    };
    let took = appends(folder.path(), what);
    let name = format!("{callers} append, {} flushed", promise.flushes);
    figures(&name, took, FLOOR_DURATION).per_second
}

fn print(name: &str, outcome: &Outcome) {
    println!(
        "    {name:20}  p50 {:7.1} us  p99 {:7.1} us  {:8.0}/s",
        outcome.p50_us(),
        outcome.p99_us(),
        outcome.per_second
    );
}
