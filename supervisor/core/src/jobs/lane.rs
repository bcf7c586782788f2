//! The next jobs of one lane. The store has all of them.

use std::collections::BTreeSet;

use super::WallTime;
use crate::JobId;

/// Jobs of one lane that are held in memory. Each is a number and a time.
pub const WINDOW_MAX: usize = 64;

/// With fewer than this the next ones are read.
const WINDOW_LOW: usize = 16;

/// What is known of a lane: its first jobs, and whether there are more.
#[derive(Debug)]
pub(super) struct Window {
    jobs: BTreeSet<(WallTime, JobId)>,
    /// There are no others in the store.
    complete: bool,
    loading: bool,
    /// Queued while the store was being read: the reader may have seen them or not.
    arrived: Vec<(WallTime, JobId)>,
    /// What is being read is out of date.
    overtaken: bool,
    /// The turn in which it was served last, or began. Who comes new is behind all who wait already: otherwise whoever
    /// always has one job would be new each time, and first.
    pub(super) served: u64,
}

impl Window {
    /// The store has nothing of it. `turn`: the one that is now.
    pub(super) fn empty(turn: u64) -> Window {
        Window {
            jobs: BTreeSet::new(),
            complete: true,
            loading: false,
            arrived: Vec::new(),
            overtaken: false,
            served: turn,
        }
    }

    /// The store has something.
    pub(super) fn unread(turn: u64) -> Window {
        Window {
            complete: false,
            ..Window::empty(turn)
        }
    }

    pub(super) fn queued(&mut self, at: WallTime, job: JobId) {
        if self.loading {
            if self.arrived.len() < WINDOW_MAX {
                self.arrived.push((at, job));
            } else {
                self.overtaken = true;
            }
            return;
        }
        // Beyond the last one that is known there may be others before it.
        let is_known = |last: &(WallTime, JobId)| (at, job) < *last;
        if self.complete || self.jobs.last().is_some_and(is_known) {
            self.jobs.insert((at, job));
            self.shorten();
        }
    }

    /// The store has been read.
    pub(super) fn loaded(&mut self, jobs: impl Iterator<Item = (WallTime, JobId)>, complete: bool) {
        self.loading = false;
        self.complete = complete && !self.overtaken;
        self.overtaken = false;
        self.jobs = jobs.collect();
        self.shorten();
        for (at, job) in std::mem::take(&mut self.arrived) {
            self.queued(at, job);
        }
    }

    pub(super) fn not_loaded(&mut self) {
        self.loading = false;
        self.overtaken = false;
        self.arrived.clear();
    }

    pub(super) fn forget(&mut self, job: JobId) {
        self.jobs.retain(|(_, other)| *other != job);
        self.arrived.retain(|(_, other)| *other != job);
    }

    /// What is known is no longer true.
    pub(super) fn read_again(&mut self) {
        self.jobs.clear();
        self.complete = false;
        self.overtaken = self.loading;
    }

    fn shorten(&mut self) {
        while self.jobs.len() > WINDOW_MAX {
            self.jobs.pop_last();
            self.complete = false;
        }
    }

    /// Whether the store is to be read now. The caller does so.
    pub(super) fn begin_load(&mut self) -> bool {
        let begins = !self.complete && !self.loading && self.jobs.len() < WINDOW_LOW;
        self.loading |= begins;
        begins
    }

    /// When the first one is due.
    pub(super) fn head(&self) -> Option<WallTime> {
        self.jobs.first().map(|(at, _)| *at)
    }

    pub(super) fn take(&mut self) -> Option<(WallTime, JobId)> {
        self.jobs.pop_first()
    }

    /// Nothing is left, here and in the store.
    pub(super) fn is_exhausted(&self) -> bool {
        self.complete && !self.loading && self.jobs.is_empty()
    }

    pub(super) fn held(&self) -> usize {
        self.jobs.len() + self.arrived.len()
    }
}
