//! The time of day, checked by the other clock.

use std::time::Duration;

use super::*;

#[test]
fn a_clock_that_is_set_ahead_makes_nothing_old_and_one_that_is_set_back_writes_down_nothing_old() {
    let life = Life {
        began: now(),
        began_unix_ms: 1_000_000,
    };
    let later = life.began + Duration::from_secs(60);
    for (wall, earliest, latest) in [
        (1_060_000, 1_060_000, 1_060_000),
        (1 << 50, 1_060_000, 1 << 50),
        (5, 5, 1_060_000),
    ] {
        assert_eq!(life.earliest(later, wall), earliest);
        assert_eq!(life.latest(later, wall), latest);
    }
}

#[test]
fn a_moment_is_told_as_the_log_tells_it() {
    for (unix_ms, told) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_399_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_709_251_199_000, "2024-02-29T23:59:59.000Z"),
        (1_772_323_200_007, "2026-03-01T00:00:00.007Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    ] {
        assert_eq!(utc(unix_ms), told);
    }
}
