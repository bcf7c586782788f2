//! Workers ask the client: the question out, the answer back to the worker that asked.
//!
//! A list of questions goes out as one request where the client takes such; else one after the other, since a program
//! that serves what comes while it waits would answer the second inside of the first.

use std::sync::Arc;

use bytes::Bytes;
use standin_core::session::{ItemResult, Question, QuestionList, SessionCore};
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, Outcome, Response, value};
use standin_transport::MessageWriter;

use super::{SessionState, batch::encode_batch};
use crate::{
    call::Call,
    pool::{Asker, PoolMessage},
};

/// Callbacks that a client may have unanswered at a time; it serves them one inside the other.
pub(super) const CALLBACKS_MAX: usize = 256;

/// By this name a client is asked a whole list.
const LIST: &[u8] = b"client.batch";

/// What is said of a question whose call is over.
const ENDED: &str = "The call that this callback belongs to has ended.";

/// Where the answer to a callback goes.
#[derive(Debug)]
pub(crate) struct CallbackReply {
    worker: MessageWriter,
    asker: Asker,
    /// The call in whose course it is asked.
    call: Arc<Call>,
}

impl CallbackReply {
    pub(crate) fn new(worker: MessageWriter, asker: Asker, call: Arc<Call>) -> Self {
        Self {
            worker,
            asker,
            call,
        }
    }

    fn answer(self, result: &Result<Bytes, Bytes>) {
        // Before the worker can ask again.
        let Asker {
            worker, attempt, ..
        } = self.asker;
        let answered = PoolMessage::ClientAnswered { worker, attempt };
        let _ = self.call.pool.actor.cast(answered);
        self.worker.send(match result {
            Ok(result) => protocol::response_ok(self.asker.msgid, result),
            Err(error) => protocol::response_error(self.asker.msgid, error),
        });
    }

    /// It was not asked.
    pub(crate) fn refuse(self, why: &str) {
        self.answer(&Err(failed(why, Outcome::NotExecuted)));
    }

    fn is_open(&self, core: &SessionCore<Arc<Call>>) -> bool {
        let mut same_number = core.calls_of(self.call.origin.msgid());
        same_number.any(|call| call.id == self.call.id)
    }
}

/// What a worker asks a client.
#[derive(Debug)]
pub(crate) struct Callback {
    pub(crate) reply: CallbackReply,
    pub(crate) asked: Asked,
}

/// One question or many.
#[derive(Debug)]
pub(crate) enum Asked {
    One(Question),
    List {
        /// As it came, which is how it goes to a client that takes lists.
        raw: Bytes,
        questions: Vec<Question>,
    },
}

/// A callback that is out.
#[derive(Debug)]
pub(super) struct Ticket {
    reply: CallbackReply,
    form: Form,
}

#[derive(Debug)]
enum Form {
    One,
    /// A list of so many in one request.
    Whole(usize),
    /// One of a list.
    OneOf(Box<QuestionList>),
}

impl Ticket {
    /// Nobody knows what became of what is out.
    fn fail(self, why: &str, message_size_max: usize) {
        let unknown = failed(why, Outcome::Unknown);
        match self.form {
            Form::One | Form::Whole(_) => self.reply.answer(&Err(unknown)),
            Form::OneOf(list) => {
                let never_asked = Err(failed(why, Outcome::NotExecuted));
                let answers = list.into_answers(Err(unknown), &never_asked);
                let answers = encode_batch(&answers, message_size_max);
                self.reply.answer(&Ok(answers));
            }
        }
    }
}

impl SessionState {
    pub(super) fn callback(&mut self, callback: Callback) {
        let Callback { reply, asked } = callback;
        if !self.serves_callbacks {
            let why =
                "The program that made the call takes no callbacks: its hello did not say so.";
            return reply.refuse(why);
        }
        if !reply.is_open(&self.core) {
            return reply.refuse(ENDED);
        }
        if self.link.is_none() || self.awaits_hello {
            // It has not been asked, so it can wait for a client that may come back.
            if self.token.is_some() && self.held.len() < CALLBACKS_MAX {
                return self.held.push(Callback { reply, asked });
            }
            let why = "The program that made the call is not connected at the moment.";
            return reply.refuse(why);
        }
        match asked {
            Asked::One(question) => self.ask(reply, Form::One, &question),
            Asked::List { questions, .. } if questions.is_empty() => {
                reply.answer(&Ok(encode_batch(&[], 0)));
            }
            Asked::List { raw, questions } if self.takes_lists => {
                let whole = Question {
                    method: Bytes::from_static(LIST),
                    params: raw,
                };
                self.ask(reply, Form::Whole(questions.len()), &whole);
            }
            Asked::List { questions, .. } => {
                self.ask_next(reply, Box::new(QuestionList::new(questions)));
            }
        }
    }

    /// The client has come back and is asked what it was not there for.
    pub(super) fn ask_held(&mut self) {
        for callback in std::mem::take(&mut self.held) {
            self.callback(callback);
        }
    }

    fn ask(&mut self, reply: CallbackReply, form: Form, question: &Question) {
        match self.callbacks.open(Ticket { reply, form }) {
            Ok(msgid) => {
                let Question { method, params } = question;
                self.send(protocol::request(msgid, method, params, None));
            }
            Err(Ticket { reply, form }) => {
                let why = "The program that made the call has too many callbacks unanswered.";
                let refused = failed(why, Outcome::NotExecuted);
                let answer = match form {
                    Form::One | Form::Whole(_) => Err(refused),
                    Form::OneOf(list) => {
                        let answers = list.into_answers(Err(refused.clone()), &Err(refused));
                        Ok(encode_batch(&answers, self.message_size_max()))
                    }
                };
                reply.answer(&answer);
            }
        }
    }

    /// Asks the next question of a list, or gives the worker its answers.
    fn ask_next(&mut self, reply: CallbackReply, mut list: Box<QuestionList>) {
        if let Some(question) = list.next_question() {
            return self.ask(reply, Form::OneOf(list), &question);
        }
        let ended = Err(failed(ENDED, Outcome::NotExecuted));
        let answers = list.into_answers(ended.clone(), &ended);
        reply.answer(&Ok(encode_batch(&answers, self.message_size_max())));
    }

    pub(super) fn callback_answered(&mut self, response: Response) {
        let Some(Ticket { reply, form }) = self.callbacks.answered(response.msgid) else {
            tracing::debug!(session = %self.caller.session, msgid = response.msgid, "an answer to nothing was dropped");
            return;
        };
        let result = response.result.map_err(of_the_client);
        match form {
            Form::One => reply.answer(&result),
            Form::Whole(count) => {
                let limit = self.message_size_max();
                let answers = result.and_then(|answers| {
                    let answers = pairs(&answers, count).ok_or_else(|| {
                        let why = format!(
                            "The program was asked {count} questions at once and did not give {count} answers."
                        );
                        failed(&why, Outcome::Unknown)
                    })?;
                    Ok(encode_batch(&answers, limit))
                });
                reply.answer(&answers);
            }
            Form::OneOf(mut list) => {
                list.answered(result);
                self.ask_next(reply, list);
            }
        }
    }

    /// What is asked in the course of a call that has ended: its worker need not wait for that.
    pub(super) fn close_ended_callbacks(&mut self) {
        if self.callbacks.is_empty() {
            return;
        }
        let Self {
            callbacks, core, ..
        } = self;
        let over = callbacks.close_those(|ticket| !ticket.reply.is_open(core));
        let limit = self.message_size_max();
        over.into_iter()
            .for_each(|ticket| ticket.fail(ENDED, limit));
    }

    /// The connection is gone by which they were asked.
    pub(super) fn fail_callbacks(&mut self, why: &str) {
        let limit = self.message_size_max();
        for ticket in self.callbacks.close() {
            ticket.fail(why, limit);
        }
    }

    /// Nobody will come back to be asked.
    pub(super) fn fail_held(&mut self, why: &str) {
        for callback in std::mem::take(&mut self.held) {
            callback.reply.refuse(why);
        }
    }

    fn message_size_max(&self) -> usize {
        self.environment.limits.message_size_max
    }
}

fn failed(why: &str, outcome: Outcome) -> Bytes {
    let error = ErrorAnswer::new(ErrorCode::CallbackFailed, why);
    error.with_outcome(outcome).encode()
}

/// The client's own error, as the worker gets it.
fn of_the_client(error: Bytes) -> Bytes {
    let theirs = ErrorAnswer::decode(&error);
    let ours = ErrorAnswer::new(ErrorCode::CallbackFailed, theirs.message);
    ours.with_data(error).encode()
}

/// `[[error, result], ...]`, so many of them.
fn pairs(answers: &Bytes, count: usize) -> Option<Vec<ItemResult>> {
    let items = value::array_items(answers).ok()?;
    let pair = |item: &Bytes| match value::array_items(item).ok()?.as_slice() {
        [error, result] if error[..] == protocol::NIL[..] => Some(Ok(result.clone())),
        [error, _] => Some(Err(of_the_client(error.clone()))),
        _ => None,
    };
    let answers: Vec<_> = items.iter().map(pair).collect::<Option<_>>()?;
    (answers.len() == count).then_some(answers)
}
