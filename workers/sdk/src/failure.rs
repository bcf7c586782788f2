//! A worker's own errors.

use std::borrow::Cow;

use standin_protocol::{ErrorAnswer, ErrorCode, Outcome};

/// An error that a method answers with. Numbers of workers begin at 1000; codes look like `smtp.rejected`; the message
/// is a sentence or two for a message box.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure(pub(crate) ErrorAnswer);

impl Failure {
    /// An error after which the outcome is known: what was asked ran to its end and failed.
    #[must_use]
    pub fn new(
        number: u32,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self(ErrorAnswer {
            number,
            message: message.into(),
            code: code.into(),
            outcome: Outcome::Executed,
            retry_after_ms: None,
            data: None,
        })
    }

    /// Arguments that do not fit; nothing was done.
    #[must_use]
    pub fn invalid_arguments(message: impl Into<String>) -> Self {
        Self(ErrorAnswer::new(ErrorCode::InvalidParams, message))
    }

    /// One of the service's own codes.
    #[must_use]
    pub fn service(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(ErrorAnswer::new(code, message))
    }

    /// The same with what is known about the effect.
    #[must_use]
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.0.outcome = outcome;
        self
    }

    /// The same with a time after which asking again makes sense.
    #[must_use]
    pub fn retry_after_ms(mut self, retry_after_ms: u64) -> Self {
        self.0.retry_after_ms = Some(retry_after_ms);
        self
    }

    /// The same with more to know.
    #[must_use]
    pub fn data<T: serde::Serialize + ?Sized>(mut self, data: &T) -> Self {
        self.0.data = Some(standin_protocol::encode(data));
        self
    }

    /// The answer as it will stand on the wire.
    #[must_use]
    pub fn answer(&self) -> &ErrorAnswer {
        &self.0
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failure {}
