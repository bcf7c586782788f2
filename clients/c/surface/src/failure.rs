//! An error as a program reads it: a number, a name, what is known of the effect, a sentence.

use std::{
    borrow::Cow,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use standin_client::{CallError, ConnectError, ErrorAnswer, ErrorCode, OpenError, Outcome};

use crate::code::Code;

/// What a function gives back: a code that is no error, or an error.
pub(crate) type Answer = Result<Code, Failure>;

/// An error.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// What the function returns.
    pub(crate) code: Code,
    pub(crate) number: i32,
    pub(crate) name: Cow<'static, str>,
    pub(crate) outcome: Outcome,
    pub(crate) message: String,
    pub(crate) retry_after_ms: Option<u64>,
    /// As MessagePack.
    pub(crate) data: Option<Bytes>,
}

impl Failure {
    /// One of the library's own, as long as nothing else is known: nothing has happened but this.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            number: code.number(),
            name: Cow::Borrowed(code.name()),
            outcome: Outcome::NotExecuted,
            message: message.into(),
            retry_after_ms: None,
            data: None,
        }
    }

    /// It is about a call of which this is known; `None`: it was not sent.
    pub(crate) fn known_as(mut self, outcome: Option<Outcome>) -> Self {
        self.outcome = outcome.unwrap_or(self.outcome);
        self
    }

    fn named(mut self, name: &'static str) -> Self {
        self.name = Cow::Borrowed(name);
        self
    }

    fn of_service(answer: &ErrorAnswer) -> Self {
        Self {
            code: Code::Failed,
            number: i32::try_from(answer.number).unwrap_or(i32::MAX),
            name: answer.code.clone(),
            outcome: answer.outcome,
            message: answer.message.clone(),
            retry_after_ms: answer.retry_after_ms,
            data: answer.data.clone(),
        }
    }

    /// Why a call has no result.
    pub(crate) fn of_call(error: &CallError) -> Self {
        if let CallError::Service(answer) = error {
            return Self::of_service(answer);
        }
        let service = error.code().and_then(ErrorCode::from_name);
        let number = service.map(|code| i32::try_from(code.number()).unwrap_or(i32::MAX));
        let name = match error {
            CallError::Closed { .. } => "closed",
            CallError::NoAnswer { .. } => "no_answer",
            _ => "connection_lost",
        };
        Self {
            code: Code::Failed,
            number: number.unwrap_or(Code::Lost.number()),
            name: Cow::Borrowed(service.map_or(name, ErrorCode::name)),
            outcome: error.outcome(),
            message: sentence(&with_causes(error)),
            retry_after_ms: None,
            data: None,
        }
    }

    /// Why a call could not be sent.
    pub(crate) fn of_start(error: &CallError) -> Self {
        let failure = Self::of_call(error);
        let code = Code::Limit;
        Self {
            code,
            number: code.number(),
            ..failure
        }
    }

    /// Why there is no client.
    pub(crate) fn of_open(error: &OpenError) -> Self {
        if let OpenError::Hello(CallError::Service(answer)) = error {
            let mut failure = Self::of_service(answer);
            if answer.service_code() == Some(ErrorCode::AccessDenied) {
                failure.code = Code::Denied;
            }
            return failure;
        }
        let message = sentence(&with_causes(error));
        match error {
            OpenError::Connect(ConnectError::NotRunning { .. }) => {
                Self::new(Code::NotRunning, message)
            }
            OpenError::Connect(ConnectError::Denied { .. }) => Self::new(Code::Denied, message),
            OpenError::Connect(ConnectError::Busy { .. }) | OpenError::TurnedAway { .. } => {
                Self::new(Code::Busy, message)
            }
            OpenError::Silent { .. } => Self::new(Code::Busy, message).named("silent"),
            OpenError::Endpoint(_) => Self::new(Code::BadArgument, message),
            OpenError::Connect(ConnectError::Failed { .. })
            | OpenError::Hello(_)
            | OpenError::Runtime(_) => Self::new(Code::Lost, message).named("cannot_connect"),
        }
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

/// Fit for a message box: it begins with a capital, ends with a stop, and a hint is a sentence of its own.
fn sentence(text: &str) -> String {
    let (text, hint) = match text.split_once("\n(hint: ") {
        Some((text, rest)) => match rest.split_once(')') {
            Some((hint, cause)) => (format!("{text}{cause}"), Some(hint)),
            None => (text.to_owned(), Some(rest)),
        },
        None => (text.to_owned(), None),
    };
    let closed = |text: &str| {
        let mut letters = text.trim_end().chars();
        let first = letters.next().map(char::to_uppercase);
        let mut text: String = first.into_iter().flatten().chain(letters).collect();
        if !text.ends_with(['.', '!', '?']) {
            text.push('.');
        }
        text
    };
    let mut whole = closed(&text);
    if let Some(hint) = hint {
        whole.push(' ');
        whole.push_str(&closed(hint));
    }
    whole
}

/// The last error of a handle.
#[derive(Debug, Default)]
pub(crate) struct LastError(Mutex<Option<Failure>>);

impl LastError {
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn set(&self, failure: Failure) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
    }

    pub(crate) fn get(&self) -> Option<Failure> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_running_busy_and_denied_are_told_apart() {
        let endpoint = standin_client::Endpoint::default_for_user;
        let waited_ms = 5;
        for (error, code) in [
            (
                ConnectError::NotRunning {
                    endpoint: endpoint(),
                    waited_ms,
                },
                Code::NotRunning,
            ),
            (
                ConnectError::Busy {
                    endpoint: endpoint(),
                    waited_ms,
                },
                Code::Busy,
            ),
            (
                ConnectError::Denied {
                    endpoint: endpoint(),
                },
                Code::Denied,
            ),
        ] {
            let failure = Failure::of_open(&error.into());
            assert_eq!((failure.code, &*failure.name), (code, code.name()));
            assert_eq!(failure.outcome, Outcome::NotExecuted);
        }
    }

    #[test]
    fn a_message_is_made_of_whole_sentences() {
        for (text, whole) in [
            ("no luck", "No luck."),
            ("It went wrong.", "It went wrong."),
            ("", "."),
            (
                "no service at `x`\n(hint: start it): and why",
                "No service at `x`: and why. Start it.",
            ),
        ] {
            assert_eq!(sentence(text), whole);
        }
    }
}
