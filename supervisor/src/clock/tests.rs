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
