//! Tells a mass death from single ones.

use std::{collections::VecDeque, time::Instant};

use super::settings::INCIDENT_WINDOW;
use crate::RequestId;

/// The crashes of the last moment.
#[derive(Debug, Default)]
pub(super) struct Incidents {
    recent: VecDeque<Crash>,
    /// The incident that is going on was reported already.
    going_on: bool,
}

#[derive(Debug)]
struct Crash {
    at: Instant,
    slot: usize,
    blamed: Vec<RequestId>,
}

/// What one more death made of the last moment.
#[derive(Debug)]
pub(super) struct Incident {
    pub(super) deaths: usize,
    pub(super) is_new: bool,
    pub(super) acquitted: Vec<RequestId>,
    pub(super) slots: Vec<usize>,
}

impl Incidents {
    /// Notes a crash. `Some`: the crashes of the last moment are one incident; those named were not acquitted yet.
    /// Three are one wherever they happen; two are one where that was every worker there was.
    pub(super) fn note(
        &mut self,
        now: Instant,
        slot: usize,
        blamed: Vec<RequestId>,
        alive: usize,
    ) -> Option<Incident> {
        while self
            .recent
            .front()
            .is_some_and(|crash| now - crash.at > INCIDENT_WINDOW)
        {
            self.recent.pop_front();
        }
        if self.recent.is_empty() {
            self.going_on = false;
        }
        self.recent.push_back(Crash {
            at: now,
            slot,
            blamed,
        });
        let deaths = self.recent.len();
        let enough = if alive == 0 { 2 } else { 3 };
        if deaths < enough && !self.going_on {
            return None;
        }
        let is_new = !std::mem::replace(&mut self.going_on, true);
        let mut incident = Incident {
            deaths,
            is_new,
            acquitted: Vec::new(),
            slots: Vec::new(),
        };
        for crash in &mut self.recent {
            incident.acquitted.append(&mut crash.blamed);
            incident.slots.push(crash.slot);
        }
        if !is_new {
            incident.slots = vec![slot];
        }
        Some(incident)
    }
}
