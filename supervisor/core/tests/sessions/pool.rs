//! The pool's actor: events in, effects into frames, writes and answers.

use std::{cell::Cell, rc::Rc, time::Duration};

use standin_core::{
    AttemptId, Cause, Fingerprint, RequestId, SessionId, UserId, WorkerId,
    pool::{Effect, EndRule, Event, Submission},
    session::{ItemResult, Origin},
};
use standin_protocol::Replay;

use crate::{
    checker::error,
    connection::Uid,
    session::SessionMail,
    store::{Name, Order, State, Then, Write},
    worker::{Frame, Worker},
    world::World,
};

/// Longer than a life.
const LONG: Duration = Duration::from_secs(100_000);

/// A call while the service has it.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: RequestId,
    pub(crate) session: SessionId,
    pub(crate) origin: Origin,
    pub(crate) uid: Uid,
    pub(crate) replay: Replay,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) record: Option<Name>,
    /// Something was written down for it.
    pub(crate) begun: Cell<bool>,
    pub(crate) granted: Cell<bool>,
    pub(crate) taken_back: Cell<bool>,
}

#[derive(Debug)]
pub(crate) enum PoolMail {
    Submit(Rc<Call>),
    Cancel(RequestId),
    Abandon(RequestId),
    Ready(WorkerId),
    EffectAsked(WorkerId, AttemptId),
    Answered(WorkerId, AttemptId, ItemResult),
    Exited(WorkerId),
    Intent(WorkerId, RequestId, AttemptId, bool),
    Grant(WorkerId, AttemptId, bool),
}

impl World {
    pub(crate) fn pool_mail(&mut self, mail: PoolMail) {
        if let Some(service) = &mut self.service {
            service.pool_mail.push_back(mail);
        }
    }

    pub(crate) fn pool_handles(&mut self) {
        let service = self.service.as_mut();
        let Some(mail) = service.and_then(|service| service.pool_mail.pop_front()) else {
            return;
        };
        self.tell(|| format!("pool: {mail:?}"));
        match mail {
            PoolMail::Submit(call) => self.submit(call),
            PoolMail::Cancel(request) => {
                let service = self.service.as_ref().expect("it lives");
                if let Some(call) = service.pool.payload(request) {
                    call.taken_back.set(true);
                    let uid = call.uid;
                    self.calls[uid].touched = true;
                }
                self.feed(Event::Cancel(request), None);
            }
            PoolMail::Abandon(request) => self.feed(Event::Abandon(request), None),
            PoolMail::Ready(worker) => {
                let concurrency = self.concurrency;
                let ready = Event::WorkerReady {
                    worker,
                    concurrency,
                };
                self.feed(ready, None);
            }
            PoolMail::EffectAsked(worker, attempt) => {
                let pool = &self.service().pool;
                let call = pool.request_of(attempt).and_then(|id| pool.payload(id));
                let is_on_record =
                    call.is_none_or(|call| call.record.is_none() || call.granted.get());
                let asked = Event::EffectRequested {
                    worker,
                    attempt,
                    is_on_record,
                };
                self.feed(asked, None);
            }
            PoolMail::Answered(worker, attempt, result) => {
                self.feed(Event::Answered { worker, attempt }, Some(result));
            }
            PoolMail::Exited(worker) => self.exited(worker),
            PoolMail::Intent(worker, request, attempt, ok) => {
                self.intent_on_record(worker, request, attempt, ok);
            }
            PoolMail::Grant(worker, attempt, ok) => self.grant_on_record(worker, attempt, ok),
        }
    }

    fn submit(&mut self, call: Rc<Call>) {
        let submission = Submission {
            request: call.id,
            session: call.session,
            user: UserId(0),
            replay: call.replay,
            deadline: self.now + LONG,
            attempt_timeout: Some(LONG),
            size: 1,
            payload: call,
        };
        self.feed(Event::Submit(submission), None);
    }

    /// What the dead worker was not given can not have been begun by it.
    fn exited(&mut self, id: WorkerId) {
        let mut unsent = std::mem::take(&mut self.worker(id).held);
        let given_one = self.random.one_in(2);
        let worker = self.worker(id);
        let mut touched: Vec<Uid> = worker.running.values().map(|(uid, _)| *uid).collect();
        // The system may have had one frame that the worker has not read.
        let mut given_one = given_one;
        for frame in worker.inbox.drain(..) {
            if let Frame::Attempt(attempt, uid) = frame {
                if std::mem::replace(&mut given_one, false) {
                    touched.push(uid);
                } else {
                    unsent.push(attempt);
                }
            }
        }
        for uid in touched {
            self.calls[uid].touched = true;
        }
        let cause = Cause::KilledByStranger(9);
        let exited = Event::WorkerExited {
            worker: id,
            cause,
            unsent,
        };
        self.feed(exited, None);
        self.service().workers.remove(&id);
    }

    fn intent_on_record(
        &mut self,
        worker: WorkerId,
        request: RequestId,
        attempt: AttemptId,
        ok: bool,
    ) {
        let Some(link) = self.service().workers.get_mut(&worker) else {
            return;
        };
        link.held.retain(|held| *held != attempt);
        let why = match ok {
            true if self.service().pool.is_wanted(attempt, request) => {
                return self.write_attempt(worker, request, attempt);
            }
            true => {
                self.seen.insert("taken back before it was sent");
                EndRule::CancelledInQueue
            }
            false => {
                self.seen
                    .insert("an intent that could not be put on record");
                EndRule::NotRecorded
            }
        };
        let not_sent = Event::NotSent {
            worker,
            attempt,
            why,
        };
        self.feed(not_sent, None);
    }

    fn grant_on_record(&mut self, worker: WorkerId, attempt: AttemptId, ok: bool) {
        let news = match ok {
            true => Event::EffectRecorded { worker, attempt },
            false => {
                self.seen.insert("a grant that could not be put on record");
                Event::GrantRefused {
                    worker,
                    attempt,
                    why: EndRule::NotRecorded,
                }
            }
        };
        self.feed(news, None);
    }

    fn tell_effect(&mut self, worker: WorkerId, attempt: AttemptId, granted: bool) {
        if let Some(worker) = self.service().workers.get_mut(&worker) {
            worker.inbox.push_back(Frame::Leave(attempt, granted));
        }
    }

    pub(crate) fn feed(&mut self, event: Event<Rc<Call>>, mut answer: Option<ItemResult>) {
        let mut effects = Vec::new();
        let now = self.now;
        self.service().pool.handle(now, event, &mut effects);
        for effect in effects {
            self.act(effect, &mut answer);
        }
    }

    fn act(&mut self, effect: Effect<Rc<Call>>, answer: &mut Option<ItemResult>) {
        match effect {
            Effect::StartWorker(worker) => {
                self.service().workers.insert(worker, Worker::default());
            }
            Effect::Send {
                worker,
                request,
                attempt,
                ..
            } => self.send_attempt(worker, request, attempt),
            Effect::RecordEffect { worker, attempt } => self.record_effect(worker, attempt),
            Effect::AnswerEffect {
                worker,
                attempt,
                granted,
            } => self.answer_effect(worker, attempt, granted),
            Effect::Drain(worker) | Effect::Kill { worker, .. } => self.worker_dies(worker),
            Effect::Deliver { payload, .. } => {
                let result = answer.take().expect("it is at hand");
                self.answer(&payload, result);
            }
            Effect::Fail {
                payload, failure, ..
            } => {
                let error = error(failure.code.name(), failure.outcome);
                self.answer(&payload, Err(error));
            }
            Effect::Replayed { .. } => drop(self.seen.insert("replayed")),
            Effect::CancelAttempt { .. }
            | Effect::Abandoned { .. }
            | Effect::Incident { .. }
            | Effect::DegradedChanged(_)
            | Effect::Retired
            | Effect::ReloadDecided(_)
            | Effect::Reloaded
            | Effect::Paused
            | Effect::Stopped => {}
        }
    }

    fn answer(&mut self, call: &Call, result: ItemResult) {
        let mail = SessionMail::Answered(call.origin, result);
        self.session_mail(call.session, mail);
    }

    fn send_attempt(&mut self, worker: WorkerId, request: RequestId, attempt: AttemptId) {
        let call = Rc::clone(self.service().pool.payload(request).expect("it is known"));
        let record = call.record.filter(|_| call.replay == Replay::Never);
        let Some(name) = record else {
            return self.write_attempt(worker, request, attempt);
        };
        call.begun.set(true);
        self.worker(worker).held.push(attempt);
        let write = Write::Put(name, call.fingerprint, State::Intent);
        let then = Then::Intent(worker, request, attempt);
        self.order(Order::Write(write, then));
    }

    fn write_attempt(&mut self, worker: WorkerId, request: RequestId, attempt: AttemptId) {
        let call = Rc::clone(self.service().pool.payload(request).expect("it is known"));
        assert!(!call.taken_back.get(), "what was taken back is not sent");
        let frame = Frame::Attempt(attempt, call.uid);
        self.worker(worker).inbox.push_back(frame);
    }

    fn record_effect(&mut self, worker: WorkerId, attempt: AttemptId) {
        let pool = &self.service().pool;
        let request = pool.request_of(attempt).expect("it waits for it");
        let call = Rc::clone(pool.payload(request).expect("it is known"));
        let name = call
            .record
            .expect("only what has a record is put on record");
        call.begun.set(true);
        let write = Write::Put(name, call.fingerprint, State::Granted);
        self.order(Order::Write(write, Then::Grant(worker, attempt)));
    }

    fn answer_effect(&mut self, worker: WorkerId, attempt: AttemptId, granted: bool) {
        let pool = &self.service().pool;
        let request = pool.request_of(attempt).filter(|_| granted);
        if let Some(call) = request.and_then(|request| pool.payload(request)) {
            call.granted.set(true);
        }
        self.tell_effect(worker, attempt, granted);
    }
}
