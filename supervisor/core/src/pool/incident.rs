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
    /// Requests that were blamed for it.
    pub(super) blamed: Vec<RequestId>,
    /// It had answered something in its life.
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
    pardoned: bool,
}

impl Incidents {
    /// Notes a crash. `Some`: the crashes of the last moment are one incident.
    /// Three are one wherever they happen; two are one where that was every worker there was. The same slot twice is
    /// no mass death but a loop, and a worker that served nothing may be part of one: neither is pardoned, or workers
    /// that cannot live would be started again and again without a pause.
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
        if self
            .recent
            .iter()
            .any(|noted| noted.crash.slot == crash.slot)
        {
            return None;
        }
        self.recent.push_back(Noted {
            at: now,
            crash,
            pardoned: false,
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
        for noted in &mut self.recent {
            incident.acquitted.append(&mut noted.crash.blamed);
            if noted.crash.served && !std::mem::replace(&mut noted.pardoned, true) {
                incident.pardoned.push(noted.crash.slot);
            }
        }
        Some(incident)
    }
}

#[cfg(test)]
mod tests;
