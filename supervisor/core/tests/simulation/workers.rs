//! What workers do. The dead do nothing.

use std::time::Duration;

use standin_core::{
    AttemptId, Cause, WorkerId,
    pool::{EndRule, Event},
};

use crate::{
    life::Life,
    nemesis::Deed,
    world::{Doom, Running},
};

impl Life {
    pub(crate) fn hello(&mut self, id: WorkerId) {
        if !self.is_alive(id) {
            return;
        }
        if self.workers[&id].kill_ordered.is_some() {
            self.seen.insert("a hello that came too late");
        }
        self.worker(id).ready = true;
        let concurrency = 1 + self.random.below(4) as u32;
        self.feed(Event::WorkerReady {
            worker: id,
            concurrency,
        });
    }

    pub(crate) fn dies(&mut self, id: WorkerId, cause: Cause) {
        let worker = self.worker(id);
        if !std::mem::replace(&mut worker.alive, false) {
            return;
        }
        worker.cause = Some(cause);
        let at = self.now + Duration::from_micros(self.random.below(3000));
        self.plan(at, Deed::ReportDeath(id));
    }

    pub(crate) fn report_death(&mut self, id: WorkerId) {
        let worker = self.worker(id);
        worker.reported = true;
        let cause = worker.cause.expect("the dead died of something");
        let running = std::mem::take(&mut worker.running);
        // What was not begun may or may not have reached the pipe; only what did not is said to be unsent.
        let begun = worker.begun.clone();
        let not_begun = running.keys().filter(|attempt| !begun.contains(attempt));
        let mut unsent: Vec<AttemptId> = not_begun.copied().collect();
        unsent.retain(|_| self.random.below(2) == 0);
        if !unsent.is_empty() {
            self.seen.insert("unsent");
        }
        self.note_death(id, cause, &running, &unsent);
        self.feed(Event::WorkerExited {
            worker: id,
            cause,
            unsent,
        });
        if self.one_in(20) {
            let at = self.within(100);
            self.plan(at, Deed::ReportDeathAgain(id));
        }
    }

    /// Another may be in its slot by now.
    pub(crate) fn report_death_again(&mut self, id: WorkerId) {
        self.seen.insert("a second report of a death");
        self.feed(Event::WorkerExited {
            worker: id,
            cause: Cause::Crashed(11),
            unsent: Vec::new(),
        });
        self.feed(Event::WorkerReady {
            worker: id,
            concurrency: 4,
        });
    }

    pub(crate) fn breaks_protocol(&mut self, id: WorkerId) {
        if self.is_alive(id) {
            self.seen.insert("a worker that broke the protocol");
            self.feed(Event::ProtocolViolated(id));
        }
    }

    pub(crate) fn begin(&mut self, id: WorkerId, attempt: AttemptId) {
        if !self.has(id, attempt) {
            return;
        }
        let worker = self.worker(id);
        worker.begun.insert(attempt);
        let Running { request, .. } = worker.running[&attempt];
        let asked = self.asked(request);
        asked.begun += 1;
        let (replay, doom) = (asked.replay, asked.doom);
        self.check_begun(request);
        match doom {
            Doom::Crashes => self.dies(id, Cause::Crashed(11)),
            Doom::KillsItself => self.dies(id, Cause::KilledByStranger(9)),
            Doom::None => self.draw_work(id, attempt, replay),
        }
    }

    pub(crate) fn ask_effect(&mut self, worker: WorkerId, attempt: AttemptId) {
        if self.has(worker, attempt) {
            let request = self.workers[&worker].running[&attempt].request;
            // Every other call has a record, and what is on it need not be put there again.
            let is_on_record = request.0.is_multiple_of(2) || self.asked[&request].effects > 0;
            self.feed(Event::EffectRequested {
                worker,
                attempt,
                is_on_record,
            });
        }
    }

    /// Much may happen while the store writes.
    pub(crate) fn effect_is_recorded(&mut self, worker: WorkerId, attempt: AttemptId) {
        let ok = self.is_calm() || !self.one_in(10);
        let at = self.within(10);
        self.plan(at, Deed::EffectRecorded(worker, attempt, ok));
        if !self.is_calm() && self.one_in(4) {
            self.plan(self.now, Deed::StrangerKills(worker));
        } else if !self.is_calm() && self.one_in(8) {
            self.plan(self.now, Deed::AskEffect(worker, attempt));
        }
    }

    /// The news comes, whoever is dead by then.
    pub(crate) fn effect_recorded(&mut self, worker: WorkerId, attempt: AttemptId, ok: bool) {
        if !self.is_alive(worker) {
            self.seen
                .insert("a grant that was put on record for the dead");
        }
        let why = EndRule::NotRecorded;
        self.feed(match ok {
            true => Event::EffectRecorded { worker, attempt },
            false => Event::GrantRefused {
                worker,
                attempt,
                why,
            },
        });
    }

    pub(crate) fn ask_wrong_effect(&mut self, worker: WorkerId, attempt: AttemptId) {
        let wrong = AttemptId((attempt.0 + self.random.below(5)).saturating_sub(2));
        let is_on_record = self.random.below(2) == 0;
        if self.is_alive(worker) && !self.has(worker, wrong) {
            self.feed(Event::EffectRequested {
                worker,
                attempt: wrong,
                is_on_record,
            });
        }
    }

    pub(crate) fn progress(&mut self, worker: WorkerId, attempt: AttemptId) {
        if !self.has(worker, attempt) {
            return;
        }
        let Running { request, until } = self.worker(worker).running[&attempt];
        // Between the end of its time and the look of a late timer it may go either way.
        if self.now >= until && self.now <= until + self.lateness {
            return;
        }
        let asked = &self.asked[&request];
        // What nobody waits for, or has run out of time, gets no more of it.
        if !asked.is_settled() && !asked.cancelled && self.now < until {
            let call_timeout = self.settings.call_timeout;
            let until = asked.deadline.min(self.now + call_timeout);
            let running = Running { request, until };
            self.worker(worker).running.insert(attempt, running);
        }
        self.feed(Event::Progressed { worker, attempt });
    }

    pub(crate) fn answer(&mut self, worker: WorkerId, attempt: AttemptId) {
        if !self.has(worker, attempt) {
            return;
        }
        self.worker(worker).served += 1;
        let running = self.worker(worker).running.remove(&attempt);
        let Running { request, .. } = running.expect("it has it");
        if self.asked[&request].with != Some(attempt) || self.asked[&request].is_settled() {
            self.stale_answers += 1;
            self.seen.insert("an answer that nobody waited for");
        } else if self.asked[&request].cancelled {
            self.seen.insert("an answer after a cancel");
        }
        self.feed(Event::Answered { worker, attempt });
        if self.one_in(20) {
            self.stale_answers += 1;
            self.feed(Event::Answered { worker, attempt });
        }
    }

    pub(crate) fn answer_wrongly(&mut self, worker: WorkerId, attempt: AttemptId) {
        let wrong = AttemptId(attempt.0 + self.random.below(3) + 1);
        // The answer to an attempt of its own would be an answer.
        if self.is_alive(worker) && !self.has(worker, wrong) {
            self.stale_answers += 1;
            self.feed(Event::Answered {
                worker,
                attempt: wrong,
            });
        }
    }
}
