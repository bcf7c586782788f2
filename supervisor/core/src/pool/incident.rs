//! Tells a mass death from single ones.

use std::{collections::VecDeque, time::Instant};

use super::settings::INCIDENT_WINDOW;
use crate::RequestId;

/// The crashes of the last moment, one a slot.
#[derive(Debug, Default)]
pub(super) struct Incidents {
    recent: VecDeque<Noted>,
    /// The incident that is going on was reported already.
    going_on: bool,
}

/// The crash of a worker that had been ready.
#[derive(Debug)]
pub(super) struct Crash {
    pub(super) slot: usize,
    /// The only request that ran in it.
    pub(super) culprit: Option<RequestId>,
    /// The culprit was a suspect and ran alone. It stays blamed, or deadly requests could acquit each other for ever.
    pub(super) was_alone: bool,
    /// The worker had answered something in its life.
    pub(super) served: bool,
}

/// What one more death made of the last moment.
#[derive(Debug)]
pub(super) struct Incident {
    pub(super) deaths: usize,
    pub(super) is_new: bool,
    /// Requests that are not to blame after all, each named once.
    pub(super) acquitted: Vec<RequestId>,
    /// Slots whose worker is not to blame for its death, each named once.
    pub(super) pardoned: Vec<usize>,
}

#[derive(Debug)]
struct Noted {
    at: Instant,
    crash: Crash,
    /// It was acquitted and pardoned already, as far as it is.
    settled: bool,
}

impl Incidents {
    /// Notes a crash. `Some`: the crashes of the last moment are one incident.
    /// Three are one wherever they happen; two are one where that was every worker there was. The same slot twice, or
    /// the same request, is no mass death but a loop, and a worker that served nothing may be part of one: it is not
    /// pardoned, or workers that cannot live would be started again and again without a pause.
    pub(super) fn note(&mut self, now: Instant, crash: Crash, alive: usize) -> Option<Incident> {
        while self
            .recent
            .front()
            .is_some_and(|noted| now - noted.at > INCIDENT_WINDOW)
        {
            self.recent.pop_front();
        }
        if self.recent.is_empty() {
            self.going_on = false;
        }
        let is_known = |known: &Crash| {
            known.slot == crash.slot || (known.culprit.is_some() && known.culprit == crash.culprit)
        };
        if self.recent.iter().any(|noted| is_known(&noted.crash)) {
            return None;
        }
        self.recent.push_back(Noted {
            at: now,
            crash,
            settled: false,
        });
        let deaths = self.recent.len();
        let enough = if alive == 0 { 2 } else { 3 };
        if deaths < enough && !self.going_on {
            return None;
        }
        let mut incident = Incident {
            deaths,
            is_new: !std::mem::replace(&mut self.going_on, true),
            acquitted: Vec::new(),
            pardoned: Vec::new(),
        };
        for noted in self.recent.iter_mut().filter(|noted| !noted.settled) {
            noted.settled = true;
            let crash = &noted.crash;
            incident
                .acquitted
                .extend(crash.culprit.filter(|_| !crash.was_alone));
            incident.pardoned.extend(crash.served.then_some(crash.slot));
        }
        Some(incident)
    }
}

#[cfg(test)]
mod tests;
