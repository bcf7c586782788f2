//! The rules for what the core orders: each order is held against the world.

use std::time::Duration;

use standin_core::{
    AttemptId, Cause, KillReason, RequestId, WorkerId,
    pool::{BLAMED_DEATHS_MAX, EndRule, Failure, ReplayRule, UNEXPLAINED_DEATHS_MAX},
};
use standin_protocol::{ErrorCode, Outcome, Replay};

use crate::{
    life::{Life, asks},
    world::{Asked, Doom},
};

/// How a request ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Delivered,
    Failed(Failure),
}

/// What a replay needs of the caller's time.
const REPLAY_ROOM: Duration = Duration::from_millis(5);

impl Life {
    /// Attempts that may run at a time. Each may come back into the queue, full or not.
    pub(crate) fn attempts_max(&self) -> usize {
        self.workers_most() * self.settings.concurrency_max as usize
    }

    /// Workers that there may be at a time.
    pub(crate) fn workers_most(&self) -> usize {
        let most = match self.was_reloaded {
            true => self.settings.slots(),
            false => self.settings.places(),
        };
        most as usize
    }

    /// A reload is over when no old worker takes anything more.
    pub(crate) fn check_reloaded(&mut self) {
        self.seen.insert("a reload that came to its end");
        self.is_reloaded = true;
        let view = self.core.view();
        let mut left = view.workers.iter().filter(|worker| !worker.leaving);
        assert!(left.all(|worker| !self.old.contains(&worker.worker)));
    }

    pub(crate) fn check_admission(&self, request: RequestId) {
        let queued = self.core.view().queued;
        assert!(
            queued <= self.settings.queue_max + self.attempts_max(),
            "the queue is bounded"
        );
        let session = self.asked[&request].session;
        let waits = |asked: &&Asked| asked.session == session && asked.sent == 0;
        // One that is on trial waits apart.
        let ordinary = self
            .asked
            .iter()
            .filter(|(id, _)| !self.deadly.contains(&asks(id)));
        let open = ordinary
            .map(|(_, asked)| asked)
            .filter(|asked| !asked.is_settled());
        assert!(
            open.filter(waits).count() <= self.settings.queue_max.div_ceil(2),
            "a session takes no more than its share of the queue"
        );
    }

    /// A request meets a worker.
    pub(crate) fn check_send(
        &mut self,
        id: WorkerId,
        request: RequestId,
        attempt: AttemptId,
        number: u32,
        timeout: Duration,
    ) {
        assert!(
            attempt.0 > self.last_attempt,
            "an attempt's name is never used again"
        );
        self.last_attempt = attempt.0;
        assert_eq!(
            self.core.payload(request),
            Some(&request),
            "what is sent is known"
        );
        let worker = &self.workers[&id];
        assert!(
            worker.ready && !worker.draining && worker.kill_ordered.is_none() && !worker.reported,
            "only a worker that is ready and stays gets something: {id} {worker:?}"
        );
        let serve_max = self.settings.recycle_requests;
        assert!(
            !worker.too_large && serve_max.is_none_or(|max| worker.served < max),
            "a worker that is due for replacement gets nothing new: {id} {worker:?}"
        );
        assert!(
            !self.is_reloaded || !self.old.contains(&id),
            "after a reload an old worker gets nothing: {id}"
        );
        let asked = &self.asked[&request];
        assert!(
            !asked.is_settled() && !asked.cancelled,
            "what nobody waits for is not sent: {asked:?}"
        );
        let held = self.workers.values().any(|worker| {
            !worker.reported
                && worker
                    .running
                    .values()
                    .any(|running| running.request == request)
        });
        assert!(
            !held,
            "request {request} is sent again before its worker is reported dead"
        );
        let left = asked.deadline.saturating_sub(self.now);
        let room = if number > 1 {
            REPLAY_ROOM
        } else {
            Duration::ZERO
        };
        assert!(
            left > room && !timeout.is_zero() && timeout <= left,
            "request {request} is begun though only {left:?} are left"
        );
        let beside: Vec<&Asked> = worker
            .running
            .values()
            .map(|beside| &self.asked[&beside.request])
            .collect();
        assert!(
            beside.is_empty() || !(asked.suspect || beside.iter().any(|beside| beside.suspect)),
            "suspect {request} does not run alone, or is given company"
        );
        assert!(
            (beside.len() as u32) < self.settings.concurrency_max,
            "no worker has more than is allowed"
        );
        if asked.suspect {
            self.seen.insert("a suspect runs alone");
        }
    }

    pub(crate) fn check_begun(&self, request: RequestId) {
        let asked = &self.asked[&request];
        assert!(
            asked.replay != Replay::Never || asked.begun == 1,
            "request {request} must never run twice, and began twice"
        );
        // One crash may be nobody's fault in particular; after that it runs alone.
        let begun_max = match asked.doom {
            Doom::Crashes => BLAMED_DEATHS_MAX + 2,
            Doom::KillsItself => UNEXPLAINED_DEATHS_MAX + 2,
            Doom::None => u32::MAX,
        };
        assert!(
            asked.begun <= begun_max,
            "a deadly request goes on and on: {asked:?}"
        );
    }

    pub(crate) fn check_granted(&self, id: WorkerId, attempt: AttemptId, request: RequestId) {
        let asked = &self.asked[&request];
        assert!(
            !asked.is_settled() && !asked.cancelled && asked.with == Some(attempt),
            "an effect was granted for request {request}, which does not wait for it: {asked:?}"
        );
        assert!(
            self.workers[&id].kill_ordered.is_none(),
            "an effect was granted to a worker that is being killed"
        );
        assert!(
            self.was_starved || self.now < self.workers[&id].running[&attempt].until,
            "an effect was granted to an attempt that has run out of time"
        );
        assert!(
            asked.replay == Replay::Always || asked.effects == 1,
            "request {request} had its effect twice"
        );
    }

    /// A worker that is told to leave off may answer that it did; whoever still waits must not get that for an answer.
    pub(crate) fn check_cancel(&self, id: WorkerId, attempt: AttemptId) {
        let asked = &self.asked[&self.workers[&id].running[&attempt].request];
        assert!(
            asked.is_settled() || asked.cancelled,
            "an attempt is cancelled that its caller waits for: {asked:?}"
        );
    }

    /// A worker is killed for a deadline: nobody in it who has time left dies with it.
    pub(crate) fn check_kill(&self, id: WorkerId, reason: KillReason) {
        let mut running = self.workers[&id].running.values();
        assert!(
            reason != KillReason::Deadline
                || self.was_starved
                || running.all(|running| running.until <= self.now),
            "the innocent die with one that hung"
        );
    }

    pub(crate) fn check_delivered(&mut self, request: RequestId) {
        self.end(request, Ended::Delivered);
        assert!(
            self.asked[&request].begun > 0,
            "request {request} was answered and never begun"
        );
    }

    pub(crate) fn check_failed(&mut self, request: RequestId, failure: Failure) {
        self.end(request, Ended::Failed(failure));
        self.check_outcome(request, failure.outcome);
        assert_eq!(failure.code, failure.rule.code());
        let asked = &self.asked[&request];
        let is_true = match failure.rule {
            EndRule::OnceAtMost => asked.replay == Replay::Never,
            EndRule::EffectGranted => asked.leave_given,
            EndRule::LateInQueue | EndRule::LateInWorker | EndRule::CameLate => {
                self.now >= asked.deadline.saturating_sub(REPLAY_ROOM)
            }
            EndRule::CancelledInQueue | EndRule::CancelledInWorker | EndRule::CancelledBefore => {
                asked.cancelled
            }
            _ => true,
        };
        assert!(is_true, "the rule is none: {failure:?} {asked:?}");
        match failure.code {
            ErrorCode::WorkerLost => assert_ne!(
                asked.replay,
                Replay::Always,
                "an idempotent request is replayed, not lost"
            ),
            ErrorCode::Overloaded | ErrorCode::PoolUnavailable => assert!(
                failure.retry_after.is_some_and(|pause| !pause.is_zero()),
                "a refusal says when to come back: {failure:?}"
            ),
            ErrorCode::Poisoned => {
                let is_true = match failure.rule {
                    EndRule::Deadly => asked.blamable >= BLAMED_DEATHS_MAX,
                    EndRule::Suspicious => asked.strangers >= UNEXPLAINED_DEATHS_MAX,
                    EndRule::DeadlyAgain => {
                        asked.begun > 0 && self.deadly.contains(&asks(&request))
                    }
                    EndRule::KnownDeadly => {
                        asked.begun == 0 && self.deadly.contains(&asks(&request))
                    }
                    _ => false,
                };
                assert!(
                    is_true,
                    "request {request} is poisoned for deaths that were not its fault: {asked:?}"
                );
                if matches!(failure.cause, Some(Cause::KilledByStranger(_))) {
                    self.seen
                        .insert("poisoned by deaths that look like a stranger's doing");
                }
            }
            ErrorCode::DeadlineExceeded if failure.attempts == 0 => {
                self.seen.insert("deadline exceeded while waiting");
                if self.now > asked.deadline && self.now < asked.deadline + self.lateness {
                    self.seen
                        .insert("deadline exceeded before a late timer said so");
                }
            }
            _ => {}
        }
        if matches!(failure.rule, EndRule::Deadly | EndRule::DeadlyAgain) {
            self.deadly.insert(asks(&request));
        }
        self.seen.insert(match failure.rule {
            EndRule::KnownDeadly => "refused because the same had been deadly",
            EndRule::DeadlyAgain => "tried again, and deadly again",
            rule => rule.code().name(),
        });
    }

    /// What is said about the effect of a request that nobody will be told more about.
    pub(crate) fn check_outcome(&self, request: RequestId, outcome: Outcome) {
        let asked = &self.asked[&request];
        let happened = match asked.replay {
            Replay::UntilEffect => asked.effects,
            Replay::Always | Replay::Never => asked.begun,
        };
        assert!(
            outcome != Outcome::NotExecuted || happened == 0,
            "request {request} was said not to be executed: {asked:?}"
        );
        assert!(
            outcome != Outcome::Unknown || asked.replay != Replay::UntilEffect || asked.leave_given,
            "request {request} is called unknown, and no worker was given leave for its effect: {asked:?}"
        );
    }

    /// A request loses its worker and waits for the next one, for a reason that is true.
    pub(crate) fn check_replayed(&self, request: RequestId, rule: ReplayRule) {
        let asked = &self.asked[&request];
        let is_true = match rule {
            ReplayRule::NotGiven => asked.replay == Replay::Always || asked.effects == 0,
            ReplayRule::Always => asked.replay == Replay::Always,
            ReplayRule::EffectNotGranted => {
                asked.replay == Replay::UntilEffect && asked.effects == 0
            }
        };
        assert!(is_true, "request {request} is replayed: {rule:?} {asked:?}");
    }

    fn end(&mut self, request: RequestId, end: Ended) {
        let asked = self.asked(request);
        assert!(!asked.abandoned, "request {request} was abandoned");
        let previous = asked.end.replace(end);
        assert!(previous.is_none(), "request {request} was answered twice");
    }
}
