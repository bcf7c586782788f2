//! `standin jobs`: what is done in the background, and what a person has to decide.

mod pages;

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::{
    CommandError, call, client,
    options::{JobsCommand, ServiceOptions, SubmitOptions},
    output,
    table::{self, printable},
    value,
};
use crate::clock;

/// As much of an error as a line of a list shows.
const ERROR_SHOWN: usize = 60;

pub(super) fn run(command: &JobsCommand) -> Result<(), CommandError> {
    match command {
        JobsCommand::List {
            state,
            limit,
            after,
            json,
            service,
        } => {
            let jobs = pages::ask(service, state.as_deref(), *limit, after.clone())?;
            match json {
                true => output::json(&jobs),
                false => output::line(list(&jobs, clock::unix_ms()).trim_end()),
            }
        }
        JobsCommand::Show {
            job,
            result,
            json,
            service,
        } => {
            if *result {
                output::json(&ask(service, "job.result", json!({ "job": job }))?);
                return Ok(());
            }
            let named = json!({ "job": job });
            let job = ask(service, "job.status", named.clone())?;
            if *json || job["state"] != "done" {
                tell(&job, *json);
                return Ok(());
            }
            // A mail may be done and yet not be with everybody.
            let result = ask(service, "job.result", named)?;
            let text = show(&job, clock::unix_ms()) + &rejected(&result) + &hint(&job);
            output::line(text.trim_end());
        }
        JobsCommand::Retry { job, json, service } => {
            tell(&ask(service, "job.retry", json!({ "job": job }))?, *json);
        }
        JobsCommand::Cancel { job, json, service } => {
            tell(&ask(service, "job.cancel", json!({ "job": job }))?, *json);
        }
        JobsCommand::Submit(options) => submit(options)?,
    }
    Ok(())
}

fn ask(service: &ServiceOptions, method: &str, arguments: Value) -> Result<Value, CommandError> {
    let client = client::connect(service)?;
    let params = value::from_json(json!([arguments]));
    let call = client.request(method).raw_params(params);
    Ok(value::to_json(&client.send_raw(call)?))
}

fn submit(options: &SubmitOptions) -> Result<(), CommandError> {
    let params = call::arguments(&options.arguments, std::io::stdin)?;
    let mut arguments = Map::from_iter([
        ("method".to_owned(), json!(options.method)),
        ("params".to_owned(), params),
    ]);
    if let Some(key) = &options.key {
        arguments.insert("key".to_owned(), json!(key));
    }
    if let Some(after) = &options.after {
        let after = u64::try_from(after.0.as_millis()).unwrap_or(u64::MAX);
        let at = clock::unix_ms().saturating_add(after);
        arguments.insert("run_at".to_owned(), json!(at));
    }
    let client = client::connect(&options.service)?;
    let params = value::from_json(json!([arguments]));
    let call = client.request("job.submit").raw_params(params);
    let submitted = value::to_json(&client.send_raw(call)?);
    if !options.result {
        match submitted["job"].as_str() {
            Some(job) if !options.json => output::line(job),
            _ => output::json(&submitted),
        }
        return Ok(());
    }
    let job = json!([{ "job": submitted["job"] }]);
    let wait = client.request("job.wait");
    client.send_raw(wait.raw_params(value::from_json(job.clone())))?;
    let result = client.request("job.result");
    let result = client.send_raw(result.raw_params(value::from_json(job)))?;
    output::json(&value::to_json(&result));
    Ok(())
}

fn tell(job: &Value, as_json: bool) {
    match as_json {
        true => output::json(job),
        false => output::line((show(job, clock::unix_ms()) + &hint(job)).trim_end()),
    }
}

/// Where it can be read what happened to its tries.
fn hint(job: &Value) -> String {
    match job["attempts"].as_u64() {
        None | Some(0) => String::new(),
        Some(_) => format!(
            "\n(hint: `standin explain --job {}` tells what happened to its tries)\n",
            text(job, "job")
        ),
    }
}

fn text(job: &Value, name: &str) -> String {
    job[name].as_str().map(printable).unwrap_or_default()
}

/// Every job on a line, the newest first.
fn list(jobs: &Value, now: u64) -> String {
    let jobs = jobs.as_array().map(Vec::as_slice).unwrap_or_default();
    if jobs.is_empty() {
        return "There are no such jobs.".to_owned();
    }
    let row = |job: &Value| {
        let error = &job["error"];
        let error = match waits_for_pool(job) && error["reason"].is_string() {
            true => format!("no pool: {}", text(error, "reason")),
            // An older service knows of no reason.
            false => text(error, "message"),
        };
        let error = match error.char_indices().nth(ERROR_SHOWN) {
            Some((end, _)) => format!("{}...", &error[..end]),
            None => error,
        };
        vec![
            text(job, "job"),
            text(job, "state"),
            text(job, "method"),
            text(job, "user"),
            job["attempts"].to_string(),
            distance(job["submitted_at"].as_u64(), now),
            distance(job["next_at"].as_u64(), now),
            error,
        ]
    };
    let rows: Vec<_> = jobs.iter().map(row).collect();
    let headers = [
        "JOB",
        "STATE",
        "METHOD",
        "USER",
        "BEGUN",
        "SUBMITTED",
        "NEXT",
        "LAST ERROR",
    ];
    table::render(&headers, &rows, "")
}

/// Whether there is no pool that a job could be given to, and it waits for one.
fn waits_for_pool(job: &Value) -> bool {
    job["state"] == "queued" && job["error"]["code"] == "pool_unavailable"
}

/// One job, and what can be done about it.
pub(super) fn show(job: &Value, now: u64) -> String {
    let mut out = format!("{}: {}\n", text(job, "job"), text(job, "state"));
    let mut line = |name: &str, what: String| {
        if !what.is_empty() {
            let _ = writeln!(out, "  {name:<11}{what}");
        }
    };
    line("method", text(job, "method"));
    line("user", text(job, "user"));
    line("key", text(job, "key"));
    line("submitted", distance(job["submitted_at"].as_u64(), now));
    line("begun", format!("{} times", job["attempts"]));
    let failed = format!("{} of {} times", job["failures"], job["attempts_max"]);
    line("failed", failed);
    line("next", distance(job["next_at"].as_u64(), now));
    line("ended", distance(job["ended_at"].as_u64(), now));
    if job["error"].is_object() {
        let error = &job["error"];
        let code = format!("{} ({})", text(error, "code"), error["number"]);
        line("error", text(error, "message"));
        line("code", code);
    }
    // An older service knows the outcome of the last try only.
    match job["outcome"].as_str() {
        Some("not_executed") if !job["error"].is_object() => {}
        Some(outcome) => line("outcome", printable(outcome)),
        None => line("outcome", text(&job["error"], "outcome")),
    }
    match job["state"].as_str() {
        Some("unknown") if job["outcome"] == "executed" => out.push_str(
            "\nAn earlier try was executed, perhaps in part; whether the last one was nobody knows. Look where it would \
             have left a trace.\nIf the rest did not happen: `standin jobs retry` sends what is not known to be done.\n",
        ),
        Some("unknown") => out.push_str(
            "\nNobody knows whether it happened. Look where it would have left a trace (a mail carries the job in its \
             Message-ID).\nIf it did not happen: `standin jobs retry` sends it again.\n",
        ),
        _ if waits_for_pool(job) => out.push_str(
            "\nIt waits until its pool is there, for as long as that takes, and loses no try by it. `standin pools list` \
             shows how the pools stand.\n",
        ),
        Some("dead") => out.push_str(
            "\nIt is not tried again by itself. When the cause is mended: `standin jobs retry`.\n",
        ),
        _ => {}
    }
    out
}

/// The recipients of a mail that did not get it, as its receipt names them.
fn rejected(result: &Value) -> String {
    let recipients = result["rejected"].as_array().map(Vec::as_slice);
    let mut out = String::new();
    for one in recipients.unwrap_or_default() {
        let (address, words) = (text(one, "address"), text(one, "message"));
        if !address.is_empty() {
            let _ = writeln!(
                out,
                "  {:<11}{address}: {} {words}",
                "rejected", one["code"]
            );
        }
    }
    if !out.is_empty() {
        out.push_str("\nThe mail was sent, but not to the rejected recipients.\n");
    }
    out
}

/// How long ago, or how far ahead; empty for no time.
fn distance(at: Option<u64>, now: u64) -> String {
    let Some(at) = at else {
        return String::new();
    };
    let seconds = at.abs_diff(now) / 1000;
    let span = match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    };
    if at > now {
        format!("in {span}")
    } else {
        format!("{span} ago")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000_000;

    fn waiting() -> Value {
        json!({
            "job": "7-00000000000000aa", "state": "queued", "method": "mail.send", "user": "1000", "key": null,
            "attempts": 2, "failures": 2, "attempts_max": 25, "submitted_at": NOW - 240_000,
            "next_at": NOW + 120_000, "ended_at": null, "cancelling": false,
            "error": {
                "number": 1411, "code": "smtp.connect", "outcome": "not_executed",
                "message": "The mail server mail:25 could not be reached: nobody listens there.",
            },
        })
    }

    #[test]
    fn a_list_tells_what_waits_for_what() {
        insta::assert_snapshot!(list(&json!([waiting()]), NOW), @r"
        JOB                 STATE   METHOD     USER  BEGUN  SUBMITTED  NEXT      LAST ERROR
        7-00000000000000aa  queued  mail.send  1000  2      4 min ago  in 2 min  The mail server mail:25 could not be reached: nobody listens...
        ");
        insta::assert_snapshot!(list(&json!([]), NOW), @"There are no such jobs.");
    }

    #[test]
    fn a_job_that_waits_for_a_pool_says_so_and_why_there_is_none() {
        let mut job = waiting();
        job["method"] = json!("reports.make");
        job["failures"] = json!(0);
        job["error"] = json!({ "number": 11, "code": "pool_unavailable", "outcome": "not_executed",
            "reason": "cannot start `/no/such/program`: No such file or directory",
            "message": "\"reports.make\" is not available now. The process of \"reports\" ended by itself with exit code \
            127. Its last words: cannot start `/no/such/program`: No such file or directory." });
        insta::assert_snapshot!(list(&json!([job]), NOW), @r"
        JOB                 STATE   METHOD        USER  BEGUN  SUBMITTED  NEXT      LAST ERROR
        7-00000000000000aa  queued  reports.make  1000  2      4 min ago  in 2 min  no pool: cannot start `/no/such/program`: No such file or di...
        ");
        insta::assert_snapshot!(show(&job, NOW), @r#"
        7-00000000000000aa: queued
          method     reports.make
          user       1000
          submitted  4 min ago
          begun      2 times
          failed     0 of 25 times
          next       in 2 min
          error      "reports.make" is not available now. The process of "reports" ended by itself with exit code 127. Its last words: cannot start `/no/such/program`: No such file or directory.
          code       pool_unavailable (11)
          outcome    not_executed

        It waits until its pool is there, for as long as that takes, and loses no try by it. `standin pools list` shows how the pools stand.
        "#);
        job["error"]["reason"] = json!("somebody has stopped \"reports\"");
        insta::assert_snapshot!(list(&json!([job]), NOW), @r#"
        JOB                 STATE   METHOD        USER  BEGUN  SUBMITTED  NEXT      LAST ERROR
        7-00000000000000aa  queued  reports.make  1000  2      4 min ago  in 2 min  no pool: somebody has stopped "reports"
        "#);
        // One of an older service has no reason, and one that is over waits for nothing.
        let told = |job: &Value| list(&json!([job]), NOW).contains("no pool: ");
        assert!(told(&job));
        job["state"] = json!("cancelled");
        assert!(!told(&job));
        job["state"] = json!("queued");
        job["error"]["reason"] = Value::Null;
        assert!(!told(&job));
        assert!(list(&json!([job]), NOW).contains("\"reports.make\" is not available now."));
    }

    #[test]
    fn a_mail_that_was_sent_says_who_did_not_get_it() {
        let receipt = json!({ "accepted": ["a@a.test"], "rejected": [
            { "address": "b@b.test", "code": 550, "enhanced_code": "5.1.1", "message": "no such\nuser" },
        ] });
        insta::assert_snapshot!(rejected(&receipt), @r"
          rejected   b@b.test: 550 no such user

        The mail was sent, but not to the rejected recipients.
        ");
        for other in [
            json!({ "rejected": [] }),
            json!({ "rejected": true }),
            json!([1]),
            json!(null),
        ] {
            assert_eq!(rejected(&other), "");
        }
    }

    #[test]
    fn a_job_that_waits_for_a_person_says_what_the_person_can_do() {
        let mut job = waiting();
        job["state"] = json!("unknown");
        job["next_at"] = Value::Null;
        job["ended_at"] = json!(NOW - 5_000);
        insta::assert_snapshot!(show(&job, NOW), @r"
        7-00000000000000aa: unknown
          method     mail.send
          user       1000
          submitted  4 min ago
          begun      2 times
          failed     2 of 25 times
          ended      5 s ago
          error      The mail server mail:25 could not be reached: nobody listens there.
          code       smtp.connect (1411)
          outcome    not_executed

        Nobody knows whether it happened. Look where it would have left a trace (a mail carries the job in its Message-ID).
        If it did not happen: `standin jobs retry` sends it again.
        ");
        // A mail that some recipients have, and whose later try nobody knows of.
        job["outcome"] = json!("executed");
        insta::assert_snapshot!(show(&job, NOW), @r"
        7-00000000000000aa: unknown
          method     mail.send
          user       1000
          submitted  4 min ago
          begun      2 times
          failed     2 of 25 times
          ended      5 s ago
          error      The mail server mail:25 could not be reached: nobody listens there.
          code       smtp.connect (1411)
          outcome    executed

        An earlier try was executed, perhaps in part; whether the last one was nobody knows. Look where it would have left a trace.
        If the rest did not happen: `standin jobs retry` sends what is not known to be done.
        ");
    }
}
