//! What has come for a program that it has not taken yet: questions of workers, progress, and which calls have ended.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use rustc_hash::FxHashMap;
use standin_client::{ErrorAnswer, ErrorCode};
use tokio::sync::{Notify, oneshot};

/// The service lets a client have 1024 calls open; what is told of more than that is of calls that are over.
const PROGRESS_MAX: usize = 2048;

/// Shared by a client and what is done on its behalf while it waits.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// Something in here has changed.
    pub(crate) changed: Notify,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    questions: VecDeque<Question>,
    /// By the number of the call.
    progress: FxHashMap<u64, Bytes>,
    /// Handles of calls that have ended, in this order.
    ended: VecDeque<i64>,
    /// How many calls run.
    running: usize,
}

/// A question that was not taken yet.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) asked: standin_client::Callback,
    pub(crate) answer: oneshot::Sender<Result<Bytes, ErrorAnswer>>,
}

impl Inbox {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker asks; the answer is the program's, whenever it has one.
    pub(crate) async fn ask(&self, asked: standin_client::Callback) -> Result<Bytes, ErrorAnswer> {
        let (sender, answer) = oneshot::channel();
        let question = Question {
            asked,
            answer: sender,
        };
        self.state().questions.push_back(question);
        self.changed.notify_waiters();
        answer.await.unwrap_or_else(|_| {
            let why = "The program gave no answer.";
            Err(ErrorAnswer::new(ErrorCode::CallbackFailed, why))
        })
    }

    /// The question that came first, if somebody still waits for its answer.
    pub(crate) fn next_question(&self) -> Option<Question> {
        let mut state = self.state();
        while let Some(question) = state.questions.pop_front() {
            if question.asked.is_open() {
                return Some(question);
            }
        }
        None
    }

    pub(crate) fn has_question(&self) -> bool {
        let mut state = self.state();
        state.questions.retain(|question| question.asked.is_open());
        !state.questions.is_empty()
    }

    /// Nobody will answer any more.
    pub(crate) fn drop_questions(&self) {
        let questions = std::mem::take(&mut self.state().questions);
        drop(questions);
    }

    pub(crate) fn progressed(&self, msgid: u64, what: Bytes) {
        let mut state = self.state();
        if state.progress.len() < PROGRESS_MAX || state.progress.contains_key(&msgid) {
            state.progress.insert(msgid, what);
        }
    }

    pub(crate) fn progress(&self, msgid: u64) -> Option<Bytes> {
        self.state().progress.get(&msgid).cloned()
    }

    pub(crate) fn forget_progress(&self, msgid: u64) {
        self.state().progress.remove(&msgid);
    }

    pub(crate) fn begun(&self) {
        self.state().running += 1;
    }

    /// A call has ended. `tell`: its handle, if somebody has to be told of it.
    pub(crate) fn ended(&self, msgid: u64, tell: Option<i64>) {
        let mut state = self.state();
        state.progress.remove(&msgid);
        state.ended.extend(tell);
        self.is_one_less(state);
    }

    /// Nobody wants to know how it ends.
    pub(crate) fn given_up(&self) {
        self.is_one_less(self.state());
    }

    fn is_one_less(&self, mut state: MutexGuard<'_, State>) {
        state.running = state.running.saturating_sub(1);
        drop(state);
        self.changed.notify_waiters();
    }

    /// The call that ended first of those that were not told.
    pub(crate) fn next_ended(&self) -> Option<i64> {
        self.state().ended.pop_front()
    }

    /// It was told.
    pub(crate) fn told(&self, handle: i64) {
        let mut state = self.state();
        // It is nearly always the only one.
        if let Some(place) = state.ended.iter().position(|ended| *ended == handle) {
            state.ended.remove(place);
        }
    }

    pub(crate) fn has_running(&self) -> bool {
        self.state().running > 0
    }
}
