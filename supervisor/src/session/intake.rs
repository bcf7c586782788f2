//! What a client sends becomes calls.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;
use ractor::ActorRef;
use standin_core::{
    RequestId,
    session::{Admission, Found, ItemResult, Keep, NumberReused, Origin},
};
use standin_protocol::{
    ErrorAnswer, ErrorCode, Message, Meta, Notification, Outcome, Replay, Request, value,
};

use super::{SessionMessage, SessionState, access::not_for_nobody};
use crate::{
    call::{Call, CallRecord, CallStage},
    clock,
    directory::{Directory, Located, PoolHandle, Route, Seeker},
    pool::PoolMessage,
    store::Fingerprint,
    story::Notes,
    trouble::{self, Trouble},
};

/// The longest that a caller may ask for. A day is beyond any call that somebody waits for; what takes longer is a
/// job.
pub(crate) const TIMEOUT_MAX: Duration = Duration::from_secs(24 * 3600);

impl SessionState {
    /// The client sent these. What comes over a connection that another has replaced is passed over: its client sends
    /// it again over the new one.
    pub(super) fn received(
        &mut self,
        myself: &ActorRef<SessionMessage>,
        epoch: u64,
        messages: Vec<Message>,
    ) {
        if !self.core.hears(epoch) {
            return;
        }
        for message in messages {
            self.message(myself, message);
            // It has said goodbye.
            if self.link.is_none() {
                return;
            }
        }
        if let Some(link) = &self.link {
            link.handled();
        }
    }

    fn message(&mut self, myself: &ActorRef<SessionMessage>, message: Message) {
        match message {
            Message::Request(request) => self.request(myself, request, None),
            Message::Response(response) => self.callback_answered(response),
            Message::Notification(told) => self.told(&told),
            Message::WrongRequest { msgid, error } => self.refuse(msgid, &error),
        }
    }

    fn told(&mut self, told: &Notification) {
        let first = value::array_items(&told.params).unwrap_or_default();
        let first = first.first().and_then(|first| value::read_unsigned(first));
        match (&told.method[..], first) {
            (b"standin.ack", Some(up_to)) => self.acknowledged(up_to),
            (b"standin.goodbye", _) => self.goodbye(),
            // Well-known clients announce themselves with one.
            _ => {
                tracing::trace!(session = %self.caller.session, method = ?told.method, "a notification is passed over");
            }
        }
    }

    /// Takes a request. `since`: when it came, if that was not just now.
    pub(super) fn request(
        &mut self,
        myself: &ActorRef<SessionMessage>,
        request: Request,
        since: Option<Instant>,
    ) {
        match self.again_unlocated(&request) {
            None => {}
            Some(Ok(())) => {
                tracing::debug!(session = %self.caller.session, msgid = request.msgid, "a request came again while it waits for the directory");
                return;
            }
            Some(Err(NumberReused)) => {
                let error = reused(request.msgid);
                return self.turn_away_unseen(&request, error);
            }
        }
        let is_own = is_own(&request.method);
        let is_kept = !is_own || &request.method[..] == b"standin.batch";
        let fingerprint = (is_kept && self.core.is_resumable())
            .then(|| Fingerprint::of(&request.method, &request.params));
        let admission = if is_kept {
            let fingerprint = fingerprint.map(Into::into);
            self.core.admit(request.msgid, 1, fingerprint)
        } else {
            self.core.admit_own(request.msgid)
        };
        let msgid = request.msgid;
        match admission {
            Admission::New => {}
            Admission::Duplicate => {
                tracing::debug!(session = %self.caller.session, msgid, "a request came again while it is open");
                return;
            }
            Admission::Again(result) => {
                tracing::debug!(session = %self.caller.session, msgid, "a request came again and is answered again");
                return self.respond(msgid, &result);
            }
            Admission::Acknowledged => return self.refuse(msgid, &acknowledged(msgid)),
            Admission::Reused => return self.turn_away_unseen(&request, reused(msgid)),
            Admission::BegunBefore => {
                let keep = Keep::of_begun_before(fingerprint.map(Into::into));
                let result = Err(self.interrupted(Origin::Request { msgid }, &request.method));
                self.core.keep(msgid, keep, &result);
                return self.respond(msgid, &result);
            }
            // It makes room, or has to come first so that a client can have the answers that make room.
            Admission::TooMany
                if matches!(&request.method[..], b"standin.cancel" | b"standin.hello") => {}
            Admission::TooMany => return self.turn_away(&request, too_many()),
        }
        let meta = match read_meta(request.meta.as_ref()) {
            Ok(meta) => meta,
            Err(error) if is_kept => return self.refuse(msgid, &error),
            Err(_) => Meta::default(),
        };
        if let Some(up_to) = meta.ack {
            self.acknowledged(up_to);
        }
        if is_own {
            self.own_request(myself, request, &meta, fingerprint, since);
        } else {
            self.pool_request(request, &meta, fingerprint, since);
        }
    }

    fn pool_request(
        &mut self,
        request: Request,
        meta: &Meta,
        fingerprint: Option<Fingerprint>,
        since: Option<Instant>,
    ) {
        let msgid = request.msgid;
        let origin = Origin::Request { msgid };
        let directory = Arc::clone(self.directory.get());
        let located = directory.locate(self.seeker(), &request.method);
        let route = match located {
            Located::At(route) => route,
            Located::Denied(pool) => {
                let error = self.denied(pool);
                return self.turn_away(&request, error);
            }
            Located::NotYet(pool) => return self.wait_for_user_pool(pool, request, since),
            Located::Unknown => return self.unknown(request, since),
        };
        let params = request.params.clone();
        let call = match self.call(route, origin, params, meta, fingerprint, since) {
            Ok(call) => call,
            Err(error) => return self.turn_away(&request, error),
        };
        let keep = Self::keep_of(&call, fingerprint);
        if !self.core.has_room(msgid, keep) {
            return self.turn_away(&request, unacknowledged());
        }
        self.core.open_call(msgid, Arc::clone(&call), keep);
        self.start(call);
    }

    /// A request for a method that no pool has said to offer, or not yet.
    fn unknown(&mut self, request: Request, since: Option<Instant>) {
        let directory = Arc::clone(self.directory.get());
        if directory.is_settled(&self.caller.user) {
            let error = unknown_method(&directory, self.seeker(), &request.method);
            self.turn_away(&request, error);
        } else if self.core.open_calls() + self.unlocated.len() >= self.environment.requests_max {
            self.turn_away(&request, too_many());
        } else {
            self.wait_for_directory(request, since);
        }
    }

    /// The answer to a call of a batch that an earlier life of the service knew, if it did.
    pub(super) fn found(
        &self,
        origin: Origin,
        method: &[u8],
        fingerprint: impl FnOnce() -> Fingerprint,
    ) -> Option<ItemResult> {
        if !self.core.was_begun_before(origin.msgid()) {
            return None;
        }
        let found = self.core.found(origin, Some(fingerprint().into()))?;
        Some(match found {
            Ok(Found::Done(_, result)) => result.clone(),
            Ok(Found::Begun(_)) => Err(self.interrupted(origin, method)),
            Err(NumberReused) => Err(reused(origin.msgid()).encode()),
        })
    }

    /// `fingerprint`: of the call, where it is known already.
    pub(super) fn call(
        &self,
        route: &Route,
        origin: Origin,
        params: Bytes,
        meta: &Meta,
        fingerprint: Option<Fingerprint>,
        since: Option<Instant>,
    ) -> Result<Arc<Call>, ErrorAnswer> {
        if meta.key.is_some() && self.caller.is_nobody() {
            return Err(not_for_nobody("a key"));
        }
        let charge = self.charge(params.len())?;
        let pool = Arc::clone(&route.pool);
        let attempt_timeout = route.manifest.timeout_ms.map(Duration::from_millis);
        let usual = attempt_timeout.unwrap_or(pool.call_timeout) + pool.queue_wait;
        let timeout = meta
            .timeout_ms
            .map_or(usual, Duration::from_millis)
            .min(TIMEOUT_MAX);
        let replay = if meta.idempotent {
            Replay::Always
        } else {
            route.manifest.replay
        };
        let number = self.next_number();
        let came = since.unwrap_or_else(clock::now);
        let fingerprint = || fingerprint.unwrap_or_else(|| Fingerprint::of(&route.name, &params));
        let record = match &meta.key {
            Some(key) => Some(self.keyed_record(number, &route.name, fingerprint(), key)),
            None => self.record_of(origin, replay, fingerprint),
        };
        Ok(Arc::new(Call {
            id: RequestId(number),
            origin,
            caller: Arc::clone(&self.caller),
            pool,
            method: route.name.clone(),
            params,
            replay,
            deadline: came + timeout,
            attempt_timeout,
            begun_before: may_have_begun(meta, replay),
            taken_back: std::sync::atomic::AtomicBool::new(false),
            stage: CallStage::default(),
            record: record.map(CallRecord::of).unwrap_or_default(),
            notes: Notes::new(came),
            charge,
            job: None,
        }))
    }

    /// A number that nothing else of this service has.
    pub(super) fn next_number(&self) -> u64 {
        let last = &self.environment.last_request;
        last.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn outgoing(&mut self, call: Arc<Call>) {
        let same = |pool: &Arc<PoolHandle>| Arc::ptr_eq(pool, &call.pool);
        match self.outgoing.iter_mut().find(|(pool, _)| same(pool)) {
            Some((_, calls)) => calls.push(call),
            None => self.outgoing.push((Arc::clone(&call.pool), vec![call])),
        }
    }

    pub(super) fn submit_outgoing(&mut self) {
        for (pool, calls) in self.outgoing.drain(..) {
            // If its actor is gone, the news of that brings these calls back to life.
            let _ = pool.actor.cast(PoolMessage::Submit(calls));
        }
    }
}

/// Whether an earlier life of the service may have begun a call that is sent again. Of what must not run twice, and of
/// what has a key, that is on record.
pub(super) fn may_have_begun(meta: &Meta, replay: Replay) -> bool {
    meta.again && meta.key.is_none() && replay == Replay::Always
}

/// Whether a method is one of the service itself.
pub(super) fn is_own(method: &[u8]) -> bool {
    [&b"standin."[..], b"pool.", b"job."]
        .iter()
        .any(|own| method.starts_with(own))
}

/// What the caller wishes beside the call.
pub(super) fn read_meta(meta: Option<&Bytes>) -> Result<Meta, ErrorAnswer> {
    let invalid = |why: String| ErrorAnswer::new(ErrorCode::InvalidRequest, why);
    let meta = meta.map(Meta::decode).transpose().map_err(invalid)?;
    Ok(meta.unwrap_or_default())
}

pub(super) fn too_many() -> ErrorAnswer {
    let why = "This program has too many unanswered calls already. Please wait for some of them.";
    ErrorAnswer::new(ErrorCode::Overloaded, why).with_retry_after_ms(100)
}

pub(super) fn unacknowledged() -> ErrorAnswer {
    let why = "This program has not acknowledged the answers to too many calls. The call was not executed.";
    ErrorAnswer::new(ErrorCode::Overloaded, why).with_retry_after_ms(100)
}

fn acknowledged(msgid: u64) -> ErrorAnswer {
    let why = format!(
        "The answer to request {msgid} was acknowledged before, so it is no longer kept. Requests of a session are \
         numbered upwards."
    );
    ErrorAnswer::new(ErrorCode::InvalidRequest, why).with_outcome(Outcome::Unknown)
}

pub(super) fn reused(msgid: u64) -> ErrorAnswer {
    let why = format!(
        "The number {msgid} belongs to another request of this session. The call was not executed."
    );
    ErrorAnswer::new(ErrorCode::InvalidRequest, why)
}

pub(crate) fn unknown_method(
    directory: &Directory,
    seeker: Seeker<'_>,
    method: &[u8],
) -> ErrorAnswer {
    let method = String::from_utf8_lossy(method);
    // What the processes of others have printed is not for everybody.
    let pools = directory.unlearned.iter();
    let troubles: Vec<&Trouble> = pools
        .filter(|pool| seeker.may_use(&pool.access) && pool.is_met_by(seeker.user))
        .filter_map(|pool| pool.trouble.as_ref())
        .collect();
    if troubles.is_empty() {
        let why = format!(
            "There is no method \"{method}\" here. \"standin.methods\" lists what there is."
        );
        ErrorAnswer::new(ErrorCode::MethodNotFound, why)
    } else {
        // It may well be one of theirs.
        let sentences: Vec<&str> = troubles.iter().map(|one| &*one.sentence).collect();
        let reasons: Vec<&str> = troubles.iter().map(|one| &*one.reason).collect();
        let why = format!("\"{method}\" is not available now. {}", sentences.join(" "));
        trouble::unavailable(why, reasons.join("; ")).with_retry_after_ms(5000)
    }
}
