//! The rules for every moment. What the core says about itself is compared with the world, not believed.

use standin_core::pool::WorkerState;

use crate::life::Life;

impl Life {
    /// A worker whose every attempt has run out of time is killed.
    fn check_nobody_is_kept(&self) {
        for (id, worker) in self.workers.iter().filter(|(_, worker)| !worker.reported) {
            let is_over = |until| self.now > until + self.lateness;
            let over = worker
                .running
                .values()
                .all(|running| is_over(running.until));
            assert!(
                !over || worker.running.is_empty() || worker.kill_ordered.is_some(),
                "worker {id} is kept by what has run out of time: {worker:?}"
            );
        }
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
        let slots = self.workers_most();
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
        if !self.was_starved {
            self.check_nobody_is_kept();
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
        let serving = in_state(WorkerState::Busy)
            .filter(|worker| !worker.leaving)
            .count();
        let serving_max = self.settings.workers_max as usize;
        assert!(
            ordinary == 0 || idle == 0 || serving == serving_max,
            "a worker is idle and a request waits: {view:?}"
        );
        assert!(serving <= serving_max, "a spare stays spare: {view:?}");
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
