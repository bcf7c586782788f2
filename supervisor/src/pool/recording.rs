//! What must be on record before a worker hears of it: that a call begins which must not run twice, and that an effect
//! may happen. While the store writes, the pool goes on with other things; the store's news comes as a message.

use std::sync::Arc;

use bytes::Bytes;
use ractor::ActorRef;
use standin_core::{
    AttemptId, RequestId, WorkerId,
    pool::{EndRule, Event, is_recorded_before_it_begins, is_recorded_before_its_effect},
    session::Stage,
};
use standin_protocol::{self as protocol, WorkerMeta};

use super::{Link, PoolMessage, PoolState};
use crate::{
    call::{Call, Record},
    clock,
    store::{By, Refusal, Write},
    story::What,
};

/// One sending.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sending {
    pub(super) worker: WorkerId,
    pub(super) request: RequestId,
    pub(super) attempt: AttemptId,
    pub(super) number: u32,
    pub(super) timeout: std::time::Duration,
}

/// What the store has put on record, or refused.
#[derive(Debug)]
pub(crate) enum OnRecord {
    Intent(Sending),
    Grant {
        worker: WorkerId,
        attempt: AttemptId,
    },
}

impl PoolState {
    /// Gives an attempt to its worker, once that is on record where it has to be.
    pub(super) fn send_attempt(&mut self, myself: &ActorRef<PoolMessage>, sending: Sending) {
        let call = self.core.payload(sending.request);
        let call = call.expect("what is sent is known");
        let link = self.links[sending.worker.slot.0 as usize].as_ref();
        let pid = link.and_then(Link::pid);
        let what = What::Sent {
            worker: sending.worker,
            pid,
            number: sending.number,
        };
        self.note(call, self.now, what);
        let record = call.record();
        let Some(record) = record.filter(|_| is_recorded_before_it_begins(call.replay)) else {
            return self.write_attempt(sending);
        };
        record.begin();
        let write = Write::Intent {
            name: record.name.clone(),
            fingerprint: record.fingerprint,
            by: By {
                pid,
                attempt: Some(sending.number),
            },
        };
        // It is held until the store has it: only then is nothing of it on its way.
        let (record, pool) = (Arc::clone(record), myself.clone());
        if let Some(link) = self.links[sending.worker.slot.0 as usize].as_mut() {
            link.hold(sending.attempt);
        }
        self.store.write(write, record.durability, move |result| {
            let news = OnRecord::Intent(sending);
            let _ = pool.cast(PoolMessage::OnRecord { news, result });
            drop(record);
        });
    }

    fn write_attempt(&mut self, sending: Sending) {
        let Sending {
            worker,
            request,
            attempt,
            number,
            timeout,
        } = sending;
        let call = self.core.payload(request).expect("what is sent is known");
        call.stage.reach(Stage::Sent);
        tracing::trace!(%request, session = %call.caller.session, %worker, %attempt, number, "sent");
        let frame = protocol::request(
            attempt.0,
            &call.method,
            &call.params,
            Some(&|out| write_meta(out, call, number, timeout)),
        );
        if let Some(link) = self.links[worker.slot.0 as usize].as_mut() {
            link.send_attempt(attempt, frame);
        }
    }

    /// Whether nothing has to be put on record before the effect of an attempt is granted.
    pub(super) fn is_effect_on_record(&self, worker: WorkerId, attempt: AttemptId) -> bool {
        let is_its_own = self.core.worker_of(attempt) == Some(worker);
        let Some(call) = self.call_of(attempt).filter(|_| is_its_own) else {
            return true;
        };
        let is_missing = |record: Option<&Arc<Record>>| {
            is_recorded_before_its_effect(call.replay)
                && record.is_some_and(|record| !record.is_granted())
        };
        // Whoever gives it a record from now on must know that this here has not seen it.
        !is_missing(call.record()) && !is_missing(call.grant_effect())
    }

    fn call_of(&self, attempt: AttemptId) -> Option<&Arc<Call>> {
        self.core.payload(self.core.request_of(attempt)?)
    }

    /// Puts on record that the effect of an attempt may happen.
    pub(super) fn record_effect(
        &mut self,
        myself: &ActorRef<PoolMessage>,
        worker: WorkerId,
        attempt: AttemptId,
    ) {
        let by = By {
            pid: self.link(worker).and_then(|link| link.pid()),
            attempt: self.core.number_of(attempt),
        };
        let record = self.call_of(attempt).and_then(|call| call.record());
        let record = record.expect("what is to be put on record has one");
        record.begin();
        let write = Write::Grant {
            name: record.name.clone(),
            fingerprint: record.fingerprint,
            by,
        };
        let (record, pool) = (Arc::clone(record), myself.clone());
        self.store.write(write, record.durability, move |result| {
            if result.is_ok() {
                record.grant();
            }
            let news = OnRecord::Grant { worker, attempt };
            let _ = pool.cast(PoolMessage::OnRecord { news, result });
            drop(record);
        });
    }

    /// Answers a worker's `effect.begin`.
    pub(super) fn answer_effect(&mut self, worker: WorkerId, attempt: AttemptId, granted: bool) {
        if granted && let Some(call) = self.call_of(attempt) {
            call.stage.reach(Stage::EffectGranted);
            self.note(call, self.now, What::EffectGranted);
        }
        self.tell_effect(worker, attempt, granted);
    }

    fn tell_effect(&mut self, worker: WorkerId, attempt: AttemptId, granted: bool) {
        for msgid in self.records.take_effect_msgids(worker, attempt) {
            let answer = Bytes::from_static(if granted { &[0xc3] } else { &[0xc2] });
            self.send(worker, protocol::response_ok(msgid, &answer));
        }
    }

    pub(super) fn on_record(
        &mut self,
        myself: &ActorRef<PoolMessage>,
        news: OnRecord,
        result: Result<(), Refusal>,
    ) {
        if let Err(refusal) = result {
            tracing::error!(pool = %self.name, %refusal, "a call cannot be put on record");
        }
        match news {
            OnRecord::Intent(sending) => self.intent_on_record(myself, sending, result),
            OnRecord::Grant { worker, attempt } => {
                self.grant_on_record(myself, worker, attempt, result);
            }
        }
    }

    fn intent_on_record(
        &mut self,
        myself: &ActorRef<PoolMessage>,
        sending: Sending,
        result: Result<(), Refusal>,
    ) {
        let Sending {
            worker,
            request,
            attempt,
            ..
        } = sending;
        // The worker died meanwhile: the attempt counted as unsent, and the request has gone its way.
        let Some(link) = self.link(worker) else {
            return;
        };
        link.release(attempt);
        let why = match result {
            Ok(()) if self.core.is_wanted(attempt, request) => {
                if let Some(call) = self.core.payload(request) {
                    self.note(call, clock::now(), What::IntentRecorded);
                }
                return self.write_attempt(sending);
            }
            // Nobody wants it any more; it need not begin.
            Ok(()) => EndRule::CancelledInQueue,
            Err(refusal) => rule_of(refusal),
        };
        self.handle(
            myself,
            Event::NotSent {
                worker,
                attempt,
                why,
            },
            None,
        );
    }

    fn grant_on_record(
        &mut self,
        myself: &ActorRef<PoolMessage>,
        worker: WorkerId,
        attempt: AttemptId,
        result: Result<(), Refusal>,
    ) {
        let news = match result {
            Ok(()) => Event::EffectRecorded { worker, attempt },
            Err(refusal) => {
                if let Some(call) = self.call_of(attempt) {
                    call.notes.add(clock::now(), What::GrantNotRecorded);
                }
                Event::GrantRefused {
                    worker,
                    attempt,
                    why: rule_of(refusal),
                }
            }
        };
        self.handle(myself, news, None);
    }
}

fn rule_of(refusal: Refusal) -> EndRule {
    match refusal {
        Refusal::Full => EndRule::NotRecorded,
        Refusal::Closed => EndRule::StoppedInQueue,
    }
}

fn write_meta(out: &mut Vec<u8>, call: &Call, number: u32, timeout: std::time::Duration) {
    let job = call.job.as_ref();
    WorkerMeta::write(
        out,
        timeout.as_millis() as u64,
        call.caller.session.0,
        &call.caller.user,
        number,
        job.map(|job| (job.this.name.as_str(), job.so_far.as_deref())),
    );
}
