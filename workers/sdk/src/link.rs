//! The worker's side of its pipe: questions to the service and their answers, and the attempts that are running.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};

use bytes::Bytes;
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, Frame, Outcome};
use standin_transport::MessageWriter;
use tokio::sync::{oneshot, watch};

type Answer = Result<Bytes, Bytes>;

#[derive(Default)]
struct Open {
    last_msgid: u64,
    questions: HashMap<u64, oneshot::Sender<Answer>>,
    /// Attempts that are running, each with what tells it that it is no longer wanted.
    attempts: HashMap<u64, watch::Sender<bool>>,
}

pub(crate) struct Link {
    writer: MessageWriter,
    open: Mutex<Open>,
}

impl Link {
    pub(crate) fn new(writer: MessageWriter) -> Self {
        Self {
            writer,
            open: Mutex::default(),
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().expect("nobody panics while holding it")
    }

    pub(crate) fn send(&self, frame: Frame) {
        self.writer.send(frame);
    }

    /// Asks the service and waits.
    pub(crate) async fn ask(&self, method: &str, params: &Bytes) -> Result<Bytes, ErrorAnswer> {
        let (sender, receiver) = oneshot::channel();
        let msgid = {
            let mut open = self.open();
            open.last_msgid += 1;
            let msgid = open.last_msgid;
            open.questions.insert(msgid, sender);
            msgid
        };
        self.send(protocol::request(msgid, method.as_bytes(), params, None));
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

    /// An attempt begins; the receiver turns true when it is no longer wanted.
    pub(crate) fn begin(&self, attempt: u64) -> watch::Receiver<bool> {
        let (sender, receiver) = watch::channel(false);
        self.open().attempts.insert(attempt, sender);
        receiver
    }

    pub(crate) fn finish(&self, attempt: u64, answer: &Result<Bytes, ErrorAnswer>) {
        self.open().attempts.remove(&attempt);
        self.send(match answer {
            Ok(result) => protocol::response_ok(attempt, result),
            Err(error) => protocol::response_error(attempt, &error.encode()),
        });
    }

    pub(crate) fn cancel(&self, attempt: u64) {
        if let Some(attempt) = self.open().attempts.get(&attempt) {
            let _ = attempt.send(true);
        }
    }

    pub(crate) fn running(&self) -> usize {
        self.open().attempts.len()
    }
}
