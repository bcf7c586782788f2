//! Lengths of time and moments as people read them.

use std::time::Duration;

pub(super) use crate::clock::utc;

/// A length of time in its two largest units.
pub(super) fn span(ms: u64) -> String {
    let seconds = Duration::from_millis(ms).as_secs();
    match seconds {
        0 => format!("{ms} ms"),
        1..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// A length of time of which the first part of a millisecond matters.
pub(super) fn exact(us: u64) -> String {
    match us {
        0..10_000 => format!("{}.{:02} ms", us / 1000, us % 1000 / 10),
        10_000..10_000_000 => format!("{} ms", us / 1000),
        _ => span(us / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_told_in_its_two_largest_units() {
        let told = [0, 999, 1000, 61_000, 3_700_000, 90_000_000].map(span);
        assert_eq!(
            told,
            ["0 ms", "999 ms", "1 s", "1 min 1 s", "1 h 1 min", "1 d 1 h"]
        );
    }

    #[test]
    fn short_times_are_told_to_the_hundredth_of_a_millisecond() {
        let told = [0, 38, 1234, 9999, 10_000, 9_999_999, 61_000_000].map(exact);
        let expected = [
            "0.00 ms",
            "0.03 ms",
            "1.23 ms",
            "9.99 ms",
            "10 ms",
            "9999 ms",
            "1 min 1 s",
        ];
        assert_eq!(told, expected);
    }
}
