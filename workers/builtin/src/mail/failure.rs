//! The errors of `mail.send`: number, code, and a sentence that names the server and the cause.

use std::io;

use serde::Serialize;
use standin_worker::{Failure, Outcome, shown};

use super::{
    channel::ChannelError, deliver::SoFar, envelope::Rejected, reply::Reply, settings::Settings,
};
use crate::net::{find_cause, tls};

/// Servers that put a new sender off usually take the mail after a minute or a few, and one that is being restarted is
/// back by then. Whoever says when to come back says that it is worth it: a job is tried again on this alone.
const RETRY_AFTER_MS: u64 = 60_000;

/// What a program may want to know of a refusal.
#[derive(Serialize)]
struct Details<'a> {
    reply_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    enhanced_code: Option<&'a str>,
    reply: &'a str,
    #[serde(skip_serializing_if = "<[Rejected]>::is_empty")]
    rejected: &'a [Rejected],
}

pub(super) fn bad_address(text: &str, why: &str) -> Failure {
    let message = format!("{} cannot be used as a mail address: {why}.", shown(text));
    Failure::new(1401, "mail.bad_address", message).outcome(Outcome::NotExecuted)
}

pub(super) fn bad_message(why: &str) -> Failure {
    let message = format!("The mail cannot be sent: {why}.");
    Failure::new(1402, "mail.bad_message", message).outcome(Outcome::NotExecuted)
}

pub(super) fn unreachable(settings: &Settings, why: &str) -> Failure {
    let message = format!(
        "The mail server {} could not be reached: {why}.",
        settings.server()
    );
    Failure::new(1411, "smtp.connect", message)
        .outcome(Outcome::NotExecuted)
        .retry_after_ms(RETRY_AFTER_MS)
}

pub(super) fn insecure(settings: &Settings, why: &str) -> Failure {
    let message = format!(
        "No secure connection to the mail server {}: {why}.",
        settings.server()
    );
    Failure::new(1412, "smtp.tls", message).outcome(Outcome::NotExecuted)
}

/// A handshake that nobody answered. A balancer takes connections while its server is being restarted.
pub(super) fn not_yet_secure(settings: &Settings, why: &str) -> Failure {
    insecure(settings, why).retry_after_ms(RETRY_AFTER_MS)
}

/// A TLS handshake that failed. What TLS itself finds wrong, such as a certificate, does not get right by itself.
pub(super) fn handshake(settings: &Settings, error: &io::Error) -> Failure {
    if let Some(error) = find_cause::<rustls::Error>(error) {
        return insecure(settings, &tls::explain(error));
    }
    if error.kind() == io::ErrorKind::UnexpectedEof {
        let why = "it hung up before TLS began; does it speak TLS on this port?";
        return not_yet_secure(settings, why);
    }
    not_yet_secure(settings, &error.to_string())
}

pub(super) fn no_login(settings: &Settings, why: &str) -> Failure {
    let message = format!(
        "The mail server {} did not let us log in: {why}.",
        settings.server()
    );
    Failure::new(1413, "smtp.auth", message).outcome(Outcome::NotExecuted)
}

/// The server said no. Whatever it refuses, it has not taken the mail.
pub(super) fn refused(
    settings: &Settings,
    what: &str,
    reply: &Reply,
    rejected: &[Rejected],
) -> Failure {
    let server = settings.server();
    let details = Details {
        reply_code: reply.code,
        enhanced_code: reply.enhanced(),
        reply: reply.words(),
        rejected,
    };
    let said = format!("{} {}", reply.code, reply.text);
    let failure = if reply.is_temporary() {
        let message = format!("The mail server {server} cannot take {what} just now: {said}");
        Failure::new(1415, "smtp.temporary", message).retry_after_ms(RETRY_AFTER_MS)
    } else {
        let message = format!("The mail server {server} refused {what}: {said}");
        Failure::new(1414, "smtp.rejected", message)
    };
    failure.outcome(Outcome::NotExecuted).data(&details)
}

/// The mail is with some recipients, and others may get it later. Only the rest is to be tried again, so the next try is
/// told what is settled.
pub(super) fn partly(
    settings: &Settings,
    (have_it, count): (usize, usize),
    put_off: &[Rejected],
    so_far: &SoFar,
) -> Failure {
    #[derive(Serialize)]
    struct Partly<'a> {
        rejected: &'a [Rejected],
        so_far: &'a SoFar,
    }
    let server = settings.server();
    let first = put_off.first().expect("somebody was put off");
    let who = match put_off.len() {
        1 => first.address.clone(),
        count => format!("{count} others, among them {}", first.address),
    };
    let message = format!(
        "{have_it} of {count} recipients have the mail; the mail server {server} cannot take it for {who} just now: {} {}",
        first.code, first.message
    );
    Failure::new(1418, "smtp.partly", message)
        .outcome(Outcome::Executed)
        .retry_after_ms(RETRY_AFTER_MS)
        .data(&Partly {
            rejected: put_off,
            so_far,
        })
}

/// The server answered with what nobody may answer there.
pub(super) fn out_of_place(
    settings: &Settings,
    what: &str,
    reply: &Reply,
    outcome: Outcome,
) -> Failure {
    let message = format!(
        "The mail server {} answered {what} with something unexpected: {} {}",
        settings.server(),
        reply.code,
        reply.text
    );
    Failure::new(1416, "smtp.protocol", message).outcome(outcome)
}

/// The conversation broke.
pub(super) fn broken(settings: &Settings, error: &ChannelError, outcome: Outcome) -> Failure {
    let server = settings.server();
    let fate = fate(outcome);
    match error {
        ChannelError::Late => late(settings, outcome),
        ChannelError::HungUp(why) => {
            let message = format!("The mail server {server} hung up: {why}. {fate}");
            no_answer(message, outcome)
        }
        ChannelError::Nonsense(line) => {
            let message =
                format!("The mail server {server} does not speak SMTP; it said \"{line}\". {fate}");
            Failure::new(1416, "smtp.protocol", message).outcome(outcome)
        }
    }
}

pub(super) fn late(settings: &Settings, outcome: Outcome) -> Failure {
    let message = format!(
        "The mail server {} did not answer in time. {}",
        settings.server(),
        fate(outcome)
    );
    no_answer(message, outcome)
}

/// What was not heard to the end may be tried again if nothing can have come of it.
fn no_answer(message: String, outcome: Outcome) -> Failure {
    let failure = Failure::new(1417, "smtp.no_answer", message).outcome(outcome);
    match outcome {
        Outcome::NotExecuted => failure.retry_after_ms(RETRY_AFTER_MS),
        Outcome::Executed | Outcome::Unknown => failure,
    }
}

fn fate(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::NotExecuted => "The mail was not sent.",
        Outcome::Executed => "The mail was sent.",
        Outcome::Unknown => "Whether it has taken the mail is not known.",
    }
}
