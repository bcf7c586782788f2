//! The world as it is, and what the core's effects make of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use standin_core::{AttemptId, Cause, KillReason, RequestId, SessionId, WorkerId, pool::Effect};
use standin_protocol::Replay;

use crate::{checker::Ended, life::Life, nemesis::Deed};

/// A process, as it is and not as the core believes it to be.
#[derive(Debug, Default)]
pub(crate) struct Worker {
    pub(crate) alive: bool,
    /// Its death was reported.
    pub(crate) reported: bool,
    pub(crate) ready: bool,
    /// What it was sent and has not answered.
    pub(crate) running: BTreeMap<AttemptId, Running>,
    pub(crate) begun: BTreeSet<AttemptId>,
    pub(crate) cause: Option<Cause>,
    pub(crate) draining: bool,
    pub(crate) kill_ordered: Option<KillReason>,
    /// It answered so many.
    pub(crate) served: u64,
    pub(crate) too_large: bool,
}

/// An attempt that a worker has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Running {
    pub(crate) request: RequestId,
    /// When its time is up.
    pub(crate) until: Duration,
}

/// What a request does to the worker that begins it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doom {
    None,
    Crashes,
    /// By a signal that looks like a stranger's doing.
    KillsItself,
}

/// A request, as it went in the world.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) session: SessionId,
    pub(crate) replay: Replay,
    pub(crate) doom: Doom,
    pub(crate) deadline: Duration,
    /// The attempt that the core believes to be running.
    pub(crate) with: Option<AttemptId>,
    pub(crate) sent: u32,
    pub(crate) begun: u32,
    pub(crate) effects: u32,
    /// The attempt that has leave for its effect.
    pub(crate) granted: Option<AttemptId>,
    /// Leave was given, though perhaps to a worker that was dead by then, which nobody knew.
    pub(crate) leave_given: bool,
    pub(crate) end: Option<Ended>,
    pub(crate) cancelled: bool,
    pub(crate) abandoned: bool,
    /// A worker that had it crashed: it runs alone from now on.
    pub(crate) suspect: bool,
    /// It may run alone from now on.
    pub(crate) perhaps_suspect: bool,
    /// Deaths that it may be blamed for.
    pub(crate) blamable: u32,
    pub(crate) strangers: u32,
}

impl Asked {
    pub(crate) fn new(session: SessionId, replay: Replay, doom: Doom, deadline: Duration) -> Asked {
        Asked {
            session,
            replay,
            doom,
            deadline,
            with: None,
            sent: 0,
            begun: 0,
            effects: 0,
            granted: None,
            leave_given: false,
            end: None,
            cancelled: false,
            abandoned: false,
            suspect: false,
            perhaps_suspect: false,
            blamable: 0,
            strangers: 0,
        }
    }

    /// Answered, or nobody waits.
    pub(crate) fn is_settled(&self) -> bool {
        self.end.is_some() || self.abandoned
    }
}

impl Life {
    pub(crate) fn worker(&mut self, id: WorkerId) -> &mut Worker {
        self.workers.get_mut(&id).expect("it was started")
    }

    pub(crate) fn asked(&mut self, id: RequestId) -> &mut Asked {
        self.asked.get_mut(&id).expect("it was asked")
    }

    pub(crate) fn is_alive(&self, id: WorkerId) -> bool {
        self.workers.get(&id).is_some_and(|worker| worker.alive)
    }

    pub(crate) fn has(&self, id: WorkerId, attempt: AttemptId) -> bool {
        self.is_alive(id) && self.workers[&id].running.contains_key(&attempt)
    }

    pub(crate) fn act(&mut self, effect: Effect<RequestId>) {
        match effect {
            Effect::StartWorker(worker) => {
                assert!(!self.paused, "a paused pool starts nobody");
                let process = Worker {
                    alive: true,
                    ..Worker::default()
                };
                let previous = self.workers.insert(worker, process);
                assert!(previous.is_none(), "a worker's name is never used again");
                self.draw_start(worker);
            }
            Effect::Send {
                worker,
                request,
                attempt,
                number,
                timeout,
            } => {
                self.check_send(worker, request, attempt, number, timeout);
                let until = self.now + timeout;
                let running = Running { request, until };
                self.worker(worker).running.insert(attempt, running);
                let asked = self.asked(request);
                asked.with = Some(attempt);
                asked.sent += 1;
                let at = self.now + Duration::from_micros(self.random.below(200));
                self.plan(at, Deed::Begin(worker, attempt));
            }
            Effect::Kill { worker, reason } => self.killed(worker, reason),
            Effect::Drain(worker) => self.drained(worker),
            Effect::RecordEffect { worker, attempt } => self.effect_is_recorded(worker, attempt),
            Effect::AnswerEffect {
                worker,
                attempt,
                granted,
            } => self.effect_answered(worker, attempt, granted),
            Effect::Deliver {
                request, payload, ..
            } => {
                assert_eq!(request, payload);
                self.check_delivered(request);
            }
            Effect::Fail {
                request,
                payload,
                failure,
            } => {
                assert_eq!(request, payload);
                self.check_failed(request, failure);
            }
            Effect::Replayed { request, rule, .. } => {
                self.check_replayed(request, rule);
                self.seen.insert("replayed");
                if self.asked[&request].replay == Replay::Never {
                    self.seen
                        .insert("what must never run twice was replayed because it was not begun");
                }
            }
            Effect::Abandoned { payload, outcome } => self.check_outcome(payload, outcome),
            Effect::Incident { .. } => drop(self.seen.insert("incident")),
            Effect::DegradedChanged(true) => drop(self.seen.insert("degraded")),
            Effect::DegradedChanged(false) => drop(self.seen.insert("no longer degraded")),
            Effect::CancelAttempt { worker, attempt } => {
                self.check_cancel(worker, attempt);
                // The worker may take a moment to notice, and no more.
                let until = self.now + self.settings.stop_timeout;
                let running = self.worker(worker).running.get_mut(&attempt);
                let running = running.expect("what is cancelled is running");
                running.until = running.until.min(until);
                if self.has(worker, attempt) && self.one_in(2) {
                    // Not before it has begun.
                    let at = self.within(20) + Duration::from_millis(1);
                    self.plan(at, Deed::Answer(worker, attempt));
                }
            }
            Effect::ReloadDecided(begun) => self.reload_decided(begun),
            Effect::Reloaded => self.check_reloaded(),
            Effect::Paused => {
                self.seen.insert("paused, and nobody left");
                assert!(self.workers.values().all(|worker| worker.reported));
            }
            Effect::Retired => panic!("a pool of everybody never ends by itself"),
            Effect::Stopped => self.stopped += 1,
        }
    }

    /// A reload goes on, or the old workers stay.
    fn reload_decided(&mut self, begun: bool) {
        if begun {
            self.seen.insert("a reload whose new worker started");
        } else {
            self.seen.insert("a reload whose new worker did not start");
            self.old.clear();
        }
    }

    fn killed(&mut self, id: WorkerId, reason: KillReason) {
        self.check_kill(id, reason);
        let again = self.worker(id).kill_ordered.replace(reason).is_some();
        self.seen.insert(match reason {
            _ if again => "killed again",
            KillReason::Deadline => "killed at its deadline",
            KillReason::StartTimeout => "killed at its start time",
            KillReason::IgnoredDrain => "killed for ignoring the drain",
            KillReason::Stopping => "killed at the end of a stop",
            _ => "killed for another reason",
        });
        // Now and then a kill fails.
        if again || self.is_calm() || !self.one_in(30) {
            self.dies(id, Cause::KilledByStranger(9));
        }
    }

    fn drained(&mut self, id: WorkerId) {
        self.seen.insert("drain");
        let worker = self.worker(id);
        worker.draining = true;
        assert!(worker.running.is_empty(), "only an idle worker is drained");
        if !self.one_in(8) {
            self.dies(id, Cause::Exited(0));
        }
    }

    fn effect_answered(&mut self, id: WorkerId, attempt: AttemptId, granted: bool) {
        if let Some(running) = self.workers[&id].running.get(&attempt) {
            let request = running.request;
            self.asked(request).leave_given |= granted;
        }
        if !self.has(id, attempt) {
            assert!(
                !granted || !self.is_alive(id),
                "an effect was granted for an attempt that the worker does not have"
            );
            self.seen
                .insert("effect refused for another worker's attempt");
            return;
        }
        let Running { request, .. } = self.worker(id).running[&attempt];
        let at = self.within(10);
        if !granted {
            self.seen.insert("effect refused");
            return self.plan(at, Deed::Answer(id, attempt));
        }
        self.seen.insert("effect granted");
        if self.asked(request).granted.replace(attempt) == Some(attempt) {
            // It had asked twice, and has the same answer once more.
            return;
        }
        self.asked(request).effects += 1;
        self.check_granted(id, attempt, request);
        if !self.is_calm() && self.one_in(8) {
            self.seen.insert("a grant, and then a death");
            self.plan(at, Deed::Crash(id));
        } else {
            self.plan(at, Deed::Answer(id, attempt));
        }
    }
}
