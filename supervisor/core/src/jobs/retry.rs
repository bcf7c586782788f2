//! How often and how soon a job is tried again.

use std::time::Duration;

use crate::Random;

/// What its owner wishes, or the default: some 25 tries over a day and a half, the first minutes often, later every
/// two hours. That is what mail servers do among themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries that may fail, from 1.
    pub attempts_max: u32,
    /// The pause after the first failed one. Each further pause is twice as long.
    pub backoff: Duration,
    /// The longest pause.
    pub backoff_max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: 25,
            backoff: Duration::from_secs(60),
            backoff_max: Duration::from_secs(2 * 3600),
        }
    }
}

impl RetryPolicy {
    /// The pause after so many failures, up to a quarter shorter by chance, so that what failed together does not come
    /// back together; not shorter than was asked for, and never longer than the longest.
    pub(super) fn pause(
        &self,
        failures: u32,
        asked_for: Option<Duration>,
        random: &mut Random,
    ) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let whole = self
            .backoff
            .saturating_mul(1 << doublings)
            .min(self.backoff_max);
        let whole_ms = u64::try_from(whole.as_millis()).unwrap_or(u64::MAX);
        let pause = Duration::from_millis(whole_ms - random.below(whole_ms / 4 + 1));
        pause
            .max(asked_for.unwrap_or_default())
            .min(self.backoff_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_differ_by_chance() {
        let policy = RetryPolicy::default();
        let mut random = Random::new(1);
        let minute = Duration::from_secs(60);
        for (failures, whole) in [
            (1, minute),
            (2, 2 * minute),
            (5, 16 * minute),
            (8, 120 * minute),
        ] {
            let pauses: Vec<_> = (0..100)
                .map(|_| policy.pause(failures, None, &mut random))
                .collect();
            assert!(pauses.iter().all(|pause| *pause <= whole));
            assert!(pauses.iter().all(|pause| *pause >= whole * 3 / 4));
            assert!(pauses.iter().any(|pause| *pause != pauses[0]));
        }
        assert!(policy.pause(u32::MAX, None, &mut random) <= policy.backoff_max);
    }

    #[test]
    fn a_pause_is_as_long_as_was_asked_for_but_not_for_ever() {
        let policy = RetryPolicy::default();
        let mut random = Random::new(1);
        let hour = Duration::from_secs(3600);
        assert_eq!(policy.pause(1, Some(hour), &mut random), hour);
        let month = 30 * 24 * hour;
        assert_eq!(
            policy.pause(1, Some(month), &mut random),
            policy.backoff_max
        );
    }

    #[test]
    fn a_mail_is_tried_for_a_day_and_a_half() {
        let policy = RetryPolicy::default();
        let mut random = Random::new(1);
        let all: Duration = (1..policy.attempts_max)
            .map(|failures| policy.pause(failures, None, &mut random))
            .sum();
        let hours = all.as_secs() / 3600;
        assert!((24..=48).contains(&hours), "{hours}");
    }

    #[test]
    fn no_policy_makes_a_pause_of_nonsense() {
        let policy = RetryPolicy {
            attempts_max: 1,
            backoff: Duration::ZERO,
            backoff_max: Duration::ZERO,
        };
        assert_eq!(policy.pause(3, None, &mut Random::new(1)), Duration::ZERO);
    }
}
