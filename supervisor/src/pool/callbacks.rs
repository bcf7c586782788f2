//! A worker asks the program that made the call: one question, or a list of them. The question goes to the session, and
//! the session answers the worker by itself; here it is only known that somebody thinks.

use bytes::Bytes;
use ractor::ActorRef;
use standin_core::{AttemptId, WorkerId, pool::Event, session::Question};
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, value};

use super::{PoolMessage, PoolState};
use crate::session::{Asked, Callback, CallbackReply, SessionMessage};

/// Questions in one list.
const QUESTIONS_MAX: usize = 1000;

/// Who asks, in the course of what, and under which number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker {
    pub(crate) worker: WorkerId,
    pub(crate) attempt: AttemptId,
    pub(crate) msgid: u64,
}

impl PoolState {
    pub(super) fn callback(
        &mut self,
        myself: &ActorRef<PoolMessage>,
        asker: Asker,
        method: &[u8],
        arguments: &[Bytes],
    ) {
        let Asker {
            worker, attempt, ..
        } = asker;
        let asked = match method {
            b"client.call" => one(arguments),
            _ => list(arguments),
        };
        let asked = match asked {
            Ok(asked) => asked,
            Err(why) => return self.refuse_callback(asker, ErrorCode::InvalidParams, &why),
        };
        let call = self
            .core
            .request_of(attempt)
            .and_then(|request| self.core.payload(request));
        let is_its_own = self.core.worker_of(attempt) == Some(worker);
        let Some(call) = call.filter(|_| is_its_own).cloned() else {
            let why = "The call that this callback belongs to has ended.";
            return self.refuse_callback(asker, ErrorCode::CallbackFailed, why);
        };
        let Some(writer) = self.link(worker).and_then(|link| link.writer().cloned()) else {
            return;
        };
        self.handle(myself, Event::ClientAsked { worker, attempt }, None);
        let actor = call.caller.actor.clone();
        let reply = CallbackReply::new(writer, asker, call);
        let _ = actor.cast(SessionMessage::Callback(Box::new(Callback {
            reply,
            asked,
        })));
    }

    fn refuse_callback(&mut self, asker: Asker, code: ErrorCode, why: &str) {
        let error = ErrorAnswer::new(code, why).with_outcome(protocol::Outcome::NotExecuted);
        let frame = protocol::response_error(asker.msgid, &error.encode());
        self.send(asker.worker, frame);
    }
}

/// `[attempt, method, params]`.
fn one(arguments: &[Bytes]) -> Result<Asked, String> {
    let [_, method, params] = arguments else {
        return Err("A callback has an attempt, a method and its parameters.".to_owned());
    };
    let method = value::read_bytes(method).ok_or("The method of a callback is a text.")?;
    let params = params.clone();
    Ok(Asked::One(Question { method, params }))
}

/// `[attempt, [[method, params], ...]]`.
fn list(arguments: &[Bytes]) -> Result<Asked, String> {
    let shape =
        || "A batch of callbacks is an attempt and a list of [method, parameters].".to_owned();
    let [_, raw] = arguments else {
        return Err(shape());
    };
    let items = value::array_items(raw).map_err(|_| shape())?;
    if items.len() > QUESTIONS_MAX {
        return Err(format!(
            "A batch may hold {QUESTIONS_MAX} callbacks; this one has {}.",
            items.len()
        ));
    }
    let question = |item: &Bytes| match value::array_items(item).ok()?.as_slice() {
        [method, params] => Some(Question {
            method: value::read_bytes(method)?,
            params: params.clone(),
        }),
        _ => None,
    };
    let questions = items.iter().map(question).collect::<Option<_>>();
    Ok(Asked::List {
        raw: raw.clone(),
        questions: questions.ok_or_else(shape)?,
    })
}
