//! What the command line prints: results on standard output, errors on standard error.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what a command line is for"
)]

use std::error::Error;

use serde_json::Value;
use standin_client::CallError;

use super::{CommandError, MethodsOptions, call, value};

pub(super) fn json(value: &Value) {
    line(&serde_json::to_string_pretty(value).expect("a JSON value can be written"));
}

pub(super) fn line(text: &str) {
    println!("{text}");
}

/// An error, its causes, and for an answer of the service what else is known.
pub(super) fn error(error: &CommandError) {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let text = source.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = source.source();
    }
    if let CommandError::Call(CallError::Service(answer)) = error {
        eprintln!("error: {}", answer.message);
        let outcome = answer.outcome.name();
        let retry = answer
            .retry_after_ms
            .map(|ms| format!(", try again in {ms} ms"))
            .unwrap_or_default();
        eprintln!(
            "code: {} ({}), outcome: {outcome}{retry}",
            answer.code, answer.number
        );
    } else {
        eprintln!("error: {message}");
    }
}

/// `standin methods`.
pub(super) fn methods(options: &MethodsOptions) -> Result<(), CommandError> {
    let client = call::connect(&options.service)?;
    if let Some(method) = &options.method {
        let arguments = std::collections::BTreeMap::from([("method", method)]);
        let described =
            client.send_raw(client.request("standin.describe").arguments(&arguments))?;
        json(&value::to_json(&described));
        return Ok(());
    }
    let listed = client.send_raw(client.request("standin.methods"))?;
    let listed = value::to_json(&listed);
    let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let lines = listed.as_array().map(Vec::as_slice).unwrap_or_default();
    let width = lines
        .iter()
        .map(|line| text(line, "name").len())
        .max()
        .unwrap_or(0);
    for method in lines {
        println!(
            "{:width$}  {:12}  {}",
            text(method, "name"),
            text(method, "replay"),
            text(method, "doc")
        );
    }
    Ok(())
}
