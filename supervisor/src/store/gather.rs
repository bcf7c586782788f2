//! When the writer waits a little before it commits, so that more is flushed at once.
//!
//! Those who are told of a commit come back together; but the first of them would set off the next flush, and all others
//! would have to wait for the one after it. So while several come each time, the first waits for the others: at most half
//! as long as a commit takes, as PostgreSQL's manual advises for its `commit_delay` (its `commit_siblings` is five, too),
//! and no longer than others keep coming. Who comes alone never waits, and on a disk that flushes at once nobody does:
//! there the time goes into other things (docs/PERFORMANCE.md).

use std::time::Duration;

/// So many must have come together of late.
const COMPANY_MIN: usize = 5;

/// Commits that are faster are not waited for.
const COMMIT_MIN: Duration = Duration::from_micros(500);

/// Nobody waits longer for company, however slow the disk.
const LIMIT_MAX: Duration = Duration::from_millis(10);

/// It is seen so often whether anybody has come.
const STEPS: u32 = 8;

/// What is known of the last commits that were flushed.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// What one takes: an average of the last ones.
    commit: Duration,
    /// How many came together: the most of late.
    company: usize,
}

/// How others are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait {
    /// At most so long.
    pub(super) limit: Duration,
    /// Not longer, if nobody has come for so long...
    pub(super) step: Duration,
    /// ...and so many are there.
    pub(super) company: usize,
}

impl Pace {
    /// So many were committed and flushed, in this time.
    pub(super) fn flushed(&mut self, orders: usize, took: Duration) {
        self.commit = (self.commit * 7 + took) / 8;
        self.company = orders.max(self.company * 3 / 4);
    }

    /// How to wait for company before the next flush, if at all.
    pub(super) fn wait(&self) -> Option<Wait> {
        if self.company < COMPANY_MIN || self.commit < COMMIT_MIN {
            return None;
        }
        let limit = (self.commit / 2).min(LIMIT_MAX);
        Some(Wait {
            limit,
            step: limit / STEPS,
            company: self.company,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(commits: impl IntoIterator<Item = (usize, u64)>) -> Option<Wait> {
        let mut pace = Pace::default();
        for (orders, took_us) in commits {
            pace.flushed(orders, Duration::from_micros(took_us));
        }
        pace.wait()
    }

    #[test]
    fn who_comes_alone_waits_for_nobody_and_on_a_fast_disk_nobody_waits() {
        assert_eq!(after([]), None);
        assert_eq!(after([(1, 4000); 100]), None);
        assert_eq!(after([(64, 200); 100]), None);
    }

    #[test]
    fn those_who_come_together_are_waited_for_half_as_long_as_a_commit_takes() {
        let wait = after([(64, 4000); 100]).expect("it is worth it");
        assert_eq!(wait.company, 64);
        let (least, most) = (Duration::from_micros(1900), Duration::from_micros(2000));
        assert!((least..=most).contains(&wait.limit), "{wait:?}");
        assert_eq!(wait.step, wait.limit / STEPS);
        let wait = after([(64, 4_000_000); 100]).expect("it is worth it");
        assert_eq!(wait.limit, LIMIT_MAX);
    }

    #[test]
    fn company_that_has_left_is_soon_forgotten() {
        let together = [(64, 4000); 100];
        assert!(after(together.into_iter().chain([(1, 4000); 5])).is_some());
        assert_eq!(after(together.into_iter().chain([(1, 4000); 12])), None);
    }
}
