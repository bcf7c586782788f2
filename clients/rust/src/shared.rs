//! What a connection's clones share: the requests that wait, and the task that reads their answers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::Bytes;
use standin_protocol::{
    self as protocol, ErrorAnswer, ErrorCode, Limits, Message, Notification, Outcome, Request,
    value,
};
use standin_transport::{Connection, MessageReader, MessageWriter};
use tokio::sync::oneshot;

use crate::{
    CallError,
    callbacks::{Callback, Handler},
};

/// What happens to notifications of progress: the msgid of the call, and what the worker says.
pub(crate) type OnProgress = Arc<dyn Fn(u64, Bytes) + Send + Sync>;

/// An answer as it came: a result or an error place, both encoded; or what became of the connection.
pub(crate) type Answer = Result<Result<Bytes, Bytes>, CallError>;

struct Waiting {
    answer: oneshot::Sender<Answer>,
    /// The place of the request among all frames of the connection, from 1.
    frame: u64,
}

#[derive(Default)]
struct Open {
    waiting: HashMap<u64, Waiting>,
    last_msgid: u64,
    frames: u64,
    lost: bool,
    unknown_answers: u64,
}

pub(crate) struct Shared {
    writer: MessageWriter,
    open: Mutex<Open>,
    handler: Option<Handler>,
    on_progress: Option<OnProgress>,
}

impl Shared {
    pub(crate) fn new(
        writer: MessageWriter,
        handler: Option<Handler>,
        on_progress: Option<OnProgress>,
    ) -> Self {
        Self {
            writer,
            open: Mutex::default(),
            handler,
            on_progress,
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().expect("nobody panics while holding it")
    }

    /// Sends a request; its answer comes through the receiver.
    pub(crate) fn send(
        &self,
        method: &str,
        params: &Bytes,
        meta: &protocol::Meta,
    ) -> (u64, oneshot::Receiver<Answer>) {
        let (sender, receiver) = oneshot::channel();
        let mut open = self.open();
        open.last_msgid += 1;
        let msgid = open.last_msgid;
        if open.lost {
            let _ = sender.send(Err(CallError::ConnectionLost {
                outcome: Outcome::NotExecuted,
            }));
            return (msgid, receiver);
        }
        open.frames += 1;
        let frame = open.frames;
        open.waiting.insert(
            msgid,
            Waiting {
                answer: sender,
                frame,
            },
        );
        let write = |out: &mut Vec<u8>| out.extend_from_slice(&meta.encode());
        let meta: Option<protocol::WriteMeta<'_>> =
            if meta.is_empty() { None } else { Some(&write) };
        // Under the lock, so that frames are counted in the order in which they are written.
        self.writer
            .send(protocol::request(msgid, method.as_bytes(), params, meta));
        (msgid, receiver)
    }

    /// Nobody waits for this one any more.
    pub(crate) fn forget(&self, msgid: u64) {
        self.open().waiting.remove(&msgid);
    }

    pub(crate) fn unknown_answers(&self) -> u64 {
        self.open().unknown_answers
    }

    fn respond(&self, msgid: u64, result: &Result<Bytes, ErrorAnswer>) {
        let mut open = self.open();
        open.frames += 1;
        self.writer.send(match result {
            Ok(result) => protocol::response_ok(msgid, result),
            Err(error) => protocol::response_error(msgid, &error.encode()),
        });
    }

    fn answered(&self, msgid: u64, result: Result<Bytes, Bytes>) {
        let mut open = self.open();
        match open.waiting.remove(&msgid) {
            Some(waiting) => drop(waiting.answer.send(Ok(result))),
            // Forgotten since, or never asked: dropped and counted.
            None => open.unknown_answers += 1,
        }
    }

    /// The connection has ended: everybody who waits is told what is known.
    fn lost(&self) {
        let mut open = self.open();
        open.lost = true;
        let written = self.writer.frames_written();
        for (_, waiting) in open.waiting.drain() {
            let outcome = if waiting.frame > written {
                Outcome::NotExecuted
            } else {
                Outcome::Unknown
            };
            let _ = waiting
                .answer
                .send(Err(CallError::ConnectionLost { outcome }));
        }
    }

    fn asked(self: &Arc<Self>, request: Request) {
        let callback = Callback {
            method: String::from_utf8_lossy(&request.method).into_owned(),
            params: request.params,
        };
        let Some(handler) = self.handler.clone() else {
            let why = format!("This program offers no method \"{}\".", callback.method);
            self.respond(
                request.msgid,
                &Err(ErrorAnswer::new(ErrorCode::MethodNotFound, why)),
            );
            return;
        };
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let result = handler.answer(callback).await;
            shared.respond(request.msgid, &result);
        });
    }

    fn told(&self, told: &Notification) {
        if let Some(on_progress) = &self.on_progress
            && &told.method[..] == b"request.progress"
            && let Ok([msgid, what]) = value::array_items(&told.params).as_deref()
            && let Some(msgid) = value::read_unsigned(msgid)
        {
            on_progress(msgid, what.clone());
        }
    }
}

/// Reads until the connection ends. The client ends this task when it is dropped, which closes the connection.
pub(crate) async fn read(connection: Connection, shared: Arc<Shared>) {
    let mut reader = MessageReader::new(connection, Limits::default());
    let mut messages = Vec::new();
    while reader.read(&mut messages).await.is_ok() {
        for message in messages.drain(..) {
            match message {
                Message::Response(response) => shared.answered(response.msgid, response.result),
                Message::Request(request) => shared.asked(request),
                Message::Notification(told) => shared.told(&told),
                Message::WrongRequest { msgid, error } => shared.respond(msgid, &Err(error)),
            }
        }
    }
    shared.lost();
}
