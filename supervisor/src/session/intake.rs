//! What a client sends becomes calls.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;
use ractor::ActorRef;
use standin_core::{
    RequestId,
    session::{Admission, Origin},
};
use standin_protocol::{ErrorAnswer, ErrorCode, Message, Meta, Replay, Request};

use super::{SessionMessage, SessionState};
use crate::{
    call::{Call, CallStage},
    clock,
    directory::{Directory, PoolHandle, Route},
    pool::PoolMessage,
};

/// The longest that a caller may ask for. A day is beyond any call that somebody waits for; what takes longer is a
/// job.
pub(super) const TIMEOUT_MAX: Duration = Duration::from_secs(24 * 3600);

impl SessionState {
    pub(super) fn received(&mut self, myself: &ActorRef<SessionMessage>, message: Message) {
        match message {
            Message::Request(request) => self.request(myself, request, None),
            Message::Response(response) => self.callback_answered(response),
            // The service takes no notifications from clients; well-known clients announce themselves with one.
            Message::Notification(told) => {
                tracing::trace!(session = %self.caller.session, method = ?told.method, "a notification is passed over");
            }
            Message::WrongRequest { msgid, error } => self.refuse(msgid, &error),
        }
    }

    /// Takes a request. `since`: when it came, if that was not just now.
    pub(super) fn request(
        &mut self,
        myself: &ActorRef<SessionMessage>,
        request: Request,
        since: Option<Instant>,
    ) {
        match self.core.admit(request.msgid, 1) {
            Admission::New => {}
            Admission::Duplicate => {
                tracing::debug!(session = %self.caller.session, msgid = request.msgid, "a request came again while it is open");
                return;
            }
            // It makes room.
            Admission::TooMany if &request.method[..] == b"standin.cancel" => {}
            Admission::TooMany => return self.refuse(request.msgid, &too_many()),
        }
        if is_own(&request.method) {
            self.own_request(myself, request, since);
        } else {
            self.pool_request(request, since);
        }
    }

    fn pool_request(&mut self, request: Request, since: Option<Instant>) {
        let directory = Arc::clone(self.directory.get());
        let Some(route) = directory.routes.get(&request.method) else {
            if directory.is_settled() {
                self.refuse(request.msgid, &unknown_method(&directory, &request.method));
            } else if self.core.open_calls() + self.unlocated.len() >= self.environment.requests_max
            {
                self.refuse(request.msgid, &too_many());
            } else {
                self.wait_for_directory(request, since);
            }
            return;
        };
        let msgid = request.msgid;
        let origin = Origin::Request { msgid };
        let Request {
            method,
            params,
            meta,
            ..
        } = request;
        let call = read_meta(meta.as_ref())
            .and_then(|meta| self.call(route, origin, method, params, &meta, since));
        match call {
            Ok(call) => {
                self.core.open_call(msgid, Arc::clone(&call));
                self.outgoing(call);
            }
            Err(error) => self.refuse(msgid, &error),
        }
    }

    pub(super) fn call(
        &self,
        route: &Route,
        origin: Origin,
        method: Bytes,
        params: Bytes,
        meta: &Meta,
        since: Option<Instant>,
    ) -> Result<Arc<Call>, ErrorAnswer> {
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
        let number = self
            .environment
            .last_request
            .fetch_add(1, Ordering::Relaxed)
            + 1;
        Ok(Arc::new(Call {
            id: RequestId(number),
            origin,
            caller: Arc::clone(&self.caller),
            pool,
            method,
            params,
            replay,
            deadline: since.unwrap_or_else(clock::now) + timeout,
            attempt_timeout,
            begun_before: false,
            stage: CallStage::default(),
        }))
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
    let meta = meta.unwrap_or_default();
    if meta.key.is_some() {
        // Taking a key and not keeping its promise would be worse than refusing it.
        let why = "Idempotency keys are not available in this version of Standin.";
        return Err(invalid(why.to_owned()));
    }
    Ok(meta)
}

pub(super) fn too_many() -> ErrorAnswer {
    let why = "This program has too many unanswered calls already. Please wait for some of them.";
    ErrorAnswer::new(ErrorCode::Overloaded, why).with_retry_after_ms(100)
}

pub(super) fn unknown_method(directory: &Directory, method: &[u8]) -> ErrorAnswer {
    let method = String::from_utf8_lossy(method);
    let troubles: Vec<&str> = directory
        .unlearned
        .iter()
        .filter_map(|pool| pool.trouble.as_deref())
        .collect();
    if troubles.is_empty() {
        let why = format!(
            "There is no method \"{method}\" here. \"standin.methods\" lists what there is."
        );
        ErrorAnswer::new(ErrorCode::MethodNotFound, why)
    } else {
        // It may well be one of theirs.
        let why = format!("\"{method}\" is not available now. {}", troubles.join(" "));
        ErrorAnswer::new(ErrorCode::PoolUnavailable, why).with_retry_after_ms(5000)
    }
}
