//! Who kills the service itself, and what that cost its clients.

use std::{path::Path, time::Duration};

use rand_chacha::rand_core::Rng;

use super::{
    SoakOptions,
    report::{histogram, percentiles},
    stream,
};
use crate::{
    checker::{Class, Record, Told},
    clock,
    under_test::UnderTest,
};

/// One death in so many is followed by another while the service recovers.
const AGAIN_ONE_IN: u64 = 4;

/// Within this time after its start a service recovers, in milliseconds.
const RECOVERY_MS: u64 = 150;

/// The deaths of the service.
#[derive(Default)]
pub(super) struct Deaths {
    /// When it was killed, in order.
    pub(super) killed_ns: Vec<u64>,
    /// For those that the next service was left alone after: when that was, and when it was started.
    recovered_ns: Vec<(u64, u64)>,
}

/// Kills the service and starts it again until the time is over.
pub(super) async fn kill_service(
    options: &SoakOptions,
    program: &Path,
    under_test: &mut UnderTest,
) -> Deaths {
    let mut deaths = Deaths::default();
    if !options.supervisor {
        return deaths;
    }
    let mut random = stream(options.seed, 2);
    let every = options.kill_supervisor_every_ms.max(2);
    let end = clock::now() + Duration::from_secs(options.seconds);
    loop {
        let pause = every / 2 + random.next_u64() % every;
        let pause = Duration::from_millis(pause);
        if clock::now() + pause >= end {
            return deaths;
        }
        tokio::time::sleep(pause).await;
        let mut killed_ns = deaths.kill(under_test, program);
        while random.next_u64().is_multiple_of(AGAIN_ONE_IN) {
            tokio::time::sleep(Duration::from_millis(random.next_u64() % RECOVERY_MS)).await;
            killed_ns = deaths.kill(under_test, program);
        }
        deaths.recovered_ns.push((killed_ns, clock::monotonic_ns()));
    }
}

impl Deaths {
    fn kill(&mut self, under_test: &mut UnderTest, program: &Path) -> u64 {
        let killed_ns = clock::monotonic_ns();
        self.killed_ns.push(killed_ns);
        under_test.service.kill().expect("it lives");
        under_test.service.wait().expect("it dies");
        under_test.start_again(program);
        killed_ns
    }

    /// Prints what the deaths came to.
    pub(super) fn report(&self, records: &[Record], broken: &[String]) {
        let mut ends: Vec<u64> = records.iter().map(|record| record.ended_ns).collect();
        ends.sort_unstable();
        let mut first = histogram();
        for (killed_ns, started_ns) in &self.recovered_ns {
            // What comes between the two had been on its way.
            let next = ends.partition_point(|end| end < started_ns);
            if let Some(end) = ends.get(next) {
                first.saturating_record((end - killed_ns) / 1000);
            }
        }
        println!(
            "the service was killed {} times, {} of them while it recovered",
            self.killed_ns.len(),
            self.killed_ns.len() - self.recovered_ns.len()
        );
        println!(
            "from a kill of the service to the first answer of the next: {}",
            percentiles(&first)
        );
        let once = records
            .iter()
            .filter(|record| record.class != Class::Always);
        let is_unknown = |record: &&Record| matches!(&record.told, Told::Failed { outcome, .. } if outcome == "unknown");
        let unknown = once.clone().filter(is_unknown).count();
        println!(
            "unknown: {unknown}, {:.2} in a thousand of the calls that must not run twice",
            unknown as f64 * 1000.0 / once.count().max(1) as f64
        );
        let of = |rules: &[&str]| {
            let broken = broken.iter();
            broken
                .filter(|line| rules.iter().any(|rule| line.contains(rule)))
                .count()
        };
        println!(
            "duplicates: {}, lost: {}, false not_executed: {}, unjustified unknown: {}",
            of(&["begun twice", "happened twice"]),
            of(&["no answer"]),
            of(&["no proof"]),
            of(&["unknown, and"]),
        );
    }
}
