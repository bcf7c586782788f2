//! What workers do: read, begin, ask for leave, have their effect, answer, and die in between.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use standin_core::{AttemptId, WorkerId};
use standin_protocol::{Outcome, Replay};

use crate::{checker::error, connection::Uid, pool::PoolMail, world::World};

#[derive(Debug)]
pub(crate) enum Frame {
    Attempt(AttemptId, Uid),
    Leave(AttemptId, bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Begun,
    Asked,
    Leave(bool),
    Done,
}

#[derive(Debug, Default)]
pub(crate) struct Worker {
    pub(crate) dead: bool,
    pub(crate) ready: bool,
    pub(crate) inbox: VecDeque<Frame>,
    pub(crate) running: BTreeMap<AttemptId, (Uid, Phase)>,
    /// Attempts that are being put on record before it gets them.
    pub(crate) held: Vec<AttemptId>,
}

impl World {
    pub(crate) fn worker_acts(&mut self) {
        let Some(service) = &mut self.service else {
            return;
        };
        let alive = service.workers.iter().filter(|(_, worker)| !worker.dead);
        let alive: Vec<WorkerId> = alive.map(|(id, _)| *id).collect();
        let Some(id) = self.random.pick(&alive).copied() else {
            return;
        };
        let worker = service.workers.get_mut(&id).expect("it was just seen");
        if !worker.ready {
            worker.ready = true;
            return service.pool_mail.push_back(PoolMail::Ready(id));
        }
        if let Some(frame) = worker.inbox.pop_front() {
            return self.worker_reads(id, frame);
        }
        let running: Vec<AttemptId> = worker.running.keys().copied().collect();
        if let Some(attempt) = self.random.pick(&running).copied() {
            self.worker_works(id, attempt);
        }
    }

    fn worker_reads(&mut self, id: WorkerId, frame: Frame) {
        let worker = self.worker(id);
        match frame {
            Frame::Attempt(attempt, uid) => {
                worker.running.insert(attempt, (uid, Phase::Begun));
                self.calls[uid].begun += 1;
                self.check_begun(uid);
            }
            Frame::Leave(attempt, granted) => {
                if let Some((_, phase)) = worker.running.get_mut(&attempt) {
                    *phase = Phase::Leave(granted);
                }
            }
        }
    }

    fn worker_works(&mut self, id: WorkerId, attempt: AttemptId) {
        let (uid, phase) = self.worker(id).running[&attempt];
        let replay = self.calls[uid].replay;
        let asks = replay == Replay::UntilEffect && !self.random.one_in(10);
        match phase {
            Phase::Begun if asks => {
                self.set_phase(id, attempt, Phase::Asked);
                let ask = PoolMail::EffectAsked(id, attempt);
                self.pool_mail(ask);
            }
            Phase::Begun | Phase::Done => self.worker_answers(id, attempt, uid, None),
            Phase::Asked => {}
            Phase::Leave(true) => {
                self.calls[uid].effects += 1;
                self.check_effect(uid);
                self.set_phase(id, attempt, Phase::Done);
            }
            Phase::Leave(false) => {
                let refused = error("refused", Outcome::NotExecuted);
                self.worker_answers(id, attempt, uid, Some(refused));
            }
        }
    }

    fn set_phase(&mut self, id: WorkerId, attempt: AttemptId, phase: Phase) {
        if let Some(running) = self.worker(id).running.get_mut(&attempt) {
            running.1 = phase;
        }
    }

    fn worker_answers(
        &mut self,
        id: WorkerId,
        attempt: AttemptId,
        uid: Uid,
        refused: Option<Bytes>,
    ) {
        self.worker(id).running.remove(&attempt);
        // No two runs have the same answer.
        self.last_run += 1;
        let result = match refused {
            Some(refused) => Err(refused),
            None if self.random.one_in(8) => Err(error("failed", Outcome::Executed)),
            None => Ok(Bytes::from(format!("{uid}:{}", self.last_run))),
        };
        self.pool_mail(PoolMail::Answered(id, attempt, result));
    }

    pub(crate) fn worker(&mut self, id: WorkerId) -> &mut Worker {
        let service = self.service.as_mut().expect("it lives");
        service.workers.get_mut(&id).expect("it was started")
    }

    pub(crate) fn worker_dies(&mut self, id: WorkerId) {
        let worker = self.worker(id);
        if !std::mem::replace(&mut worker.dead, true) {
            self.pool_mail(PoolMail::Exited(id));
        }
    }
}
