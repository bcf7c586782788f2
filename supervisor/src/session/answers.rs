//! What a client is owed, on its way out; and the end of the connection.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use ractor::ActorRef;
use rustc_hash::FxHashMap;
use standin_core::{
    RequestId,
    session::{AfterPoolLost, Answered, ItemResult, Stage, after_pool_lost},
};
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, WireError};

use super::{SessionMessage, SessionState, batch::encode_batch, reading::BrokenStream};
use crate::{
    call::{Call, CallAnswer, CallStage},
    directory::PoolHandle,
    pool::PoolMessage,
    sessions::SessionsMessage,
};

/// When this much waits for a client that does not read it, progress is left out: it is a hint, and the next one says
/// more.
const PROGRESS_UNREAD_BYTES_MAX: usize = 256 * 1024;

impl SessionState {
    /// Answers a request that was never opened.
    pub(super) fn refuse(&self, msgid: u64, error: &ErrorAnswer) {
        self.writer
            .send(protocol::response_error(msgid, &error.encode()));
    }

    pub(super) fn respond(&self, msgid: u64, result: &Result<Bytes, Bytes>) {
        self.writer.send(match result {
            Ok(result) => protocol::response_ok(msgid, result),
            Err(error) => protocol::response_error(msgid, error),
        });
    }

    pub(super) fn answered(&mut self, answer: CallAnswer) {
        let CallAnswer { origin, result } = answer;
        let answered = self.core.answered(origin, || result.clone());
        self.act_on_answer(answered, Some(result));
    }

    pub(super) fn act_on_answer(&mut self, answered: Answered, result: Option<ItemResult>) {
        match answered {
            Answered::Send { msgid } => {
                let result = result.expect("a single answer comes with its result");
                self.respond(msgid, &result);
            }
            Answered::SendBatch { msgid, items } => {
                let limit = self.environment.limits.message_size_max;
                self.respond(msgid, &Ok(encode_batch(&items, limit)));
            }
            Answered::Kept | Answered::Nobody => {}
        }
    }

    /// Tells the client how a call is getting on; one that does not listen misses some of it.
    pub(super) fn progress(&self, msgid: u64, what: &Bytes) {
        self.caller.progress_taken(what);
        if self.writer.queued_bytes() > PROGRESS_UNREAD_BYTES_MAX {
            return;
        }
        let mut params = BytesMut::with_capacity(16 + what.len());
        params.put_u8(0x92);
        params.extend_from_slice(&protocol::encode(&msgid));
        params.extend_from_slice(what);
        self.writer.send(protocol::notification(
            b"request.progress",
            &params.freeze(),
        ));
    }

    /// The calls that a lost pool had are given to the one in its place, or answered.
    pub(super) fn pool_lost(&mut self, generation: u64) {
        let lost = self
            .core
            .calls()
            .filter(|call| call.pool.generation == generation);
        let lost: Vec<Arc<Call>> = lost.cloned().collect();
        let directory = Arc::clone(self.directory.get());
        for call in lost {
            let outcome = match after_pool_lost(call.replay, call.stage.get()) {
                AfterPoolLost::Fail(outcome) => outcome,
                AfterPoolLost::Resubmit => match directory.pool(&call.pool.name) {
                    Some(pool) => {
                        let again = resubmitted(&call, pool);
                        self.core.replace_call(call.origin, Arc::clone(&again));
                        self.outgoing(again);
                        continue;
                    }
                    None => standin_protocol::Outcome::Unknown,
                },
            };
            let why = format!(
                "A fault inside Standin ended \"{}\" while it was running; the fault has been mended.",
                call.method_name()
            );
            let error = ErrorAnswer::new(ErrorCode::WorkerLost, why).with_outcome(outcome);
            self.answered(CallAnswer {
                origin: call.origin,
                result: Err(error.encode()),
            });
        }
    }

    pub(super) fn connection_ended(
        &mut self,
        myself: &ActorRef<SessionMessage>,
        why: Option<Box<BrokenStream>>,
    ) {
        let session = self.caller.session;
        match why.map(|why| *why) {
            None => tracing::debug!(%session, "the client has gone"),
            Some(BrokenStream::Broken(error)) => {
                tracing::debug!(%session, %error, "the connection to the client broke");
            }
            Some(BrokenStream::Wire(error)) => {
                tracing::warn!(%session, user = %self.caller.user, %error, "the client's stream is lost; it is disconnected");
                self.say_why(&error);
            }
        }
        let _ = self.sessions.cast(SessionsMessage::Ended(session));
        myself.stop(None);
    }

    /// Tells the pools that nobody waits for this session's calls, and the workers that nobody answers their callbacks.
    pub(super) fn let_go(&mut self) {
        let mut abandoned: FxHashMap<u64, (Arc<PoolHandle>, Vec<RequestId>)> = FxHashMap::default();
        for call in self.core.calls() {
            let entry = abandoned.entry(call.pool.generation);
            let entry = entry.or_insert_with(|| (Arc::clone(&call.pool), Vec::new()));
            entry.1.push(call.id);
        }
        for (pool, requests) in abandoned.into_values() {
            let _ = pool.actor.cast(PoolMessage::Abandon(requests));
        }
        for callback in self.callbacks.close() {
            callback.fail("The program that made the call has gone.");
        }
    }

    /// A last answer for a client whose stream is lost, as far as it can be told to what.
    fn say_why(&self, error: &WireError) {
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

/// The same call for another pool. Its name stays, so that the log tells one story.
fn resubmitted(call: &Call, pool: &Arc<PoolHandle>) -> Arc<Call> {
    Arc::new(Call {
        id: call.id,
        origin: call.origin,
        caller: Arc::clone(&call.caller),
        pool: Arc::clone(pool),
        method: call.method.clone(),
        params: call.params.clone(),
        replay: call.replay,
        deadline: call.deadline,
        attempt_timeout: call.attempt_timeout,
        begun_before: call.begun_before || call.stage.get() != Stage::Waiting,
        stage: CallStage::default(),
    })
}
