//! What the command line prints: results on standard output, errors on standard error. A reader who has gone away,
//! such as `head`, is no error.

use std::{
    error::Error,
    io::{self, Write},
};

use serde_json::{Value, json};
use standin_client::{CallError, ErrorAnswer};

use super::{CommandError, explain, value, value::Contents};
use crate::trouble;

/// How errors are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorFormat {
    /// Sentences.
    Text,
    /// One object on one line.
    Json,
}

pub(super) fn json(value: &Value) {
    line(&format!("{value:#}"));
}

pub(super) fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// A text with the end of its line, bytes exactly as they are.
pub(super) fn contents(contents: &Contents) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(&contents.bytes);
    if contents.is_text && !contents.bytes.ends_with(b"\n") {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}

pub(super) fn error(error: &CommandError, format: ErrorFormat) {
    let text = match format {
        ErrorFormat::Text => in_words(error),
        ErrorFormat::Json => in_json(error).to_string(),
    };
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// The error and its causes, its hint last; and what else is known if a call was made.
pub(super) fn in_words(error: &CommandError) -> String {
    let (message, hint) = message(error);
    let mut text = format!("error: {message}");
    match error {
        CommandError::Call(CallError::Service(answer)) => {
            text += &format!(
                "\ncode: {} ({}), outcome: {}",
                answer.code,
                answer.number,
                answer.outcome.name()
            );
            if let Some(retry_after_ms) = answer.retry_after_ms {
                text += &format!(", try again in {retry_after_ms} ms");
            }
            if let Some(hint) = explain::hint(answer) {
                text += &format!("\n{hint}");
            } else if let Some(data) = untold(answer) {
                text += &format!("\ndata: {data}");
            }
        }
        CommandError::Call(error) => text += &format!("\noutcome: {}", error.outcome().name()),
        _ => {}
    }
    if let Some(hint) = hint {
        text += &format!("\n{hint}");
    }
    text
}

/// The data of an error, unless its message has told them already.
fn untold(answer: &ErrorAnswer) -> Option<Value> {
    let data = value::to_json(answer.data.as_ref()?);
    let told = trouble::reason(answer).map(|reason| json!({ "reason": reason }));
    Some(data).filter(|data| Some(data) != told.as_ref())
}

fn in_json(error: &CommandError) -> Value {
    let (message, hint) = message(error);
    match error {
        CommandError::Call(CallError::Service(answer)) => json!({
            "message": message,
            "number": answer.number,
            "code": answer.code,
            "outcome": answer.outcome.name(),
            "retry_after_ms": answer.retry_after_ms,
            "data": answer.data.as_ref().map(|data| value::to_json(data)),
        }),
        CommandError::Call(error) => {
            json!({ "message": message, "code": error.code(), "outcome": error.outcome().name() })
        }
        // Nothing was sent, so nothing was executed.
        _ => json!({ "message": message, "outcome": "not_executed", "hint": hint }),
    }
}

/// The words of an error and of its causes, and apart from them the hint that one of them ends with.
fn message(error: &CommandError) -> (String, Option<String>) {
    if let CommandError::Call(CallError::Service(answer)) = error {
        return (answer.message.clone(), None);
    }
    // These have a hint for every mistake, each where it belongs.
    if let CommandError::Config(_) = error
        && error.source().is_none()
    {
        return (error.to_string(), None);
    }
    let (mut words, mut hint) = (String::new(), None);
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        let (text, its_hint) = match text.split_once("\n(hint: ") {
            Some((text, its_hint)) => (text.to_owned(), Some(format!("(hint: {its_hint}"))),
            None => (text, None),
        };
        // Some errors quote their cause themselves.
        if !words.contains(&text) {
            words = if words.is_empty() {
                text
            } else {
                format!("{words}: {text}")
            };
        }
        hint = hint.or(its_hint);
        next = error.source();
    }
    (words, hint)
}

#[cfg(test)]
mod tests {
    use standin_client::ErrorCode;

    use super::*;

    #[test]
    fn an_error_answer_is_shown_with_its_code_its_outcome_and_when_to_try_again() {
        let answer = ErrorAnswer::new(
            ErrorCode::Overloaded,
            "Too many calls are waiting for \"builtin\".",
        )
        .with_retry_after_ms(250)
        .with_data(value::from_json(json!({ "queued": 1000 })));
        let error = CommandError::Call(CallError::Service(answer));
        insta::assert_snapshot!(in_words(&error), @r#"
        error: Too many calls are waiting for "builtin".
        code: overloaded (6), outcome: not_executed, try again in 250 ms
        data: {"queued":1000}
        "#);
        insta::assert_snapshot!(in_json(&error), @r#"{"message":"Too many calls are waiting for \"builtin\".","number":6,"code":"overloaded","outcome":"not_executed","retry_after_ms":250,"data":{"queued":1000}}"#);
    }

    #[test]
    fn what_the_message_has_told_is_not_shown_once_more_as_data() {
        let message = "\"reports.make\" is not available now: somebody has stopped \"reports\".";
        let reason = "somebody has stopped \"reports\"";
        let mut answer = trouble::unavailable(message.to_owned(), reason.to_owned());
        let shown = |answer: &ErrorAnswer| {
            in_words(&CommandError::Call(CallError::Service(answer.clone())))
        };
        insta::assert_snapshot!(shown(&answer), @r#"
        error: "reports.make" is not available now: somebody has stopped "reports".
        code: pool_unavailable (11), outcome: not_executed
        "#);
        answer.data = Some(value::from_json(json!({ "reason": reason, "more": 1 })));
        assert!(shown(&answer).contains("data: {"), "{}", shown(&answer));
    }

    #[test]
    fn a_cause_stands_behind_its_effect_and_the_hint_comes_last() {
        let endpoint = standin_client::Endpoint::default_for_user();
        let source = io::Error::other("the disk is on fire");
        let listen = standin_transport::ListenError::Bind { endpoint, source };
        let text = in_words(&CommandError::Serve(crate::service::ServeError::Listen(
            listen,
        )));
        assert!(text.ends_with(": the disk is on fire"), "{text}");
        let usage = CommandError::Usage("`x` is no argument\n(hint: write NAME=VALUE)".into());
        insta::assert_snapshot!(in_words(&usage), @r"
        error: `x` is no argument
        (hint: write NAME=VALUE)
        ");
    }
}
