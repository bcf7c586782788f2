//! New workers for old ones while everybody is served: one is tried first, and only if it starts do the old ones go, each
//! when a new one has taken its place and its calls are done.

use std::time::Instant;

use super::{Effect, Mode, PoolCore, slot::Life};

/// How far a reload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reload {
    /// A new worker is being started. Nothing has changed for anybody.
    Trying,
    /// One has started: the others follow, one by one.
    Rolling,
}

impl<P> PoolCore<P> {
    /// Somebody has put another program in the place of the workers'. One that goes on begins anew: what it had started
    /// may be the old program.
    pub(super) fn reload_requested(&mut self) {
        if self.mode != Mode::Serving {
            return;
        }
        self.reload = Some(Reload::Trying);
        for slot in &mut self.slots {
            slot.outdated = slot.is_usable() || slot.is_starting();
        }
        // Somebody waits for it, however often it has failed.
        self.breaker.probe_now();
        if let Some((index, _)) = self.next_empty() {
            self.slots[index].life = Life::Empty { start_at: None };
        }
    }

    /// How many workers there are to be on top of what is needed: the next one comes before an old one goes.
    pub(super) fn surge(&self) -> usize {
        let old = |slot: &super::Slot| slot.outdated && (slot.is_usable() || slot.is_starting());
        usize::from(self.reload.is_some() && self.slots.iter().any(old))
    }

    /// Whether the worker that a reload tries is still to be started.
    pub(super) fn lacks_trial(&self) -> bool {
        let new = |slot: &super::Slot| !slot.outdated && (slot.is_usable() || slot.is_starting());
        self.reload == Some(Reload::Trying) && !self.slots.iter().any(new)
    }

    /// A worker is ready.
    pub(super) fn reload_met_ready(&mut self, index: usize, effects: &mut Vec<Effect<P>>) {
        if self.reload == Some(Reload::Trying) && !self.slots[index].outdated {
            self.reload = Some(Reload::Rolling);
            effects.push(Effect::ReloadDecided(true));
        }
    }

    /// A worker ended before it was ready. If it was the one that was tried, the old ones stay.
    pub(super) fn reload_met_failure(&mut self, index: usize, effects: &mut Vec<Effect<P>>) {
        if self.reload == Some(Reload::Trying) && !self.slots[index].outdated {
            self.end_reload();
            effects.push(Effect::ReloadDecided(false));
        }
    }

    /// Called after every event: moves a reload on. Whoever goes is idle, or takes nothing new. True: somebody goes, and a
    /// busy one leaves its place in the service to another.
    pub(super) fn roll(&mut self, now: Instant, effects: &mut Vec<Effect<P>>) -> bool {
        // Where one reload follows upon another there may be no slot left to try a new worker in.
        let needs_slot = self.lacks_trial() && self.next_empty().is_none();
        if self.reload != Some(Reload::Rolling) && !needs_slot {
            return false;
        }
        let target = self.target(now);
        let before = self.slots.iter().filter(|slot| slot.is_usable()).count();
        let mut usable = before;
        while usable > target {
            let old = self.slots.iter().enumerate();
            let old = old.filter(|(_, slot)| slot.outdated && slot.is_usable());
            let Some((index, _)) = old.min_by_key(|(_, slot)| slot.running.len()) else {
                break;
            };
            self.slots[index].retire = true;
            self.recycle_if_due(now, index, effects);
            usable -= 1;
        }
        if self.reload == Some(Reload::Rolling) && self.surge() == 0 {
            self.end_reload();
            effects.push(Effect::Reloaded);
        }
        usable < before
    }

    pub(super) fn end_reload(&mut self) {
        self.reload = None;
        for slot in &mut self.slots {
            slot.outdated = false;
        }
    }
}

#[cfg(test)]
mod tests;
