//! The errors of `http.request`: number, code, and a sentence that names the host and the cause.

use std::{error::Error, io, time::Duration};

use reqwest::Url;
use standin_worker::{Failure, Outcome, shown};

use super::clients::{ClientError, NameError};
use crate::net::{find_cause, tls};

/// A server that is not there is usually being restarted.
const RETRY_AFTER_MS: u64 = 60_000;

/// The server as a person knows it.
pub(super) fn server(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

pub(super) fn bad_url(text: &str, why: &str) -> Failure {
    let message = format!("{} cannot be used as a web address: {why}.", shown(text));
    Failure::new(1301, "http.bad_url", message).outcome(Outcome::NotExecuted)
}

pub(super) fn bad_settings(error: &ClientError) -> Failure {
    Failure::invalid_arguments(format!("The request was not sent: {error}."))
}

pub(super) fn timeout(url: &Url, limit: Duration, outcome: Outcome) -> Failure {
    let server = server(url);
    let seconds = limit.as_secs_f64();
    let message = match outcome {
        Outcome::NotExecuted => {
            format!("{server} could not be reached within {seconds:.1} seconds.")
        }
        Outcome::Executed | Outcome::Unknown => {
            format!("{server} did not finish its answer within {seconds:.1} seconds.")
        }
    };
    temporary(Failure::new(1305, "http.timeout", message), outcome)
}

/// What did not get through may get through later, if nothing has come of it. A job is tried again on this.
fn temporary(failure: Failure, outcome: Outcome) -> Failure {
    let failure = failure.outcome(outcome);
    match outcome {
        Outcome::NotExecuted => failure.retry_after_ms(RETRY_AFTER_MS),
        Outcome::Executed | Outcome::Unknown => failure,
    }
}

pub(super) fn too_large(url: &Url, size_max: u64) -> Failure {
    let server = server(url);
    let message = format!(
        "The answer of {server} is larger than the {size_max} bytes allowed (\"response_size_max\")."
    );
    Failure::new(1306, "http.too_large", message)
}

pub(super) fn redirects_exhausted(url: &Url, redirects_max: u32) -> Failure {
    let server = server(url);
    let message = format!(
        "{server} sent the request on and on: {redirects_max} redirects were followed and one more came."
    );
    Failure::new(1307, "http.redirect", message)
}

pub(super) fn redirect_to_nowhere(url: &Url, place: &str) -> Failure {
    let server = server(url);
    let place = shown(place);
    let message = format!("{server} sent the request on to {place}, which is not a web address.");
    Failure::new(1307, "http.redirect", message)
}

/// Why a request got no answer. A failed connection sent nothing, whatever the verb.
pub(super) fn sending(
    url: &Url,
    error: &reqwest::Error,
    limit: Duration,
    outcome: Outcome,
) -> Failure {
    let server = server(url);
    let outcome = if error.is_connect() || error.is_builder() {
        Outcome::NotExecuted
    } else {
        outcome
    };
    if error.is_timeout() {
        return timeout(url, limit, outcome);
    }
    if let Some(why) = find_cause::<rustls::Error>(error) {
        let why = tls::explain(why);
        let message = format!("No secure connection to {server}: {why}.");
        // What TLS itself finds wrong, such as a certificate, does not get right by itself.
        return Failure::new(1304, "http.tls", message).outcome(outcome);
    }
    let (number, code, message) = if let Some(name) = find_cause::<NameError>(error) {
        let name = &name.name;
        (
            1302,
            "http.dns",
            format!("The server \"{name}\" was not found: no such name is known here."),
        )
    } else if error.is_connect() && hung_up(error) && url.scheme() == "https" {
        let message = format!(
            "No secure connection to {server}: it hung up before TLS began. Does it speak TLS on this port?"
        );
        (1304, "http.tls", message)
    } else if error.is_connect() {
        (
            1303,
            "http.connect",
            format!("{server} could not be reached: {}.", last_words(error)),
        )
    } else {
        (
            1308,
            "http.protocol",
            format!(
                "{server} broke off or answered with something that is not HTTP: {}.",
                last_words(error)
            ),
        )
    };
    temporary(Failure::new(number, code, message), outcome)
}

fn hung_up(error: &reqwest::Error) -> bool {
    find_cause::<io::Error>(error).is_some_and(|io| io.kind() == io::ErrorKind::UnexpectedEof)
}

/// What the innermost error says, in words if the system has some.
fn last_words(error: &reqwest::Error) -> String {
    if let Some(io) = find_cause::<io::Error>(error) {
        match io.kind() {
            io::ErrorKind::ConnectionRefused => return "nobody listens there".to_owned(),
            io::ErrorKind::ConnectionReset => return "the connection was reset".to_owned(),
            io::ErrorKind::NetworkUnreachable => {
                return "there is no way to that network".to_owned();
            }
            io::ErrorKind::HostUnreachable => return "there is no way to that computer".to_owned(),
            _ => {}
        }
    }
    let mut last: &dyn Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
