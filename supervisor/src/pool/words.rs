//! Failures as sentences for somebody who has only a message box, and what passes through from workers.

use bytes::Bytes;
use standin_core::pool::{EndRule, Failure};
use standin_protocol::{ErrorAnswer, ErrorCode, Outcome};

use super::records::Death;
use crate::{call::Call, story::told::reference};

/// A worker's own answer. Errors that already have the full shape, and all results, go on untouched.
pub(super) fn passed_on(result: Result<Bytes, Bytes>) -> Result<Bytes, Bytes> {
    result.map_err(|error| {
        if ErrorAnswer::is_full(&error) {
            error
        } else {
            ErrorAnswer::decode(&error).encode()
        }
    })
}

/// The answer to a call that no worker answered.
pub(super) fn error_answer(
    pool: &str,
    call: &Call,
    failure: Failure,
    last_lines: &[String],
) -> ErrorAnswer {
    let method = call.method_name();
    let death = failure.cause.map(|cause| cause.to_string());
    let death = death.as_deref().unwrap_or("lost");
    let message = match failure.code {
        ErrorCode::WorkerLost => format!(
            "The process that was working on \"{method}\" is gone: {death}. {}",
            outcome_sentence(failure.outcome)
        ),
        ErrorCode::Poisoned if failure.rule == EndRule::KnownDeadly => format!(
            "\"{method}\" with these arguments has ended one process after the other lately and is not tried again yet. {}",
            outcome_sentence(failure.outcome)
        ),
        ErrorCode::Poisoned if failure.rule == EndRule::DeadlyAgain => format!(
            "\"{method}\" with these arguments has ended one more process ({death}) and is not tried again for a while."
        ),
        ErrorCode::Poisoned => format!(
            "\"{method}\" with these arguments has ended {} processes one after the other (the last one: {death}) \
             and is not tried again.",
            failure.attempts
        ),
        ErrorCode::DeadlineExceeded if failure.attempts == 0 => {
            format!(
                "\"{method}\" was not begun in time: every process was busy. {}",
                outcome_sentence(failure.outcome)
            )
        }
        ErrorCode::DeadlineExceeded => {
            format!(
                "\"{method}\" took longer than it was given. {}",
                outcome_sentence(failure.outcome)
            )
        }
        ErrorCode::Cancelled => {
            format!(
                "\"{method}\" was cancelled. {}",
                outcome_sentence(failure.outcome)
            )
        }
        ErrorCode::Overloaded => format!(
            "\"{method}\" was refused: too many calls are waiting for \"{pool}\". {} Please try again in a moment.",
            outcome_sentence(failure.outcome)
        ),
        ErrorCode::ShuttingDown => {
            format!("Standin is stopping. {}", outcome_sentence(failure.outcome))
        }
        ErrorCode::PoolUnavailable if failure.rule == EndRule::Paused => format!(
            "\"{method}\" is not available now: somebody has stopped \"{pool}\". {}",
            outcome_sentence(failure.outcome)
        ),
        ErrorCode::PoolUnavailable => format!(
            "\"{method}\" is not available now: the processes of \"{pool}\" do not start.{} {}",
            quoted(last_lines),
            outcome_sentence(failure.outcome)
        ),
        other => format!(
            "\"{method}\" failed ({other}). {}",
            outcome_sentence(failure.outcome)
        ),
    };
    let mut answer = ErrorAnswer::new(failure.code, message).with_outcome(failure.outcome);
    if matches!(
        failure.code,
        ErrorCode::WorkerLost | ErrorCode::DeadlineExceeded | ErrorCode::Poisoned
    ) {
        answer = answer.with_data(reference(call.id));
    }
    if let Some(retry_after) = failure.retry_after {
        answer = answer.with_retry_after_ms(retry_after.as_millis().max(1) as u64);
    }
    answer
}

fn outcome_sentence(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::NotExecuted => "It was not executed.",
        Outcome::Executed => "It was executed.",
        Outcome::Unknown => "Whether it was executed is not known.",
    }
}

/// Why a pool's workers do not start, in one or two sentences.
pub(super) fn start_trouble(pool: &str, death: Option<&Death>, last_lines: &[String]) -> String {
    let how = death.map_or_else(
        || "could not be started".to_owned(),
        |death| death.cause.to_string(),
    );
    let how = match how.starts_with("killed") {
        true => format!("was {how}"),
        false => how,
    };
    format!("The process of \"{pool}\" {how}.{}", quoted(last_lines))
}

/// Why nothing is known of a pool that somebody has stopped.
pub(super) fn stopped(pool: &str) -> String {
    format!("Somebody has stopped \"{pool}\".")
}

/// Why an order cannot be followed.
pub(super) fn not_running(pool: &str, is_paused: bool) -> ErrorAnswer {
    if is_paused {
        let why = format!("\"{pool}\" has been stopped. pool.start starts it again.");
        ErrorAnswer::new(ErrorCode::PoolUnavailable, why)
    } else {
        ErrorAnswer::new(ErrorCode::ShuttingDown, format!("\"{pool}\" is stopping."))
    }
}

pub(super) fn start_failed(trouble: &str) -> ErrorAnswer {
    ErrorAnswer::new(ErrorCode::StartFailed, trouble)
}

/// The last lines that a worker printed, as they fit into a message box.
fn quoted(last_lines: &[String]) -> String {
    const LINES_SHOWN: usize = 5;
    if last_lines.is_empty() {
        return String::new();
    }
    let from = last_lines.len().saturating_sub(LINES_SHOWN);
    let words = last_lines[from..].join(" | ");
    let end = if words.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!(" Its last words: {words}{end}")
}
