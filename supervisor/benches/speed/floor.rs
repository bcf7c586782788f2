//! The least that a disk asks for: one thread that takes all that wait at once, appends their bytes to a file, and
//! flushes it (fdatasync) before it answers them.

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

/// What is appended for each record. An answer of some hundred bytes is what most calls have.
pub(crate) const SIZE: usize = 256;

/// As the store takes them.
const BATCH_MAX: usize = 512;

/// What callers do, one after the other, each for itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Appends {
    pub(crate) callers: usize,
    /// Each is answered before the next one is handed in.
    pub(crate) records_each: usize,
    pub(crate) flush: bool,
    pub(crate) duration: Duration,
}

/// How long each caller waited for its records, each time.
pub(crate) fn appends(folder: &Path, what: Appends) -> Vec<Duration> {
    let (queue, orders) = mpsc::channel();
    let file = File::create(folder.join("floor")).expect("there is room");
    let writer = std::thread::spawn(move || write(&orders, file, what.flush));
    let until = Instant::now() + what.duration;
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
                for _ in 0..what.records_each {
                    queue.send(tell.clone()).expect("it takes them");
                    told.recv().expect("it answers");
                }
                took.push(start.elapsed());
            }
        }
    };
    let took = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..what.callers).map(|_| scope.spawn(caller())).collect();
        let took = threads.into_iter();
        took.flat_map(|it| it.join().expect("it does not panic"))
            .collect()
    });
    drop(queue);
    writer.join().expect("it does not panic");
    took
}

fn write(orders: &mpsc::Receiver<mpsc::Sender<()>>, mut file: File, flush: bool) {
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
}

/// What came out of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) p50_us: f64,
    pub(crate) per_second: f64,
}

/// Prints it as well.
pub(crate) fn figures(name: &str, mut took: Vec<Duration>, duration: Duration) -> Figures {
    took.sort_unstable();
    let us = |at: usize| took[at.min(took.len() - 1)].as_secs_f64() * 1e6;
    let (p50_us, p99_us) = (us(took.len() / 2), us(took.len() * 99 / 100));
    let per_second = took.len() as f64 / duration.as_secs_f64();
    println!("    {name:20}  p50 {p50_us:7.1} us  p99 {p99_us:7.1} us  {per_second:8.0}/s");
    Figures { p50_us, per_second }
}
