//! How long to wait between two tries to get the connection back.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

/// The first pause, about: a service that was killed may be back in no time.
const FIRST: Duration = Duration::from_millis(10);

/// The longest pause.
const LONGEST: Duration = Duration::from_secs(1);

/// Pauses that grow, each somewhere between a half and the whole of its length, so that many clients that were cut off
/// together do not come back together.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    tries: u32,
}

impl Backoff {
    /// How long after a try that came to nothing the next one may be made.
    pub(crate) fn next_pause(&mut self) -> Duration {
        // Each of these has its own secret keys: as good a die as any, and there for everybody.
        self.pause(RandomState::new().hash_one(self.tries))
    }

    fn pause(&mut self, random: u64) -> Duration {
        let doublings = self.tries.min(16);
        self.tries = self.tries.saturating_add(1);
        let whole = FIRST.saturating_mul(1 << doublings).min(LONGEST);
        let part = (random >> 32) as f64 / f64::from(u32::MAX);
        whole.mul_f64(0.5 + part / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_second() {
        let mut longest = Backoff::default();
        let mut shortest = Backoff::default();
        let pauses = |backoff: &mut Backoff, random| -> Vec<u128> {
            (0..10).map(|_| backoff.pause(random).as_millis()).collect()
        };
        assert_eq!(
            pauses(&mut longest, u64::MAX),
            [10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000]
        );
        assert_eq!(
            pauses(&mut shortest, 0),
            [5, 10, 20, 40, 80, 160, 320, 500, 500, 500]
        );
        for _ in 0..100 {
            assert!(longest.next_pause() <= LONGEST);
        }
    }

    #[test]
    fn no_two_clients_pause_for_the_same_time() {
        let pauses = || {
            let mut backoff = Backoff::default();
            (0..10).map(|_| backoff.next_pause()).collect::<Vec<_>>()
        };
        assert_ne!(pauses(), pauses());
    }
}
