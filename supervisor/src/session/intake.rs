//! What a client sends becomes calls.

use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use ractor::ActorRef;
use standin_core::{
    RequestId,
    session::{Admission, BatchItem, Origin},
};
use standin_protocol::{
    self as protocol, ErrorAnswer, ErrorCode, Message, Meta, Replay, Request, value,
};

use super::{SessionMessage, SessionState};
use crate::{
    call::{Call, CallStage},
    clock,
    directory::{Directory, PoolHandle, Route},
    pool::PoolMessage,
    pools::PoolsMessage,
};

/// The longest that a caller may ask for. A day is beyond any call that somebody waits for; what takes longer is a
/// job.
const TIMEOUT_MAX: Duration = Duration::from_secs(24 * 3600);

/// Calls in one batch.
const BATCH_CALLS_MAX: usize = 1000;

impl SessionState {
    pub(super) fn received(&mut self, myself: &ActorRef<SessionMessage>, message: Message) {
        match message {
            Message::Request(request) => self.request(myself, request),
            Message::Response(response) => self.callback_answered(response),
            // The service takes no notifications from clients; well-known clients announce themselves with one.
            Message::Notification(told) => {
                tracing::trace!(session = %self.caller.session, method = ?told.method, "a notification is passed over");
            }
            Message::WrongRequest { msgid, error } => self.refuse(msgid, &error),
        }
    }

    fn request(&mut self, myself: &ActorRef<SessionMessage>, request: Request) {
        match self.core.admit(request.msgid, 1) {
            Admission::New => {}
            Admission::Duplicate => {
                tracing::debug!(session = %self.caller.session, msgid = request.msgid, "a request came again while it is open");
                return;
            }
            Admission::TooMany => return self.refuse(request.msgid, &too_many()),
        }
        let is_own = [&b"standin."[..], b"pool.", b"job."]
            .iter()
            .any(|own| request.method.starts_with(own));
        if is_own {
            self.own_request(myself, request)
        } else {
            self.pool_request(request)
        }
    }

    fn pool_request(&mut self, request: Request) {
        let directory = Arc::clone(self.directory.get());
        let Some(route) = directory.routes.get(&request.method) else {
            if directory.is_settled() {
                self.refuse(request.msgid, &unknown_method(&directory, &request.method));
            } else if self.core.open_calls() + self.unlocated.len() >= self.environment.requests_max
            {
                self.refuse(request.msgid, &too_many());
            } else {
                self.wait_for_directory(request);
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
        match self.call(route, origin, method, params, meta.as_ref()) {
            Ok(call) => {
                self.core.open_call(msgid, Arc::clone(&call));
                self.outgoing(call);
            }
            Err(error) => self.refuse(msgid, &error),
        }
    }

    /// Keeps a request until every pool has said what it offers, or failed to.
    pub(super) fn wait_for_directory(&mut self, request: Request) {
        self.unlocated.push(request);
        let session = self.caller.actor.clone();
        let _ = self
            .environment
            .pools
            .cast(PoolsMessage::TellWhenSettled(session));
    }

    fn call(
        &self,
        route: &Route,
        origin: Origin,
        method: Bytes,
        params: Bytes,
        meta: Option<&Bytes>,
    ) -> Result<Arc<Call>, ErrorAnswer> {
        let invalid = |why: String| ErrorAnswer::new(ErrorCode::InvalidRequest, why);
        let meta = meta
            .map(Meta::decode)
            .transpose()
            .map_err(invalid)?
            .unwrap_or_default();
        if meta.key.is_some() {
            // Taking a key and not keeping its promise would be worse than refusing it.
            return Err(invalid(
                "Idempotency keys are not available in this version of Standin.".to_owned(),
            ));
        }
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
            deadline: clock::now() + timeout,
            attempt_timeout,
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

    /// The directory has changed: what could not be placed may be placed now.
    pub(super) fn locate_again(&mut self, myself: &ActorRef<SessionMessage>) {
        for request in std::mem::take(&mut self.unlocated) {
            self.request(myself, request);
        }
    }

    /// `standin.batch {calls: [[method, params, meta?], ...]}`.
    pub(super) fn batch(&mut self, msgid: u64, arguments: &[(Bytes, Bytes)]) {
        let invalid = |why: &str| ErrorAnswer::new(ErrorCode::InvalidParams, why);
        let calls = arguments.iter().find(|(name, _)| &name[..] == b"calls");
        let calls = calls.and_then(|(_, calls)| value::array_items(calls).ok());
        let Some(calls) = calls else {
            let why = "\"standin.batch\" wants {calls: [[method, parameters], ...]}.";
            return self.refuse(msgid, &invalid(why));
        };
        if calls.len() > BATCH_CALLS_MAX {
            let why = format!(
                "A batch may hold {BATCH_CALLS_MAX} calls; this one has {}.",
                calls.len()
            );
            return self.refuse(msgid, &invalid(&why));
        }
        if self.core.admit(msgid, calls.len()) == Admission::TooMany {
            return self.refuse(msgid, &too_many());
        }
        let items = calls.iter().enumerate().map(|(index, call)| {
            let origin = Origin::Item {
                msgid,
                index: index as u32,
            };
            match self.batch_item(origin, call) {
                Ok(call) => BatchItem::Open(call),
                Err(error) => BatchItem::Answered(Err(error.encode())),
            }
        });
        let items: Vec<_> = items.collect();
        for item in &items {
            if let BatchItem::Open(call) = item {
                self.outgoing(Arc::clone(call));
            }
        }
        self.core.open_batch(msgid, items);
        let finished = self.core.finish_batch(msgid);
        self.act_on_answer(finished, None);
    }

    fn batch_item(&mut self, origin: Origin, call: &Bytes) -> Result<Arc<Call>, ErrorAnswer> {
        let invalid = |why: &str| ErrorAnswer::new(ErrorCode::InvalidRequest, why);
        let shape =
            || invalid("A call of a batch is [method, parameters] or [method, parameters, meta].");
        let parts = value::array_items(call).map_err(|_| shape())?;
        let (method, params, meta) = match parts.as_slice() {
            [method, params] => (method, params, None),
            [method, params, meta] => (
                method,
                params,
                Some(meta).filter(|meta| meta[..] != protocol::NIL[..]),
            ),
            _ => return Err(shape()),
        };
        let method = value::read_bytes(method).ok_or_else(shape)?;
        let directory = Arc::clone(self.directory.get());
        let route = directory
            .routes
            .get(&method)
            .ok_or_else(|| unknown_method(&directory, &method))?;
        self.call(route, origin, method, params.clone(), meta)
    }
}

fn too_many() -> ErrorAnswer {
    let why = "This program has too many unanswered calls already. Please wait for some of them.";
    ErrorAnswer::new(ErrorCode::Overloaded, why).with_retry_after_ms(100)
}

fn unknown_method(directory: &Directory, method: &[u8]) -> ErrorAnswer {
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
