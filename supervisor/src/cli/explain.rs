//! `standin explain`: what happened to a call, for somebody who was woken up for it.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use standin_client::ErrorAnswer;

use super::{
    CommandError, client, jobs,
    options::ExplainOptions,
    output,
    table::{self, printable},
    time::{exact, span, utc},
    value,
};
use crate::clock;
use crate::story::told::{Reference, ToldAttempt, ToldRequest};

#[derive(Serialize)]
struct Arguments {
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msgid: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
    poisoned: bool,
    limit: u64,
}

/// The answer for a job.
#[derive(Deserialize)]
struct ToldJob {
    job: serde_json::Value,
    calls: Vec<ToldRequest>,
}

pub(super) fn run(options: &ExplainOptions) -> Result<(), CommandError> {
    let client = client::connect(&options.service)?;
    let arguments = Arguments {
        request: options.request,
        session: options.session,
        msgid: options.msgid,
        job: options.job.clone(),
        poisoned: options.poisoned,
        limit: options.limit,
    };
    let call = client.request("standin.explain").arguments(&arguments);
    if options.json {
        output::json(&value::to_json(&client.send_raw(call)?));
        return Ok(());
    }
    if options.job.is_some() {
        let told: ToldJob = client.send(call)?;
        output::line(of_job(&told, clock::unix_ms()).trim_end());
        return Ok(());
    }
    let told: Vec<ToldRequest> = client.send(call)?;
    let text = match &told[..] {
        [] => nothing(options),
        [_] if options.request.or(options.msgid).is_some() => in_full(&told),
        _ if options.poisoned => in_full(&told),
        _ => list(&told),
    };
    output::line(text.trim_end());
    Ok(())
}

/// How a job stands, and then its tries in the order of time.
fn of_job(told: &ToldJob, now: u64) -> String {
    let mut out = jobs::show(&told.job, now);
    for call in told.calls.iter().rev() {
        out += "\n";
        out += &story(call);
    }
    let attempts = told.job["attempts"].as_u64().unwrap_or(0);
    let left_out = attempts.saturating_sub(told.calls.len() as u64);
    if left_out > 0 {
        let _ = writeln!(
            out,
            "\nOf {left_out} of {attempts} tries nothing more is remembered: they are too long ago, were before the service was \
             last started, or wait for their pool."
        );
    }
    out
}

fn nothing(options: &ExplainOptions) -> String {
    match options.request {
        Some(request) => format!(
            "Nothing is known of request {request}: it is too long ago, was before the service was last started, is \
             somebody else's, or never was."
        ),
        None if options.poisoned => "No call has been poisoned lately.".to_owned(),
        None => "No call is remembered.".to_owned(),
    }
}

/// Where the story of the call that an error answers can be read.
pub(super) fn hint(answer: &ErrorAnswer) -> Option<String> {
    answer.service_code()?;
    let data = answer.data.as_ref()?;
    let Reference { request } = rmp_serde::from_slice(data).ok()?;
    Some(format!(
        "(hint: `standin explain {request}` tells what happened to it)"
    ))
}

/// One line a request.
fn list(told: &[ToldRequest]) -> String {
    let row = |told: &ToldRequest| {
        vec![
            told.request.to_string(),
            span(told.came_ms_ago),
            printable(&told.method),
            printable(&told.pool),
            printable(&told.user),
            exact(told.waited_us),
            told.ended_us.map_or_else(|| "-".to_owned(), exact),
            told.attempts.len().to_string(),
            ending(told),
        ]
    };
    let rows: Vec<_> = told.iter().map(row).collect();
    let headers = [
        "REQUEST", "AGO", "METHOD", "POOL", "USER", "WAITED", "TOOK", "ATTEMPTS", "END",
    ];
    let table = table::render(&headers, &rows, "");
    format!("{table}\nThe story of one: standin explain REQUEST")
}

/// How it stands or ended, in a few words.
fn ending(told: &ToldRequest) -> String {
    match (&told.code, &told.outcome) {
        (Some(code), Some(outcome)) => format!("{}, {outcome}", printable(code)),
        _ => told.state.clone(),
    }
}

fn in_full(told: &[ToldRequest]) -> String {
    let stories: Vec<String> = told.iter().map(story).collect();
    stories.join("\n")
}

/// What happened, line by line.
fn story(told: &ToldRequest) -> String {
    let mut out = format!(
        "request {}: {} ({}), {}\n",
        told.request,
        printable(&told.method),
        told.replay,
        told.state
    );
    let place = told
        .call
        .map_or_else(String::new, |call| format!("call {call} of "));
    let origin = match (&told.job, told.job_attempt) {
        (Some(job), Some(attempt)) => format!("try {attempt} of the job {}", printable(job)),
        _ => format!("{place}message {} of session {}", told.msgid, told.session),
    };
    let pool = match &*told.pool {
        "" => "no pool".to_owned(),
        pool => format!("the pool {}", printable(pool)),
    };
    let _ = writeln!(
        out,
        "  came {} ago, {}, as {origin}, user {}, to {pool}",
        span(told.came_ms_ago),
        utc(told.came_at_ms),
        printable(&told.user),
    );
    let mut events: Vec<(u64, String)> = Vec::new();
    for attempt in &told.attempts {
        events.extend(attempt_events(attempt));
    }
    let notes = told.notes.iter();
    events.extend(notes.map(|note| (note.at_us, printable(&note.text))));
    // In the order of time; what came together stays in the order in which it is told.
    events.sort_by_key(|(at, _)| *at);
    if let Some(ended_us) = told.ended_us {
        events.push((ended_us, end(told)));
    }
    let rows: Vec<_> = events
        .into_iter()
        .map(|(at, text)| vec![format!("+{}", exact(at)), text])
        .collect();
    out += &table::columns(rows.iter(), "  ");
    if told.ended_us.is_none() {
        let _ = writeln!(out, "  It has not ended.");
    }
    if let Some(params) = &told.params {
        out += &contents(params, told.params_size.unwrap_or(params.len()));
    }
    out
}

fn attempt_events(attempt: &ToldAttempt) -> Vec<(u64, String)> {
    let pid = attempt
        .pid
        .map_or_else(String::new, |pid| format!(", pid {pid}"));
    let mut events = vec![(
        attempt.began_us,
        format!("attempt {}: slot {}{pid}", attempt.number, attempt.slot),
    )];
    if let Some(granted_us) = attempt.effect_granted_us {
        events.push((granted_us, "its effect was granted".to_owned()));
    }
    if let Some(ended_us) = attempt.ended_us {
        if let Some(cause) = &attempt.cause {
            events.push((ended_us, format!("the worker died: {}", printable(cause))));
        }
        if let Some(rule) = &attempt.rule {
            events.push((ended_us, printable(rule)));
        }
    }
    events
}

/// The last line: how the caller was answered, and why if that has not been said.
fn end(told: &ToldRequest) -> String {
    let how = match &*told.state {
        "abandoned" => "nobody was answered".to_owned(),
        _ => match &told.code {
            Some(code) => format!("answered {}", printable(code)),
            None => "answered".to_owned(),
        },
    };
    let outcome = told.outcome.as_deref().unwrap_or("unknown");
    let said = told
        .attempts
        .last()
        .is_some_and(|attempt| attempt.rule == told.rule);
    match &told.rule {
        Some(rule) if !said => format!("{how}, outcome {outcome}: {}", printable(rule)),
        _ => format!("{how}, outcome {outcome}"),
    }
}

/// What was in a poisoned call.
fn contents(params: &[u8], size: usize) -> String {
    if params.len() < size {
        return format!("  It had {size} bytes of arguments; --json shows the first of them.\n");
    }
    format!("  Its arguments: {}\n", value::to_json(params))
}

#[cfg(test)]
mod tests;
