//! What a connection's clones share: the requests that wait, and what becomes of what the service says.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, OnceLock},
};

use bytes::Bytes;
use standin_protocol::{
    self as protocol, ErrorAnswer, ErrorCode, Frame, Notification, Outcome, Request, value,
};
use standin_transport::MessageWriter;
use tokio::sync::oneshot;

use crate::{
    CallError, Client,
    callbacks::{Callback, Handler},
};

/// What happens to notifications of progress: the msgid of the call, and what the worker says.
pub(crate) type OnProgress = Arc<dyn Fn(u64, Bytes) + Send + Sync>;

/// An answer as it came: a result or an error place, both encoded; or what became of the connection.
pub(crate) type Answer = Result<Result<Bytes, Bytes>, CallError>;

struct Waiting {
    /// `None`: nobody waits any more, but the answer still belongs to something that was asked.
    answer: Option<oneshot::Sender<Answer>>,
    /// The place of the request among all frames of the connection, from 1.
    frame: u64,
}

struct Open {
    waiting: HashMap<u64, Waiting>,
    last_msgid: u64,
    frames: u64,
    unknown_answers: u64,
    /// `None`: the connection is lost.
    writer: Option<MessageWriter>,
}

pub(crate) struct Shared {
    open: Mutex<Open>,
    handler: Option<Handler>,
    on_progress: Option<OnProgress>,
    /// The largest message that the service takes, once it has said so.
    message_size_max: OnceLock<usize>,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The other end closed it: nothing that is not written by now will be.
    Closed,
    /// This end gives it up, and what is still queued may yet arrive.
    GivenUp,
}

impl Shared {
    pub(crate) fn new(
        writer: MessageWriter,
        handler: Option<Handler>,
        on_progress: Option<OnProgress>,
    ) -> Self {
        Self {
            open: Mutex::new(Open {
                waiting: HashMap::new(),
                last_msgid: 0,
                frames: 0,
                unknown_answers: 0,
                writer: Some(writer),
            }),
            handler,
            on_progress,
            message_size_max: OnceLock::new(),
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().expect("nobody panics while holding it")
    }

    pub(crate) fn limit_messages(&self, message_size_max: usize) {
        // A connection has one greeting.
        let _ = self.message_size_max.set(message_size_max);
    }

    /// Whether a message is no larger than the service takes. It would have to close the connection on a larger one,
    /// and every other open call would be lost with it.
    fn check_size(&self, frame: &Frame) -> Result<(), CallError> {
        match (frame.len(), self.message_size_max.get()) {
            (length, Some(&limit)) if length > limit => Err(CallError::TooLarge { length, limit }),
            _ => Ok(()),
        }
    }

    /// Sends a request; its answer comes through the receiver.
    pub(crate) fn send(
        &self,
        method: &str,
        params: &Bytes,
        meta: &protocol::Meta,
    ) -> Result<(u64, oneshot::Receiver<Answer>), CallError> {
        let (sender, receiver) = oneshot::channel();
        let write = |out: &mut Vec<u8>| out.extend_from_slice(&meta.encode());
        let meta: Option<protocol::WriteMeta<'_>> =
            if meta.is_empty() { None } else { Some(&write) };
        // Written under the lock, so that frames are counted in the order in which they go out.
        let mut open = self.open();
        let msgid = open.last_msgid + 1;
        let frame = protocol::request(msgid, method.as_bytes(), params, meta);
        self.check_size(&frame)?;
        open.last_msgid = msgid;
        if let Err(sender) = open.ask(msgid, frame, Some(sender)) {
            let outcome = Outcome::NotExecuted;
            let lost = Err(CallError::ConnectionLost { outcome });
            sender.map(|sender| sender.send(lost));
        }
        Ok((msgid, receiver))
    }

    /// Nobody waits for this one any more. If it is still open, the service is asked to take it back.
    pub(crate) fn give_up(&self, msgid: u64, take_back: bool) {
        let mut open = self.open();
        let Some(waiting) = open.waiting.get_mut(&msgid) else {
            return;
        };
        let was_waited_for = waiting.answer.take().is_some();
        if was_waited_for && take_back {
            let params = protocol::encode(&[std::collections::BTreeMap::from([("msgid", msgid)])]);
            open.last_msgid += 1;
            let number = open.last_msgid;
            let frame = protocol::request(number, b"standin.cancel", &params, None);
            // On a lost connection there is nothing to take back.
            let _ = open.ask(number, frame, None);
        }
    }

    pub(crate) fn unknown_answers(&self) -> u64 {
        self.open().unknown_answers
    }

    /// Answers the service's own question.
    pub(crate) fn respond(&self, msgid: u64, result: &Result<Bytes, ErrorAnswer>) {
        let mut frame = match result {
            Ok(result) => protocol::response_ok(msgid, result),
            Err(error) => protocol::response_error(msgid, &error.encode()),
        };
        if let Err(error) = self.check_size(&frame) {
            let error = ErrorAnswer::new(ErrorCode::MessageTooLarge, error.to_string());
            let error = error.with_outcome(Outcome::Executed);
            frame = protocol::response_error(msgid, &error.encode());
        }
        self.open().write(frame);
    }

    pub(crate) fn answered(&self, msgid: u64, result: Result<Bytes, Bytes>) {
        let mut open = self.open();
        match open.waiting.remove(&msgid) {
            Some(waiting) => drop(waiting.answer.map(|answer| answer.send(Ok(result)))),
            // Answered before, or never asked: dropped and counted.
            None => open.unknown_answers += 1,
        }
    }

    /// The connection has ended: everybody who waits is told what is known.
    pub(crate) fn lost(&self, ending: Ending) {
        let mut open = self.open();
        let Some(writer) = open.writer.take() else {
            return;
        };
        let given = match ending {
            Ending::Closed => writer.frames_given(),
            Ending::GivenUp => u64::MAX,
        };
        for (_, waiting) in open.waiting.drain() {
            let outcome = if waiting.frame > given {
                Outcome::NotExecuted
            } else {
                Outcome::Unknown
            };
            let lost = Err(CallError::ConnectionLost { outcome });
            waiting.answer.map(|answer| answer.send(lost));
        }
    }

    /// The service asks. `client` is handed to what answers, for calls of its own.
    pub(crate) fn asked(self: &Arc<Self>, client: Client, request: Request) {
        let method = String::from_utf8_lossy(&request.method).into_owned();
        let Some(handler) = self.handler.clone() else {
            let why = format!("This program offers no method \"{method}\".");
            let error = ErrorAnswer::new(ErrorCode::MethodNotFound, why);
            return self.respond(request.msgid, &Err(error));
        };
        let due = DueAnswer {
            shared: Arc::clone(self),
            msgid: request.msgid,
            answer: None,
        };
        tokio::spawn(async move {
            let callback = Callback::new(method, request.params, client);
            due.give(handler.answer(callback).await);
        });
    }

    pub(crate) fn told(&self, told: &Notification) {
        if let Some(on_progress) = &self.on_progress
            && &told.method[..] == b"request.progress"
            && let Ok([msgid, what]) = value::array_items(&told.params).as_deref()
            && let Some(msgid) = value::read_unsigned(msgid)
        {
            // A panic there has been shown already, and is no reason to lose the connection.
            let _ = catch_unwind(AssertUnwindSafe(|| on_progress(msgid, what.clone())));
        }
    }
}

impl Open {
    /// Puts a request on its way. `Err`: the connection is lost.
    fn ask(
        &mut self,
        msgid: u64,
        frame: Frame,
        answer: Option<oneshot::Sender<Answer>>,
    ) -> Result<(), Option<oneshot::Sender<Answer>>> {
        if self.writer.is_none() {
            return Err(answer);
        }
        self.write(frame);
        let frame = self.frames;
        self.waiting.insert(msgid, Waiting { answer, frame });
        Ok(())
    }

    fn write(&mut self, frame: Frame) {
        if let Some(writer) = &self.writer {
            self.frames += 1;
            writer.send(frame);
        }
    }
}

/// The answer that a callback is owed. It is given however the handler ends, a panic included: a worker waits for it.
struct DueAnswer {
    shared: Arc<Shared>,
    msgid: u64,
    answer: Option<Result<Bytes, ErrorAnswer>>,
}

impl DueAnswer {
    fn give(mut self, answer: Result<Bytes, ErrorAnswer>) {
        self.answer = Some(answer);
    }
}

impl Drop for DueAnswer {
    fn drop(&mut self) {
        let answer = self.answer.take().unwrap_or_else(|| {
            let why = "The program failed while it was answering.";
            Err(ErrorAnswer::new(ErrorCode::Internal, why))
        });
        self.shared.respond(self.msgid, &answer);
    }
}
