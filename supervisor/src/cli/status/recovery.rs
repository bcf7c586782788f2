//! The line about the run before, if it did not end as it should have.

use std::fmt::Write;

use super::count;
use crate::recovery::{Interruption, RecoveryStatus};

/// What the end of the run before has done to anybody.
pub(super) fn render(out: &mut String, recovery: RecoveryStatus) {
    let RecoveryStatus {
        after,
        sessions,
        resumed,
        unknown,
    } = recovery;
    let how = match after {
        Interruption::Killed => "was killed, or failed",
        Interruption::Reboot => "ended with the machine",
    };
    let back = match sessions {
        0 => String::new(),
        1 => format!("{resumed} of 1 program is back, "),
        _ => format!("{resumed} of {sessions} programs are back, "),
    };
    let harm = match unknown {
        0 => "no call ended unknown".to_owned(),
        unknown => format!("{} ended unknown", count(unknown, "call")),
    };
    let _ = writeln!(out, "the run before {how}: {back}{harm}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(after: Interruption, sessions: u64, resumed: u64, unknown: u64) -> String {
        let mut out = String::new();
        let recovery = RecoveryStatus {
            after,
            sessions,
            resumed,
            unknown,
        };
        render(&mut out, recovery);
        out
    }

    #[test]
    fn how_the_run_before_ended_is_told_with_who_is_back_and_what_nobody_knows() {
        let lines = [
            told(Interruption::Killed, 60, 59, 0),
            told(Interruption::Killed, 1, 0, 1),
            told(Interruption::Reboot, 0, 0, 2),
        ];
        insta::assert_snapshot!(lines.concat(), @r"
        the run before was killed, or failed: 59 of 60 programs are back, no call ended unknown
        the run before was killed, or failed: 0 of 1 program is back, 1 call ended unknown
        the run before ended with the machine: 2 calls ended unknown
        ");
    }
}
