//! The worker's side of its pipe: questions to the service and their answers, and the attempts that are running.
//!
//! It does not know what a handler is. The serving loop feeds it what the service says; contexts ask through it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::Bytes;
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, Frame, Outcome};
use standin_transport::MessageWriter;
use tokio::sync::oneshot;

use crate::attempt::Attempt;

type Answer = Result<Bytes, Bytes>;

/// When this much waits to be written, progress is no longer told: it is a hint, and the next one says more.
const PROGRESS_QUEUED_BYTES_MAX: usize = 256 * 1024;

/// What became of a wish to begin an attempt.
pub(crate) enum Begin {
    Begun,
    /// The same attempt came twice; it is answered once.
    RunsAlready,
    /// As many as there may be are running.
    Full,
}

#[derive(Default)]
struct Open {
    last_msgid: u64,
    questions: HashMap<u64, oneshot::Sender<Answer>>,
    attempts: HashMap<u64, Arc<Attempt>>,
    closed: bool,
}

pub(crate) struct Link {
    writer: MessageWriter,
    /// The largest message that the service takes, in bytes.
    message_size_max: usize,
    open: Mutex<Open>,
}

impl Link {
    pub(crate) fn new(writer: MessageWriter, message_size_max: usize) -> Self {
        Self {
            writer,
            message_size_max,
            open: Mutex::default(),
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().expect("nobody panics while holding it")
    }

    /// Tells something that may be left out.
    pub(crate) fn hint(&self, frame: Frame) {
        if self.writer.queued_bytes() < PROGRESS_QUEUED_BYTES_MAX {
            self.writer.send(frame);
        }
    }

    /// Asks the service and waits.
    pub(crate) async fn ask(&self, method: &str, params: &Bytes) -> Result<Bytes, ErrorAnswer> {
        let (sender, receiver) = oneshot::channel();
        let msgid = {
            let mut open = self.open();
            open.last_msgid += 1;
            let msgid = open.last_msgid;
            if !open.closed {
                open.questions.insert(msgid, sender);
            }
            msgid
        };
        self.writer
            .send(protocol::request(msgid, method.as_bytes(), params, None));
        match receiver.await {
            Ok(answer) => answer.map_err(|error| ErrorAnswer::decode(&error)),
            Err(_) => {
                let why = "The service is gone.";
                Err(ErrorAnswer::new(ErrorCode::Internal, why).with_outcome(Outcome::NotExecuted))
            }
        }
    }

    pub(crate) fn answered(&self, msgid: u64, answer: Answer) {
        if let Some(question) = self.open().questions.remove(&msgid) {
            let _ = question.send(answer);
        }
    }

    /// An attempt begins, if it may.
    pub(crate) fn begin(&self, attempt: &Arc<Attempt>, concurrency: usize) -> Begin {
        let mut open = self.open();
        if open.attempts.contains_key(&attempt.id) {
            return Begin::RunsAlready;
        }
        if open.attempts.len() >= concurrency {
            return Begin::Full;
        }
        open.attempts.insert(attempt.id, Arc::clone(attempt));
        Begin::Begun
    }

    /// The one answer to an attempt.
    pub(crate) fn finish(&self, attempt: u64, answer: &Result<Bytes, ErrorAnswer>) {
        self.open().attempts.remove(&attempt);
        let frame = match answer {
            Ok(result) => protocol::response_ok(attempt, result),
            Err(error) => protocol::response_error(attempt, &error.encode()),
        };
        let (length, limit) = (frame.len(), self.message_size_max);
        if length <= limit {
            return self.writer.send(frame);
        }
        // The service would have to close the pipe on such an answer, and this process with it.
        let why = format!(
            "The method ran, but its result of {length} bytes is larger than the {limit} bytes allowed."
        );
        let error =
            ErrorAnswer::new(ErrorCode::MessageTooLarge, why).with_outcome(Outcome::Executed);
        self.writer
            .send(protocol::response_error(attempt, &error.encode()));
    }

    /// Answers what never became an attempt.
    pub(crate) fn refuse(&self, msgid: u64, error: &ErrorAnswer) {
        self.writer
            .send(protocol::response_error(msgid, &error.encode()));
    }

    pub(crate) fn cancel(&self, attempt: u64) {
        if let Some(attempt) = self.open().attempts.get(&attempt) {
            attempt.cancel();
        }
    }

    pub(crate) fn running(&self) -> usize {
        self.open().attempts.len()
    }

    /// The service is gone: nobody is waiting for answers any more, and no question will get one.
    pub(crate) fn close(&self) {
        let mut open = self.open();
        open.closed = true;
        open.questions.clear();
        for attempt in open.attempts.values() {
            attempt.cancel();
        }
    }
}
