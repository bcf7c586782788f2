//! Calls with an idempotency key: a call waits until its key is its own, runs, and settles the key; or it gets the answer
//! of the call that has it.

use std::sync::Arc;

use bytes::Bytes;
use ractor::ActorRef;
use standin_core::{
    ClaimId,
    keys::{Fate, Release, Verdict, fate},
    session::Stage,
};
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, Outcome};

use super::{SessionMessage, SessionState, recording::OnRecord};
use crate::{
    call::{Call, CallAnswer, Record},
    keys::{Claimant, KeyClaim, KeyNews},
    store::{Fingerprint, KeyName, RecordName, Write},
};

impl SessionState {
    /// The record of a call that carries a key.
    pub(super) fn keyed_record(
        &self,
        number: u64,
        method: &Bytes,
        fingerprint: Fingerprint,
        key: &Bytes,
    ) -> Record {
        let name = self.key_name(method, key);
        let keys = self.environment.keys.clone();
        let claim = KeyClaim::new(ClaimId(number), Arc::clone(&name), keys);
        Record::keyed(RecordName::Key(name), fingerprint, claim)
    }

    /// A key, with all that it is scoped to.
    pub(super) fn key_name(&self, method: &Bytes, key: &Bytes) -> Arc<KeyName> {
        Arc::new(KeyName {
            user: self.caller.user.to_string(),
            method: method.clone(),
            key: key.clone(),
        })
    }

    /// Sets a new call off: at once, or by asking for its key.
    pub(super) fn start(&mut self, call: Arc<Call>) {
        let Some((record, claim)) = claim_of(&call) else {
            return self.outgoing(call);
        };
        let claimant = Claimant {
            session: self.caller.actor.clone(),
            origin: call.origin,
        };
        claim.ask(record.fingerprint.into(), call.deadline, claimant);
    }

    /// What is to become of a call that waited for its key, or was refused before anybody had looked at it.
    pub(super) fn key_news(&mut self, news: KeyNews) {
        let KeyNews {
            origin,
            claim: id,
            verdict,
        } = news;
        if let Some(look) = self.looks.remove(&id) {
            return self.looked(look, verdict);
        }
        // One that was answered meanwhile, and its number perhaps used again, has let go of its claim by itself.
        let call = self.core.call(origin).cloned();
        let Some(call) = call.filter(|call| claim_of(call).is_some_and(|(_, of)| of.id() == id))
        else {
            return;
        };
        let Some((_, claim)) = claim_of(&call) else {
            return;
        };
        let result = match verdict {
            Verdict::Run => {
                claim.granted();
                return self.outgoing(call);
            }
            Verdict::Done(answer) => answer,
            refused => Err(refusal(&call.method_name(), &refused).encode()),
        };
        claim.over();
        self.deliver(CallAnswer { origin, result });
    }

    /// Ends a call that owns its key: its answer is recorded, and then it is the answer to the key; or the key is free.
    pub(super) fn settle(
        &mut self,
        myself: &ActorRef<SessionMessage>,
        call: &Arc<Call>,
        answer: CallAnswer,
    ) {
        let Some((record, claim)) = claim_of(call).filter(|(_, claim)| claim.is_granted()) else {
            return self.deliver(answer);
        };
        let fate = match &answer.result {
            Ok(_) => Fate::Record,
            Err(error) => {
                let error = ErrorAnswer::decode(error);
                fate(call.replay, error.outcome, error.service_code())
            }
        };
        let release = match fate {
            Fate::Record => None,
            Fate::FreeForAll => Some(Release::ForAll(answer.result.clone())),
            Fate::FreeForNext => Some(Release::ForItself),
        };
        let write = match &release {
            None => Write::Completion {
                name: record.name.clone(),
                fingerprint: record.fingerprint,
                result: answer.result.clone(),
            },
            Some(release) if !record.is_begun() => {
                // The store has not heard of it.
                claim.released(release.clone());
                return self.deliver(answer);
            }
            Some(_) => Write::Forget(record.name.clone()),
        };
        call.stage.reach(Stage::Answered);
        let (session, record) = (myself.clone(), Arc::clone(record));
        let durability = record.durability;
        self.environment
            .store
            .write(write, durability, move |result| {
                if let Some(claim) = record.claim() {
                    match release {
                        None => claim.settled(answer.result.clone()),
                        Some(release) => claim.released(release),
                    }
                }
                let news = OnRecord::Answer { answer, result };
                let _ = session.cast(SessionMessage::OnRecord(Box::new(news)));
            });
    }

    /// Takes back a call that waits for its key; false if it does not.
    pub(super) fn cancel_waiting(&mut self, call: &Call) -> bool {
        if !call.waits_for_its_key() {
            return false;
        }
        let why = format!(
            "\"{}\" was cancelled while it waited for another call with the same key. Whether that one was executed is \
             not known.",
            call.method_name()
        );
        let error = ErrorAnswer::new(ErrorCode::Cancelled, why);
        self.deliver(CallAnswer {
            origin: call.origin,
            result: Err(error.encode()),
        });
        true
    }
}

fn claim_of(call: &Call) -> Option<(&Arc<Record>, &KeyClaim)> {
    let record = call.record()?;
    Some((record, record.claim()?))
}

pub(super) fn refusal(method: &str, verdict: &Verdict) -> ErrorAnswer {
    match verdict {
        Verdict::Conflict => {
            let why = format!(
                "The key of this call of \"{method}\" belongs to an earlier call with other arguments. This one was not \
                 executed."
            );
            ErrorAnswer::new(ErrorCode::KeyConflict, why)
        }
        Verdict::Expired => {
            let why = format!(
                "The key of this call of \"{method}\" was used so long ago that the answer is no longer kept. The call is \
                 not made a second time."
            );
            let data = std::collections::BTreeMap::from([("expired", true)]);
            ErrorAnswer::new(ErrorCode::KeyConflict, why)
                .with_outcome(Outcome::Unknown)
                .with_data(protocol::encode(&data))
        }
        Verdict::TooMany => {
            let why = "Too many calls wait for others with the same key. Please try again.";
            ErrorAnswer::new(ErrorCode::Overloaded, why)
                .with_outcome(Outcome::Unknown)
                .with_retry_after_ms(1000)
        }
        Verdict::Unreadable => {
            let why = format!(
                "Standin is stopping and cannot look up what became of earlier calls of \"{method}\" with the same key."
            );
            ErrorAnswer::new(ErrorCode::ShuttingDown, why).with_outcome(Outcome::Unknown)
        }
        Verdict::TimeUp | Verdict::Run | Verdict::Done(_) | Verdict::Free | Verdict::Running => {
            let why = format!(
                "\"{method}\" was not answered in time, since another call with the same key had not ended. Whether that \
                 one was executed is not known."
            );
            ErrorAnswer::new(ErrorCode::DeadlineExceeded, why)
        }
    }
}
