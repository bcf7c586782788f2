//! What must be on record before the client hears of it.

use ractor::ActorRef;
use standin_core::session::{Keep, Origin, RecordedAs, Stage, is_worth_a_record};
use standin_protocol::{ErrorAnswer, Replay};

use super::{SessionMessage, SessionState};
use crate::{
    call::{Call, CallAnswer, Record},
    store::{Begun, Durability, Fingerprint, RecordName, Refusal, SessionToken, Write},
};

/// What the store was told and what became of it.
pub(crate) enum OnRecord {
    /// The session itself; its hello waits.
    Session {
        msgid: u64,
        result: Result<(), Refusal>,
    },
    /// An answer.
    Answer {
        answer: CallAnswer,
        result: Result<(), Refusal>,
    },
}

impl SessionState {
    /// The record that a call is to have, if it is to have one.
    pub(super) fn record_of(
        &self,
        origin: Origin,
        replay: Replay,
        fingerprint: impl FnOnce() -> Fingerprint,
    ) -> Option<Record> {
        let session = self.token.filter(|_| self.core.records(replay))?;
        let name = RecordName::Request {
            session,
            msgid: origin.msgid(),
            item: origin.item(),
        };
        Some(Record::new(name, fingerprint(), Durability::Process))
    }

    /// What the store has to know of the calls that came before their session could be resumed and must not run twice: from
    /// now on they have records like the others. A `never` call counts as begun, though it may wait for its worker yet.
    pub(super) fn record_open_calls(&self, session: SessionToken) -> Vec<Begun> {
        let calls = self.core.calls().filter(|call| !call.has_a_key());
        let calls = calls.filter(|call| self.core.records(call.replay));
        let begun = calls.filter_map(|call| {
            let (record, is_granted) = call.record_late(|| {
                let fingerprint = Fingerprint::of(&call.method, &call.params);
                let name = RecordName::Request {
                    session,
                    msgid: call.origin.msgid(),
                    item: call.origin.item(),
                };
                Record::new(name, fingerprint, Durability::Process)
            });
            let has_begun = is_granted || call.replay == Replay::Never;
            has_begun.then(|| {
                record.begin();
                Begun {
                    msgid: call.origin.msgid(),
                    item: call.origin.item(),
                    fingerprint: record.fingerprint,
                    is_granted,
                }
            })
        });
        begun.collect()
    }

    /// The name of this session, if the store had no room for it before: what is open has records that bear it.
    pub(super) fn former_token(&self) -> Option<SessionToken> {
        let mut records = self.core.calls().filter_map(|call| call.record());
        records.find_map(|record| match &record.name {
            RecordName::Request { session, .. } => Some(*session),
            RecordName::Key(_) | RecordName::Job { .. } => None,
        })
    }

    /// How the answer to a call is to be kept.
    pub(super) fn keep_of(call: &Call, fingerprint: Option<Fingerprint>) -> Keep {
        let recorded_as = match call.record().map(|record| &record.name) {
            None => RecordedAs::Nothing,
            Some(RecordName::Request { .. }) => RecordedAs::Request,
            Some(RecordName::Key(_) | RecordName::Job { .. }) => RecordedAs::Name,
        };
        Keep::of_call(call.replay, recorded_as, fingerprint.map(Into::into))
    }

    /// Takes an answer: puts it on record first, if that is how it is with its call.
    pub(super) fn answered(&mut self, myself: &ActorRef<SessionMessage>, answer: CallAnswer) {
        let call = self.core.call(answer.origin);
        if let Some(call) = call.filter(|call| call.has_a_key()).cloned() {
            return self.settle(myself, &call, answer);
        }
        let recorded = call.filter(|call| {
            let outcome = |error: &bytes::Bytes| ErrorAnswer::decode(error).outcome;
            let record = call.record();
            record.is_some_and(|record| {
                is_worth_a_record(record.is_begun(), answer.result.as_ref().err().map(outcome))
            })
        });
        let Some(call) = recorded else {
            return self.deliver(answer);
        };
        call.stage.reach(Stage::Answered);
        let record = call.record().expect("it was just seen");
        let write = Write::Completion {
            name: record.name.clone(),
            fingerprint: record.fingerprint,
            result: answer.result.clone(),
        };
        let session = myself.clone();
        self.environment
            .store
            .write(write, record.durability, move |result| {
                let news = OnRecord::Answer { answer, result };
                let _ = session.cast(SessionMessage::OnRecord(Box::new(news)));
            });
    }

    pub(super) fn on_record(&mut self, news: OnRecord) {
        match news {
            OnRecord::Session { msgid, result } => self.session_on_record(msgid, result),
            OnRecord::Answer { answer, result } => {
                if let Err(refusal) = result {
                    // It is the truth all the same. Only after a death of the service it would not be known any more.
                    tracing::error!(session = %self.caller.session, msgid = answer.origin.msgid(), %refusal, "an answer could not be kept");
                }
                self.deliver(answer);
            }
        }
    }

    /// The client has read every answer up to this one.
    pub(super) fn acknowledged(&mut self, up_to: u64) {
        self.begun.acknowledged(up_to);
        if self.core.ack(up_to)
            && let Some(session) = self.token
        {
            self.environment.store.post(Write::Acked { session, up_to });
        }
    }
}
