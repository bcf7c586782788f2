//! The rules. What the core says about itself is compared with the world, not believed.

use std::time::Duration;

use standin_core::{
    AttemptId, Cause, RequestId, WorkerId,
    pool::{BLAMED_DEATHS_MAX, Failure, UNEXPLAINED_DEATHS_MAX, WorkerState},
};
use standin_protocol::{ErrorCode, Outcome, Replay};

use crate::{
    life::Life,
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
    fn attempts_max(&self) -> usize {
        let slots = self.settings.workers_max + self.settings.spare;
        (slots * self.settings.concurrency_max) as usize
    }

    pub(crate) fn check_admission(&self) {
        let queued = self.core.view().queued;
        assert!(
            queued <= self.settings.queue_max + self.attempts_max(),
            "the queue is bounded"
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
        let asked = &self.asked[&request];
        assert!(
            !asked.is_settled() && !asked.cancelled,
            "what nobody waits for is not sent: {asked:?}"
        );
        let held = self.workers.values().any(|worker| {
            !worker.reported && worker.running.values().any(|running| *running == request)
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
            .map(|beside| &self.asked[beside])
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
            asked.replay == Replay::Always || asked.effects == 1,
            "request {request} had its effect twice"
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
        let asked = &self.asked[&request];
        let happened = match asked.replay {
            Replay::UntilEffect => asked.effects,
            Replay::Always | Replay::Never => asked.begun,
        };
        assert!(
            failure.outcome != Outcome::NotExecuted || happened == 0,
            "request {request} was said not to be executed: {failure:?} {asked:?}"
        );
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
                assert!(
                    asked.blamable >= BLAMED_DEATHS_MAX
                        || asked.strangers >= UNEXPLAINED_DEATHS_MAX,
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
        self.seen.insert(failure.code.name());
    }

    fn end(&mut self, request: RequestId, end: Ended) {
        let asked = self.asked(request);
        assert!(!asked.abandoned, "request {request} was abandoned");
        let previous = asked.end.replace(end);
        assert!(previous.is_none(), "request {request} was answered twice");
    }

    /// Workers that are idle or at work.
    pub(crate) fn workers_at_hand(&self) -> usize {
        use WorkerState::{Busy, Ready, Suspect};
        let workers = self.core.view().workers;
        let at_hand = |state| matches!(state, Ready | Busy | Suspect);
        workers.iter().filter(|view| at_hand(view.state)).count()
    }

    /// After every step.
    pub(crate) fn check(&mut self) {
        let view = self.core.view();
        assert!(
            view.queued_bytes <= self.settings.queue_bytes_max + 20 * self.attempts_max(),
            "bytes are bounded"
        );
        let slots = (self.settings.workers_max + self.settings.spare) as usize;
        assert!(
            view.workers.len() <= slots,
            "no more workers than there are slots"
        );
        let alive = self.workers.values().filter(|worker| !worker.reported);
        assert!(alive.clone().count() <= slots, "nor are there more outside");
        let running: usize = alive.map(|worker| worker.running.len()).sum();
        assert_eq!(view.running, running, "the pool knows what runs");
        assert_eq!(
            view.counters.stale_answers, self.stale_answers,
            "every answer that nobody waits for is counted"
        );
        let mut waiting = 0;
        for (id, asked) in self.asked.iter().filter(|(_, asked)| !asked.is_settled()) {
            waiting += usize::from(asked.with.is_none());
            assert!(
                self.now <= asked.deadline + self.lateness,
                "request {id} has no answer at its deadline: {asked:?}"
            );
        }
        assert_eq!(view.queued, waiting, "the pool knows what waits");
        if view.suspects_queued > 0 {
            self.seen.insert("a suspect waits");
        }
        self.check_nobody_is_idle();
    }

    /// A worker that could take a request, and a request that waits, never stay together.
    fn check_nobody_is_idle(&self) {
        let view = self.core.view();
        let in_state = |state| {
            view.workers
                .iter()
                .filter(move |worker| worker.state == state)
        };
        let idle = in_state(WorkerState::Ready).count();
        let ordinary = view.queued - view.suspects_queued;
        assert!(
            view.suspects_queued == 0 || idle == 0,
            "a worker is idle and a suspect waits: {view:?}"
        );
        let serving = in_state(WorkerState::Busy).count();
        assert!(
            ordinary == 0 || idle == 0 || serving >= self.settings.workers_max as usize,
            "a worker is idle and a request waits: {view:?}"
        );
        // One may be kept for a suspect, while there is one.
        let with_room = in_state(WorkerState::Busy)
            .filter(|worker| !worker.leaving && worker.running < worker.concurrency as usize)
            .count();
        assert!(
            ordinary == 0 || with_room <= usize::from(view.suspects_queued > 0),
            "a worker has room and a request waits: {view:?}"
        );
    }

    pub(crate) fn check_end(&self) {
        for (id, asked) in &self.asked {
            assert!(
                asked.is_settled(),
                "request {id} was never answered: {asked:?}"
            );
        }
        assert_eq!(self.stopped, u32::from(self.stopping), "a stop ends, once");
    }
}
