//! Looking for what a run of the service has started, again and again, until nobody is left. How one looks is the
//! platform's.

use std::{thread, time::Duration};

use super::INSTANCE_VARIABLE;

/// Between two looks. Processes may be starting others while they are being ended, and one that is just becoming
/// another program shows no environment for a moment.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// The pause grows up to this while somebody will not die, say in a system call that hangs.
const LOOK_PAUSE_MAX: Duration = Duration::from_secs(1);

/// So many looks in a row must find nothing.
const CLEAN_LOOKS: u32 = 2;

/// With the pauses, about a second.
pub(super) const LOOKS_MAX: u32 = 10;

/// What one look at all processes has found.
pub(super) struct Look {
    /// How many were told to end.
    pub(super) ended: usize,
    /// Nobody is there who should not be.
    pub(super) is_clean: bool,
}

/// What became of looking for them.
pub(super) struct Sweep {
    /// How many were told to end; one that takes its time is counted again.
    pub(super) ended: usize,
    pub(super) is_clean: bool,
}

/// Looks until nobody is left, or so many times.
pub(super) fn until_clean(looks_max: Option<u32>, mut look: impl FnMut() -> Look) -> Sweep {
    let mut ended = 0;
    let mut clean = 0;
    let mut pause = LOOK_PAUSE;
    for number in 1.. {
        let found = look();
        ended += found.ended;
        clean = if found.is_clean { clean + 1 } else { 0 };
        if clean == CLEAN_LOOKS || looks_max.is_some_and(|max| number >= max) {
            break;
        }
        if number % (LOOKS_MAX * 3) == 0 {
            tracing::warn!(
                "processes that carry the service's mark do not die; they are waited for"
            );
        }
        if number > 5 {
            pause = (pause * 2).min(LOOK_PAUSE_MAX);
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "there is nothing to wait on: strangers' children give no sign"
        )]
        thread::sleep(pause);
    }
    Sweep {
        ended,
        is_clean: clean == CLEAN_LOOKS,
    }
}

/// The mark of everything that a run has started, as it stands in an environment.
pub(super) fn instance_mark(instance: &str) -> String {
    format!("{INSTANCE_VARIABLE}={instance}")
}
