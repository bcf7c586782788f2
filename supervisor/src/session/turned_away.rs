//! Requests that are refused before anybody has looked at their keys. One that carries a key may have been made before,
//! by whomever: that it was not executed is said only when nothing is known of its key, and else it gets the answer to
//! that. The ordinary call does not come here.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use rustc_hash::FxHashMap;
use standin_core::{
    ClaimId,
    keys::{Claim, Event, Verdict, Wish},
    session::{BatchItem, Origin},
};
use standin_protocol::{ErrorAnswer, Meta, Outcome, Replay, Request, value};

use super::{
    SessionState,
    batch::{ItemCall, calls},
    intake::{is_own, may_have_begun, read_meta},
    keyed::refusal,
};
use crate::{
    call::{Call, CallAnswer},
    clock,
    directory::Located,
    keys::{Claimant, KeysMessage},
    store::Fingerprint,
};
/// The store answers sooner, if it answers.
const LOOK_LIMIT: Duration = Duration::from_secs(10);

/// A refused call whose key is looked up.
pub(super) struct Look {
    origin: Origin,
    method: Bytes,
    fingerprint: Fingerprint,
    key: Bytes,
    /// Its answer, if nobody has made it.
    error: ErrorAnswer,
}

/// Those that the keys were asked about.
pub(super) type Looks = FxHashMap<ClaimId, Look>;

impl SessionState {
    /// Answers a request that is not taken, and is not open.
    pub(super) fn turn_away(&mut self, request: &Request, error: ErrorAnswer) {
        let msgid = request.msgid;
        if error.outcome != Outcome::NotExecuted {
            return self.refuse(msgid, &error);
        }
        if self.core.was_begun_before(msgid) {
            let why = "Some of its calls had begun before Standin was interrupted.";
            return self.refuse(msgid, &in_doubt(error, why));
        }
        if is_own(&request.method) {
            if self.turn_away_job(request, &error) {
                return;
            }
            let error = self.doubt_of_batch(request, error);
            return self.refuse(msgid, &error);
        }
        let meta = read_meta(request.meta.as_ref()).unwrap_or_default();
        let is_made_before = self.may_be_made_before(&request.method, &meta);
        let Some(key) = meta.key.filter(|_| !self.caller.is_nobody()) else {
            let error = match is_made_before {
                true => in_doubt(error, PERHAPS_BEGUN_BEFORE),
                false => error,
            };
            return self.refuse(msgid, &error);
        };
        if !self.may_look() {
            return self.turn_away_unseen(request, error);
        }
        self.core.open_own(msgid);
        self.look(Look {
            origin: Origin::Request { msgid },
            method: request.method.clone(),
            fingerprint: Fingerprint::of(&request.method, &request.params),
            key,
            error,
        });
    }

    /// Whether a call that is refused may have begun when it was sent before.
    fn may_be_made_before(&mut self, method: &[u8], meta: &Meta) -> bool {
        if !meta.again {
            return false;
        }
        let directory = Arc::clone(self.directory.get());
        let replay = match directory.locate(self.seeker(), method) {
            Located::At(route) if !meta.idempotent => route.manifest.replay,
            // What nobody knows may be a method that may run twice.
            _ => Replay::Always,
        };
        may_have_begun(meta, replay)
    }

    /// The refusal of a batch, whose calls were not looked at one by one.
    fn doubt_of_batch(&mut self, request: &Request, error: ErrorAnswer) -> ErrorAnswer {
        if &request.method[..] != b"standin.batch" {
            return error;
        }
        let of_batch = read_meta(request.meta.as_ref()).unwrap_or_default();
        let arguments = value::named_arguments(&request.params).unwrap_or_default();
        let items = calls(&arguments).unwrap_or_default();
        let items = items.iter().filter_map(|call| ItemCall::read(call).ok());
        let items: Vec<ItemCall> = items.collect();
        if items.iter().any(|item| item.key().is_some()) {
            return in_doubt(error, PERHAPS_MADE_BEFORE);
        }
        let mut items = items.iter();
        match items.any(|item| self.may_be_made_before(&item.method, &item.meta_within(&of_batch)))
        {
            true => in_doubt(error, PERHAPS_BEGUN_BEFORE),
            false => error,
        }
    }

    /// Whether what is refused may be looked for. It counts as open until it is answered, though there may be no room for
    /// calls; there is an end to that too.
    pub(super) fn may_look(&self) -> bool {
        self.core.open_calls() < 2 * self.environment.requests_max
    }

    /// The same where a key cannot be looked up.
    pub(super) fn turn_away_unseen(&self, request: &Request, error: ErrorAnswer) {
        let meta = read_meta(request.meta.as_ref()).unwrap_or_default();
        let error = match meta.key {
            Some(_) => in_doubt(error, PERHAPS_MADE_BEFORE),
            None => error,
        };
        self.refuse(request.msgid, &error);
    }

    /// The same for a call of a batch. What is to be looked up is added to `looks`, for when the batch is open.
    pub(super) fn turn_away_item(
        &mut self,
        origin: Origin,
        item: &ItemCall,
        of_batch: &Meta,
        error: ErrorAnswer,
        looks: &mut Vec<Look>,
    ) -> BatchItem<Arc<Call>> {
        let is_looked_for = error.outcome == Outcome::NotExecuted && !self.caller.is_nobody();
        let Some(key) = item.key().filter(|_| is_looked_for) else {
            let meta = item.meta_within(of_batch);
            let is_in_doubt = error.outcome == Outcome::NotExecuted
                && self.may_be_made_before(&item.method, &meta);
            let error = match is_in_doubt {
                true => in_doubt(error, PERHAPS_BEGUN_BEFORE),
                false => error,
            };
            return BatchItem::Answered(Err(error.encode()));
        };
        looks.push(Look {
            origin,
            method: item.method.clone(),
            fingerprint: Fingerprint::of(&item.method, &item.params),
            key: key.clone(),
            error,
        });
        BatchItem::LookedFor
    }

    /// Asks for a refused call what became of its key.
    pub(super) fn look(&mut self, look: Look) {
        let id = ClaimId(self.next_number());
        let key = self.key_name(&look.method, &look.key);
        let claimant = Claimant {
            session: self.caller.actor.clone(),
            origin: look.origin,
        };
        let claim = Claim {
            id,
            key,
            fingerprint: look.fingerprint.into(),
            wish: Wish::Look,
            deadline: clock::now() + LOOK_LIMIT,
            claimant,
        };
        // If that actor is gone, so is this session soon.
        let asked = KeysMessage::Happened(Event::Claimed(claim));
        let _ = self.environment.keys.cast(asked);
        self.looks.insert(id, look);
    }

    /// What became of the key of a refused call.
    pub(super) fn looked(&mut self, look: Look, verdict: Verdict) {
        let Look {
            origin,
            method,
            error,
            ..
        } = look;
        let error = match verdict {
            Verdict::Done(result) => return self.deliver(CallAnswer { origin, result }),
            Verdict::Free => error,
            Verdict::Conflict | Verdict::Expired | Verdict::Unreadable => {
                refusal(&String::from_utf8_lossy(&method), &verdict)
            }
            // Nobody who only looks is told to run.
            Verdict::Running | Verdict::TooMany | Verdict::TimeUp | Verdict::Run => {
                in_doubt(error, PERHAPS_MADE_BEFORE)
            }
        };
        let result = Err(error.encode());
        self.deliver(CallAnswer { origin, result });
    }
}

pub(super) const PERHAPS_MADE_BEFORE: &str =
    "An earlier call with the same key may have been executed.";

const PERHAPS_BEGUN_BEFORE: &str = "When it was sent before, it may have been.";

/// The same refusal, where nobody may say that nothing has happened.
pub(super) fn in_doubt(error: ErrorAnswer, why: &str) -> ErrorAnswer {
    let message = format!("{} {why}", error.message);
    ErrorAnswer { message, ..error }.with_outcome(Outcome::Unknown)
}
