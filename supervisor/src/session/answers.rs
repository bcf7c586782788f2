//! What a client is owed, on its way out; and the end of the connection.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use ractor::ActorRef;
use standin_core::session::{AfterPoolLost, Answered, ItemResult, Keep, after_pool_lost};
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, WireError};

use super::{SessionMessage, SessionState, batch::encode_batch};
use crate::{
    call::{Call, CallAnswer},
    clock,
    pool::PoolMessage,
    store::Write,
    story::{How, Story, What, told::reference},
};

/// When this much waits for a client that does not read it, progress is left out: it is a hint, and the next one says
/// more.
const PROGRESS_UNREAD_BYTES_MAX: usize = 256 * 1024;

impl SessionState {
    /// Answers a request that was never opened.
    pub(super) fn refuse(&self, msgid: u64, error: &ErrorAnswer) {
        self.send(protocol::response_error(msgid, &error.encode()));
    }

    /// Says something to the client, if it is there. What it misses and needs it asks for when it is back.
    pub(super) fn send(&self, frame: protocol::Frame) {
        if let Some(link) = &self.link {
            link.send(frame);
        }
    }

    pub(super) fn respond(&self, msgid: u64, result: &Result<Bytes, Bytes>) {
        self.send(match result {
            Ok(result) => protocol::response_ok(msgid, result),
            Err(error) => protocol::response_error(msgid, error),
        });
    }

    /// Gives an answer to the client, or to the batch that it belongs to.
    pub(super) fn deliver(&mut self, answer: CallAnswer) {
        let CallAnswer { origin, result } = answer;
        let answered = self.core.answered(origin, || result.clone());
        self.act_on_answer(answered, Some(result));
    }

    pub(super) fn act_on_answer(&mut self, answered: Answered, result: Option<ItemResult>) {
        match answered {
            Answered::Send { msgid, keep } => {
                let result = result.expect("a single answer comes with its result");
                self.keep_and_respond(msgid, keep, &result);
            }
            Answered::SendBatch { msgid, keep, items } => {
                let limit = self.environment.limits.message_size_max;
                let result = Ok(encode_batch(&items, limit));
                self.keep_and_respond(msgid, keep, &result);
            }
            Answered::Kept | Answered::Nobody => {}
        }
    }

    fn keep_and_respond(&mut self, msgid: u64, keep: Option<Keep>, result: &ItemResult) {
        if let Some(keep) = keep
            && !self.core.keep(msgid, keep, result)
            && keep.recorded
            && let Some(session) = self.token
        {
            // It was acknowledged before it was answered, so nobody will do it again.
            let up_to = msgid;
            self.environment.store.post(Write::Acked { session, up_to });
        }
        self.respond(msgid, result);
    }

    /// Tells the client how a call is getting on; one that does not listen misses some of it.
    pub(super) fn progress(&self, msgid: u64, what: &Bytes) {
        self.caller.progress_taken(what);
        let unread = self.link.as_ref().map(super::link::Link::unread);
        if unread.is_none_or(|unread| unread > PROGRESS_UNREAD_BYTES_MAX) {
            return;
        }
        let mut params = BytesMut::with_capacity(16 + what.len());
        params.put_u8(0x92);
        params.extend_from_slice(&protocol::encode(&msgid));
        params.extend_from_slice(what);
        self.send(protocol::notification(
            b"request.progress",
            &params.freeze(),
        ));
    }

    /// The calls that a lost pool had are given to the one in its place, or answered.
    pub(super) fn pool_lost(&mut self, myself: &ActorRef<SessionMessage>, generation: u64) {
        let lost = self
            .core
            .calls()
            .filter(|call| call.pool.generation == generation);
        let lost: Vec<Arc<Call>> = lost.cloned().collect();
        let directory = Arc::clone(self.directory.get());
        for call in lost {
            let pool = directory.pool(&call.pool.name);
            if let Some(pool) = pool.filter(|_| call.waits_for_its_key()) {
                let again = Arc::new(call.for_another_pool(pool));
                self.core.replace_call(call.origin, again);
                continue;
            }
            let after = after_pool_lost(call.replay, call.stage.get());
            if after == AfterPoolLost::Resubmit
                && let Some(error) = call.taken_back_in_lost_pool()
            {
                let answer = CallAnswer {
                    origin: call.origin,
                    result: Err(error.with_data(reference(call.id)).encode()),
                };
                self.answered(myself, answer);
                continue;
            }
            let outcome = match after {
                AfterPoolLost::Leave => continue,
                AfterPoolLost::Fail(outcome) => outcome,
                AfterPoolLost::Resubmit => match pool {
                    Some(pool) => {
                        call.notes.add(clock::now(), What::PoolReplaced);
                        let again = Arc::new(call.for_another_pool(pool));
                        self.core.replace_call(call.origin, Arc::clone(&again));
                        self.outgoing(again);
                        continue;
                    }
                    None if self.wait_for_next_pool(myself, &call) => continue,
                    None => standin_protocol::Outcome::Unknown,
                },
            };
            if let Some(pool) = directory.pool(&call.pool.name) {
                let how = How::PoolLost { outcome };
                let story = Story::ended(&call, clock::now(), how);
                let _ = pool.actor.cast(PoolMessage::Remember(Box::new(story)));
            }
            let why = format!(
                "A fault inside Standin ended \"{}\" while it was running; the fault has been mended.",
                call.method_name()
            );
            let error = ErrorAnswer::new(ErrorCode::WorkerLost, why)
                .with_outcome(outcome)
                .with_data(reference(call.id));
            let answer = CallAnswer {
                origin: call.origin,
                result: Err(error.encode()),
            };
            self.answered(myself, answer);
        }
    }

    /// A last answer for a client whose stream is lost, as far as it can be told to what.
    pub(super) fn say_why(&self, error: &WireError) {
        let (code, msgid) = match error {
            WireError::TooLarge { msgid, .. } => (ErrorCode::MessageTooLarge, *msgid),
            _ => (ErrorCode::ParseError, None),
        };
        if let Some(msgid) = msgid {
            let why = format!("The call was not executed: {error}.");
            self.refuse(msgid, &ErrorAnswer::new(code, why));
        }
    }
}
