//! Failures as sentences for somebody who has only a message box, and what passes through from workers.

use bytes::Bytes;
use standin_core::pool::{EndRule, Failure};
use standin_protocol::{ErrorAnswer, ErrorCode, Outcome};

use super::records::Death;
use crate::{
    call::Call,
    story::told::reference,
    trouble::{self, Trouble},
};

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
    if failure.code == ErrorCode::PoolUnavailable {
        return unavailable(pool, &method, failure, last_lines);
    }
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
    with_retry_after(answer, failure)
}

fn unavailable(pool: &str, method: &str, failure: Failure, last_lines: &[String]) -> ErrorAnswer {
    let (why, last_lines) = match failure.rule {
        // Whatever its processes have printed is not why.
        EndRule::Paused => (stopped_by_somebody(pool), &[][..]),
        _ => (
            format!("the processes of \"{pool}\" do not start"),
            last_lines,
        ),
    };
    let message = format!(
        "\"{method}\" is not available now: {why}.{} {}",
        quoted(last_lines),
        outcome_sentence(failure.outcome)
    );
    let answer = trouble::unavailable(message, last_words(last_lines).unwrap_or(why));
    with_retry_after(answer.with_outcome(failure.outcome), failure)
}

fn with_retry_after(answer: ErrorAnswer, failure: Failure) -> ErrorAnswer {
    match failure.retry_after {
        Some(after) => answer.with_retry_after_ms(after.as_millis().max(1) as u64),
        None => answer,
    }
}

fn outcome_sentence(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::NotExecuted => "It was not executed.",
        Outcome::Executed => "It was executed.",
        Outcome::Unknown => "Whether it was executed is not known.",
    }
}

/// Why a pool's workers do not start, in one or two sentences.
pub(super) fn start_trouble(pool: &str, death: Option<&Death>, last_lines: &[String]) -> Trouble {
    let how = death.map_or_else(
        || "could not be started".to_owned(),
        |death| death.cause.to_string(),
    );
    let how = match how.starts_with("killed") {
        true => format!("was {how}"),
        false => how,
    };
    Trouble {
        sentence: format!("The process of \"{pool}\" {how}.{}", quoted(last_lines)),
        reason: last_words(last_lines)
            .unwrap_or_else(|| format!("the process of \"{pool}\" {how}")),
    }
}

/// Why nothing is known of a pool that somebody has stopped.
pub(super) fn stopped(pool: &str) -> Trouble {
    Trouble {
        sentence: format!("Somebody has stopped \"{pool}\"."),
        reason: stopped_by_somebody(pool),
    }
}

fn stopped_by_somebody(pool: &str) -> String {
    format!("somebody has stopped \"{pool}\"")
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

/// The last lines that a worker printed, as they fit into a message box. They tell more than how it ended.
fn last_words(last_lines: &[String]) -> Option<String> {
    const LINES_SHOWN: usize = 5;
    let from = last_lines.len().saturating_sub(LINES_SHOWN);
    let words = last_lines[from..].join(" | ");
    Some(words).filter(|words| !words.is_empty())
}

/// The same as a sentence behind others.
fn quoted(last_lines: &[String]) -> String {
    let Some(words) = last_words(last_lines) else {
        return String::new();
    };
    let end = if words.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!(" Its last words: {words}{end}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn refused(rule: EndRule, last_lines: &[&str]) -> ErrorAnswer {
        let failure = Failure {
            code: ErrorCode::PoolUnavailable,
            rule,
            outcome: Outcome::NotExecuted,
            cause: None,
            attempts: 0,
            retry_after: Some(Duration::from_secs(1)),
        };
        let lines: Vec<_> = last_lines.iter().map(|line| (*line).to_owned()).collect();
        let answer = unavailable("reports", "reports.make", failure, &lines);
        assert_eq!(answer.retry_after_ms, Some(1000));
        answer
    }

    #[test]
    fn why_a_pool_is_not_there_is_in_the_message_and_in_short_beside_it() {
        let told = |rule, lines: &[&str]| {
            let answer = refused(rule, lines);
            let reason = trouble::reason(&answer).expect("the service's own has one");
            format!("{}\n{reason}", answer.message)
        };
        let lines = ["Traceback:", "ImportError"];
        insta::assert_snapshot!(told(EndRule::NoWorkers, &lines), @r#"
        "reports.make" is not available now: the processes of "reports" do not start. Its last words: Traceback: | ImportError. It was not executed.
        Traceback: | ImportError
        "#);
        insta::assert_snapshot!(told(EndRule::NoWorkers, &[]), @r#"
        "reports.make" is not available now: the processes of "reports" do not start. It was not executed.
        the processes of "reports" do not start
        "#);
        // What they printed while they were there is not why they are gone.
        insta::assert_snapshot!(told(EndRule::Paused, &lines), @r#"
        "reports.make" is not available now: somebody has stopped "reports". It was not executed.
        somebody has stopped "reports"
        "#);
        let troubles = [
            start_trouble("reports", None, &["ImportError!".to_owned()]),
            start_trouble("reports", None, &[]),
            stopped("reports"),
        ];
        let told = troubles.map(|one| format!("{}\n{}", one.sentence, one.reason));
        insta::assert_snapshot!(told.join("\n"), @r#"
        The process of "reports" could not be started. Its last words: ImportError!
        ImportError!
        The process of "reports" could not be started.
        the process of "reports" could not be started
        Somebody has stopped "reports".
        somebody has stopped "reports"
        "#);
    }
}
