//! Workers ask the client: the question out, the answer back to the worker that asked.

use bytes::Bytes;
use standin_core::RequestId;
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, Response};
use standin_transport::MessageWriter;

use super::SessionState;

/// Where the answer to a callback goes.
#[derive(Debug)]
pub(crate) struct CallbackReply {
    worker: MessageWriter,
    msgid: u64,
    /// The call in whose course it is asked.
    request: RequestId,
    /// That call's number at the client.
    origin: u64,
}

impl CallbackReply {
    pub(crate) fn new(worker: MessageWriter, msgid: u64, request: RequestId, origin: u64) -> Self {
        Self {
            worker,
            msgid,
            request,
            origin,
        }
    }

    fn answer(self, result: &Result<Bytes, Bytes>) {
        self.worker.send(match result {
            Ok(result) => protocol::response_ok(self.msgid, result),
            Err(error) => protocol::response_error(self.msgid, error),
        });
    }

    pub(crate) fn fail(self, why: &str) {
        let error = ErrorAnswer::new(ErrorCode::CallbackFailed, why);
        self.answer(&Err(error.encode()));
    }
}

/// What a worker asks a client.
#[derive(Debug)]
pub(crate) struct Callback {
    pub(crate) reply: CallbackReply,
    pub(crate) method: Bytes,
    pub(crate) params: Bytes,
}

impl SessionState {
    pub(super) fn callback(&mut self, asked: Callback) {
        let Callback {
            reply,
            method,
            params,
        } = asked;
        if !self.serves_callbacks {
            return reply.fail(
                "The program that made the call takes no callbacks: its hello did not say so.",
            );
        }
        let is_open =
            |core: &standin_core::session::SessionCore<std::sync::Arc<crate::call::Call>>,
             reply: &CallbackReply| {
                core.calls_of(reply.origin)
                    .any(|call| call.id == reply.request)
            };
        if !is_open(&self.core, &reply) {
            return reply.fail("The call that this callback belongs to has ended.");
        }
        if self.link.is_none() {
            return reply.fail("The program that made the call is not connected at the moment.");
        }
        // Room is made by forgetting those whose call has ended before their answer came.
        self.callbacks.forget(|reply| !is_open(&self.core, reply));
        match self.callbacks.open(reply) {
            Ok(msgid) => self.send(protocol::request(msgid, &method, &params, None)),
            Err(reply) => {
                reply.fail("The program that made the call has too many callbacks unanswered.")
            }
        }
    }

    pub(super) fn callback_answered(&mut self, response: Response) {
        match self.callbacks.answered(response.msgid) {
            Some(reply) => {
                let result = response.result.map_err(|error| {
                    let theirs = ErrorAnswer::decode(&error);
                    let ours = ErrorAnswer::new(ErrorCode::CallbackFailed, theirs.message);
                    ours.with_data(error).encode()
                });
                reply.answer(&result);
            }
            None => {
                tracing::debug!(session = %self.caller.session, msgid = response.msgid, "an answer to nothing was dropped");
            }
        }
    }
}
