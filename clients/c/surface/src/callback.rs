//! A question of a worker that the program answers while its own call runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use standin_client::{ErrorAnswer, ErrorCode, Outcome};
use tokio::sync::oneshot;

use crate::{
    client::Client,
    code::Code,
    failure::{Answer, Failure, LastError},
    handles::{Object, Table},
    inbox::Question,
    node::Built,
    view::View,
};

/// So many may be open, one within the other.
const DEPTH_MAX: usize = 16;

/// The number of an error that the program gives to a worker.
const PROGRAM_ERROR: u32 = 1000;

/// A question that was taken.
#[derive(Debug)]
pub(crate) struct Callback {
    handle: i64,
    client: Arc<Client>,
    last: LastError,
    asked: standin_client::Callback,
    arguments: Arc<View>,
    /// What was built of the answer, and whom it is for; `None`: it was answered.
    open: Mutex<Option<Answering>>,
}

/// An answer that is owed.
#[derive(Debug)]
pub(crate) struct Answering {
    pub(crate) result: Built,
    sender: oneshot::Sender<Result<Bytes, ErrorAnswer>>,
}

/// Gives the next question, or the innermost that is open.
pub(crate) fn next(table: &Table, client: &Arc<Client>) -> Result<Option<i64>, Failure> {
    let inbox = client.opened()?.inbox();
    let mut open = client.open_callbacks();
    let Some(question) = inbox.next_question() else {
        return Ok(open.last().copied());
    };
    if open.len() >= DEPTH_MAX {
        drop(open);
        let why =
            format!("This program answers {DEPTH_MAX} questions already, one within the other.");
        let error = ErrorAnswer::new(ErrorCode::CallbackFailed, why.clone());
        let _ = question
            .answer
            .send(Err(error.with_outcome(Outcome::NotExecuted)));
        client.opened()?.nudge();
        return Err(Failure::new(Code::TooDeep, why));
    }
    let handle = table.insert(|handle| {
        let callback = Callback::new(handle, Arc::clone(client), question);
        Object::Callback(Arc::new(callback))
    })?;
    open.push(handle);
    Ok(Some(handle))
}

impl Callback {
    fn new(handle: i64, client: Arc<Client>, question: Question) -> Self {
        let Question { asked, answer } = question;
        Self {
            handle,
            client,
            last: LastError::default(),
            arguments: Arc::new(View::of_params(asked.params.clone())),
            asked,
            open: Mutex::new(Some(Answering {
                result: Built::default(),
                sender: answer,
            })),
        }
    }

    pub(crate) fn last(&self) -> &LastError {
        &self.last
    }

    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    pub(crate) fn method(&self) -> &str {
        &self.asked.method
    }

    pub(crate) fn arguments(&self) -> &Arc<View> {
        &self.arguments
    }

    fn open(&self) -> MutexGuard<'_, Option<Answering>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the answer that is being built.
    pub(crate) fn build(
        &self,
        change: impl FnOnce(&mut Built) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match &mut *self.open() {
            Some(answering) => change(&mut answering.result),
            None => Err(answered()),
        }
    }

    /// Answers with what was built.
    pub(crate) fn answer(&self) -> Answer {
        let result = match &mut *self.open() {
            // What cannot be written can still be mended, so it stays open.
            Some(answering) => answering.result.encode()?,
            None => return Err(answered()),
        };
        self.give(Ok(result.into()))
    }

    /// Fails it.
    pub(crate) fn fail(&self, code: String, message: String) -> Answer {
        let error = ErrorAnswer {
            number: PROGRAM_ERROR,
            message,
            code: code.into(),
            outcome: Outcome::Executed,
            retry_after_ms: None,
            data: None,
        };
        self.give(Err(error))
    }

    fn give(&self, answer: Result<Bytes, ErrorAnswer>) -> Answer {
        let Answering { sender, .. } = self.open().take().ok_or_else(answered)?;
        self.is_over();
        let is_wanted = self.asked.is_open() && sender.send(answer).is_ok();
        self.client.opened()?.nudge();
        if is_wanted {
            Ok(Code::Ok)
        } else {
            let why = "The connection that this was asked by is gone, and nobody got the answer.";
            Err(Failure::new(Code::Lost, why))
        }
    }

    fn is_over(&self) {
        let mut open = self.client.open_callbacks();
        open.retain(|handle| *handle != self.handle);
    }

    /// Its handle is closed. Without an answer it has failed.
    pub(crate) fn close(&self) {
        self.is_over();
        if self.open().take().is_some()
            && let Ok(open) = self.client.opened()
        {
            open.nudge();
        }
    }
}

fn answered() -> Failure {
    Failure::new(Code::BadState, "The question was answered already.")
}
