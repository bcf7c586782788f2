//! The error answer: `[number, message, {code, outcome, retry_after_ms?, data?}]`.

use std::borrow::Cow;

use bytes::Bytes;

use crate::{ErrorCode, WireError, decode::Reader, value};

/// What is known about the effect of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It certainly did not happen; asking again is safe.
    NotExecuted,
    /// It happened, or at least ran to its end.
    Executed,
    /// It may or may not have happened.
    Unknown,
}

impl Outcome {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::NotExecuted => "not_executed",
            Outcome::Executed => "executed",
            Outcome::Unknown => "unknown",
        }
    }

    /// The outcome of that name; an unknown word is an unknown outcome, which is the careful reading.
    #[must_use]
    pub fn from_name(name: &str) -> Outcome {
        match name {
            "not_executed" => Outcome::NotExecuted,
            "executed" => Outcome::Executed,
            _ => Outcome::Unknown,
        }
    }
}

/// An error as a client sees it. The message is one or two sentences fit for a message box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorAnswer {
    /// The number that `code` is the name of.
    pub number: u32,
    /// For a person.
    pub message: String,
    /// For a program: a name of [`ErrorCode`] or a worker's own.
    pub code: Cow<'static, str>,
    /// What is known about the effect.
    pub outcome: Outcome,
    /// When asking again makes sense.
    pub retry_after_ms: Option<u64>,
    /// Whatever else there is to know, as MessagePack.
    pub data: Option<Bytes>,
}

impl ErrorAnswer {
    /// How deep `data` may nest: half of the usual limit of a message, because the data may be a stranger's error as
    /// deep as a message allows, and the answer around it may stand in a batch or in yet another error.
    pub const DATA_DEPTH_MAX: usize = 32;

    /// An error of the service's own, with the outcome that its code usually has.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            number: code.number(),
            message: message.into(),
            code: Cow::Borrowed(code.name()),
            outcome: code.usual_outcome(),
            retry_after_ms: None,
            data: None,
        }
    }

    /// The same, with a more exact outcome.
    #[must_use]
    pub fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// The same, with a time after which asking again makes sense.
    #[must_use]
    pub fn with_retry_after_ms(mut self, retry_after_ms: u64) -> Self {
        self.retry_after_ms = Some(retry_after_ms);
        self
    }

    /// The same, with more to know, already encoded. What nests deeper than [`DATA_DEPTH_MAX`](Self::DATA_DEPTH_MAX)
    /// is left out: nobody could read the answer around it.
    #[must_use]
    pub fn with_data(mut self, data: Bytes) -> Self {
        self.data = Some(data).filter(|data| value::nests_at_most(data, Self::DATA_DEPTH_MAX));
        self
    }

    /// What a try of a job has done before it failed: `so_far` in the data. Whoever names it, and a time after which
    /// asking again makes sense, says that only the rest is to be tried again.
    #[must_use]
    pub fn so_far(&self) -> Option<Bytes> {
        let data = self
            .data
            .as_ref()
            .filter(|_| self.outcome == Outcome::Executed && self.retry_after_ms.is_some())?;
        let entries = value::map_entries(data).ok()?;
        let found = entries.into_iter().find(|(name, _)| name[..] == *b"so_far");
        found.map(|(_, so_far)| so_far)
    }

    /// Which of the service's codes it is, if it is one.
    #[must_use]
    pub fn service_code(&self) -> Option<ErrorCode> {
        ErrorCode::from_name(&self.code)
    }

    /// The bytes that go into the error place of a response.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::with_capacity(64 + self.message.len());
        let entries = 2 + u32::from(self.retry_after_ms.is_some()) + u32::from(self.data.is_some());
        let written = (|| {
            rmp::encode::write_array_len(&mut out, 3)?;
            rmp::encode::write_uint(&mut out, u64::from(self.number))?;
            rmp::encode::write_str(&mut out, &self.message)?;
            rmp::encode::write_map_len(&mut out, entries)?;
            rmp::encode::write_str(&mut out, "code")?;
            rmp::encode::write_str(&mut out, &self.code)?;
            rmp::encode::write_str(&mut out, "outcome")?;
            rmp::encode::write_str(&mut out, self.outcome.name())?;
            if let Some(retry_after_ms) = self.retry_after_ms {
                rmp::encode::write_str(&mut out, "retry_after_ms")?;
                rmp::encode::write_uint(&mut out, retry_after_ms)?;
            }
            if self.data.is_some() {
                rmp::encode::write_str(&mut out, "data")?;
            }
            Ok::<_, rmp::encode::ValueWriteError>(())
        })();
        written.expect("a Vec takes every byte");
        if let Some(data) = &self.data {
            out.extend_from_slice(data);
        }
        out.into()
    }

    /// Reads the error place of a response. Anything is understood as well as it can be: strange workers answer
    /// with a bare string, or with `[number, message]` alone, and their words must reach the caller all the same.
    #[must_use]
    pub fn decode(bytes: &Bytes) -> ErrorAnswer {
        Self::decode_strict(bytes).unwrap_or_else(|_| Self::decode_foreign(bytes))
    }

    /// Whether the bytes begin like a full error answer: an array of three whose last is a map. Such bytes pass
    /// through the service untouched.
    #[must_use]
    pub fn is_full(bytes: &Bytes) -> bool {
        Self::decode_strict(bytes).is_ok()
    }

    fn decode_strict(bytes: &Bytes) -> Result<ErrorAnswer, WireError> {
        let wrong = WireError::NotAMessage {
            reason: "no error answer",
        };
        let mut reader = Reader::new(bytes);
        if reader.array()? != 3 {
            return Err(wrong);
        }
        let number = u32::try_from(reader.unsigned()?).map_err(|_| wrong.clone())?;
        let message = String::from_utf8_lossy(reader.text()?).into_owned();
        let mut answer = ErrorAnswer {
            number,
            message,
            code: Cow::Borrowed(""),
            outcome: Outcome::Unknown,
            retry_after_ms: None,
            data: None,
        };
        for _ in 0..reader.map()? {
            match reader.text()? {
                b"code" => {
                    answer.code = Cow::Owned(String::from_utf8_lossy(reader.text()?).into_owned());
                }
                b"outcome" => {
                    answer.outcome =
                        Outcome::from_name(std::str::from_utf8(reader.text()?).unwrap_or(""));
                }
                b"retry_after_ms" => answer.retry_after_ms = Some(reader.unsigned()?),
                b"data" => answer.data = Some(bytes.slice_ref(reader.value()?)),
                _ => drop(reader.value()?),
            }
        }
        if answer.code.is_empty() {
            return Err(wrong);
        }
        Ok(answer)
    }

    fn decode_foreign(bytes: &Bytes) -> ErrorAnswer {
        let mut message = None;
        let mut reader = Reader::new(bytes);
        if let Ok(text) = reader.text() {
            message = Some(text);
        } else {
            let mut reader = Reader::new(bytes);
            if reader.array().is_ok_and(|length| length >= 2) && reader.value().is_ok() {
                message = reader.text().ok();
            }
        }
        let message = message.map_or_else(
            || "The answer was an error that has no words.".to_owned(),
            |text| String::from_utf8_lossy(text).into_owned(),
        );
        ErrorAnswer {
            number: FOREIGN_ERROR_NUMBER,
            message,
            code: Cow::Borrowed("worker_error"),
            outcome: Outcome::Executed,
            retry_after_ms: None,
            data: None,
        }
        .with_data(bytes.clone())
    }
}

/// The number of `worker_error`: an error of a worker that gave it no code of its own.
const FOREIGN_ERROR_NUMBER: u32 = 1000;

impl std::fmt::Display for ErrorAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for ErrorAnswer {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_answer_survives_the_wire() {
        let answer = ErrorAnswer::new(ErrorCode::Overloaded, "Too much is waiting.")
            .with_retry_after_ms(250)
            .with_data(Bytes::from_static(&[0x01]));
        assert_eq!(ErrorAnswer::decode(&answer.encode()), answer);
        assert!(ErrorAnswer::is_full(&answer.encode()));
    }

    #[test]
    fn the_words_of_a_strange_worker_reach_the_caller() {
        let bare = Bytes::from_static(b"\xa4boom");
        assert_eq!(ErrorAnswer::decode(&bare).message, "boom");
        let pair = Bytes::from_static(b"\x92\x00\xa4boom");
        assert_eq!(ErrorAnswer::decode(&pair).message, "boom");
        assert_eq!(ErrorAnswer::decode(&pair).code, "worker_error");
        assert!(!ErrorAnswer::is_full(&pair));
        let deep = Bytes::from([b"\x91".repeat(62).as_slice(), b"\x01"].concat());
        assert_eq!(ErrorAnswer::decode(&deep).data, None);
        let odd = Bytes::from_static(b"\xc3");
        assert!(ErrorAnswer::decode(&odd).message.contains("no words"));
    }
}
