//! Who kills the service itself, and what that cost its clients.

use std::{path::Path, time::Duration};

use rand_chacha::rand_core::Rng;

use super::{
    SoakOptions,
    report::{histogram, percentiles},
    stream,
};
use crate::{
    checker::{Class, Doubts, Kill, Record, Told},
    clock,
    under_test::UnderTest,
};

/// One death in so many is followed by another while the service recovers.
const AGAIN_ONE_IN: u64 = 4;

/// Within which of these times after its start it is killed once more, in milliseconds, one after the other. A quick one
/// serves after fifty, and not each is to be killed at its very beginning.
const RECOVERY_MS: [u64; 3] = [20, 60, 150];

/// The deaths of the service.
#[derive(Default)]
pub(super) struct Deaths {
    /// Its kills, in order.
    pub(super) kills: Vec<Kill>,
    /// When the next one was started, after each.
    started_ns: Vec<u64>,
    /// Deaths that were not ours.
    pub(super) broken: Vec<String>,
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
    let (mut random, mut again) = (stream(options.seed, 2), 0);
    let every = options.kill_supervisor_every_ms.max(2);
    let end = clock::now() + Duration::from_secs(options.seconds);
    loop {
        let pause = every / 2 + random.next_u64() % every;
        let pause = Duration::from_millis(pause);
        if clock::now() + pause >= end {
            return deaths;
        }
        tokio::time::sleep(pause).await;
        deaths.kill(under_test, program);
        // The first one always is, so that the shortest storm has such a kill.
        while again == 0 || random.next_u64().is_multiple_of(AGAIN_ONE_IN) {
            let within = RECOVERY_MS[again % RECOVERY_MS.len()];
            again += 1;
            tokio::time::sleep(Duration::from_millis(random.next_u64() % within)).await;
            deaths.kill(under_test, program);
        }
    }
}

impl Deaths {
    fn kill(&mut self, under_test: &mut UnderTest, program: &Path) {
        match under_test.kill() {
            Ok(kill) => {
                self.kills.push(kill);
                under_test.start_again(program);
                self.started_ns.push(clock::monotonic_ns());
            }
            Err(ended) => {
                let broken = format!(
                    "the service ended by itself ({ended}):\n{}",
                    under_test.log()
                );
                self.broken.push(broken);
                under_test.start_again(program);
            }
        }
    }

    /// For each kill when the next service answered first, if it did so before it was killed as well.
    fn recoveries(&self, records: &[Record]) -> Vec<Option<u64>> {
        let mut ends: Vec<u64> = records.iter().map(|record| record.ended_ns).collect();
        ends.sort_unstable();
        let until = self.kills.iter().skip(1).map(|kill| kill.from_ns);
        let until = until.chain([u64::MAX]);
        let lives = self.started_ns.iter().zip(until);
        let first = lives.map(|(started_ns, until_ns)| {
            // What comes before it was started had been on its way.
            let next = ends.partition_point(|end| end < started_ns);
            ends.get(next).copied().filter(|end| *end < until_ns)
        });
        first.collect()
    }

    /// How many of the kills hit a service that had not answered anybody yet.
    pub(super) fn while_it_recovered(&self, records: &[Record]) -> usize {
        let recoveries = self.recoveries(records);
        recoveries.iter().filter(|first| first.is_none()).count()
    }

    /// Prints what the deaths came to.
    pub(super) fn report(&self, records: &[Record], doubts: &Doubts, broken: &[String]) {
        let mut first = histogram();
        for (kill, answered_ns) in self.kills.iter().zip(self.recoveries(records)) {
            if let Some(answered_ns) = answered_ns {
                first.saturating_record((answered_ns - kill.from_ns) / 1000);
            }
        }
        println!(
            "the service was killed {} times, {} of them while it recovered, before it had answered anybody",
            self.kills.len(),
            self.while_it_recovered(records)
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
            "unknown: {unknown}, {:.2} in a thousand of the calls that must not run twice; {} for {} kills of the service, at most {} for one of them; {} for deaths of workers",
            unknown as f64 * 1000.0 / once.count().max(1) as f64,
            doubts.of_the_service,
            self.kills.len(),
            doubts.most_of_one,
            doubts.of_workers,
        );
        let of = |rules: &[&str]| {
            let broken = broken.iter();
            broken
                .filter(|line| rules.iter().any(|rule| line.contains(rule)))
                .count()
        };
        println!(
            "duplicates: {}, lost or refused: {}, false not_executed: {}, unjustified unknown: {}",
            of(&["begun twice", "happened twice"]),
            of(&["no answer", "call failed", "refused"]),
            of(&["no proof"]),
            of(&["unknown, and", "is unknown"]),
        );
    }
}
