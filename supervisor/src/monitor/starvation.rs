//! Whether the machine is so busy that lateness proves nothing about a worker. Two signs: our own tick came late, or
//! the kernel says that somebody nearly always waits for a processor.

use std::time::{Duration, Instant};

/// A tick that is so much later than due cannot be explained by anything but starvation: a runtime's timers are exact
/// to a few milliseconds.
const LATE: Duration = Duration::from_millis(500);

/// Percent of the last ten seconds in which some task waited for a processor.
const PRESSURE_MAX: f32 = 80.0;

/// Where Linux says it, if it was built to.
const PRESSURE_FILE: &str = "/proc/pressure/cpu";

/// Remembers the tick before.
#[derive(Debug)]
pub struct Starvation {
    interval: Duration,
    last: Option<Instant>,
}

impl Starvation {
    /// `interval`: how often [`Starvation::tick`] is going to be called.
    #[must_use]
    pub fn new(interval: Duration) -> Starvation {
        Starvation {
            interval,
            last: None,
        }
    }

    /// One tick of the clock that was promised to tick every `interval`: whether the machine is starved.
    pub fn tick(&mut self, now: Instant) -> bool {
        let pressure = if cfg!(target_os = "linux") {
            std::fs::read_to_string(PRESSURE_FILE)
                .ok()
                .and_then(|text| parse(&text))
        } else {
            None
        };
        self.judge(now, pressure)
    }

    fn judge(&mut self, now: Instant, pressure: Option<f32>) -> bool {
        let due = self.last.replace(now).map(|last| last + self.interval);
        let is_late = due.is_some_and(|due| now.saturating_duration_since(due) > LATE);
        is_late || pressure.is_some_and(|pressure| pressure > PRESSURE_MAX)
    }
}

/// `some avg10=0.00 avg60=0.00 avg300=0.13 total=32807552`
fn parse(text: &str) -> Option<f32> {
    let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
    some.split(' ')
        .find_map(|word| word.strip_prefix("avg10="))?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "a test has no other clock")]
        Instant::now()
    }

    #[test]
    fn a_late_tick_is_starvation_and_the_next_one_in_time_is_not() {
        let start = start();
        let second = Duration::from_secs(1);
        let mut starvation = Starvation::new(second);
        assert!(!starvation.judge(start, None), "the first is never late");
        assert!(!starvation.judge(start + second, None));
        assert!(starvation.judge(start + second * 3, None));
        assert!(!starvation.judge(start + second * 4, None));
    }

    #[test]
    fn pressure_is_starvation() {
        let text = "some avg10=81.50 avg60=10.00 avg300=0.13 total=1\nfull avg10=99.00 avg60=0.00 avg300=0.00 total=0\n";
        assert_eq!(parse(text), Some(81.5));
        let mut starvation = Starvation::new(Duration::from_secs(1));
        assert!(starvation.judge(start(), parse(text)));
        assert!(!starvation.judge(start(), Some(80.0)));
    }
}
