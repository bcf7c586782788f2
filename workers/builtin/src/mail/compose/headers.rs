//! Headers that a caller may set, and the mail's own name.

use lettre::message::header::{HeaderName, HeaderValue};
use rustls::crypto::ring;
use standin_worker::{Failure, shown};

use crate::mail::failure;

/// Headers that are made from other arguments. A second one would contradict the first.
const OURS: [&str; 13] = [
    "from",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
    "content-id",
];

/// A text that stays in its header.
pub(super) fn one_line(what: &str, text: &str) -> Result<String, Failure> {
    if text.chars().any(char::is_control) {
        let why = format!("its {what} holds a line break or another control character");
        return Err(failure::bad_message(&why));
    }
    Ok(text.to_owned())
}

/// A header of the caller's own.
pub(super) fn extra(name: &str, value: &str) -> Result<HeaderValue, Failure> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.is_empty() || !name.bytes().all(is_token) {
        let why = format!("{} cannot be the name of a header", shown(name));
        return Err(failure::bad_message(&why));
    }
    if OURS.contains(&name.to_ascii_lowercase().as_str()) {
        let why = format!("the header \"{name}\" is made from other arguments");
        return Err(failure::bad_message(&why));
    }
    let value = one_line(&format!("header \"{name}\""), value)?;
    let header = HeaderName::new_from_ascii(name.to_owned());
    let header = header
        .map_err(|_| failure::bad_message(&format!("\"{name}\" cannot be the name of a header")))?;
    Ok(HeaderValue::new(header, value))
}

/// The caller's name for the mail, in angle brackets.
pub(super) fn message_id(given: &str) -> Result<String, Failure> {
    let inner = given.trim().trim_start_matches('<').trim_end_matches('>');
    let is_plain = inner
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'));
    let halves = inner.split_once('@');
    if !is_plain || halves.is_none_or(|(left, right)| left.is_empty() || right.is_empty()) {
        let why = "its \"message_id\" must look like name@domain";
        return Err(failure::bad_message(why));
    }
    Ok(format!("<{inner}>"))
}

/// The name of the mail that a job sends.
pub(super) fn job_message_id(job: &str, domain: &str) -> String {
    let plain = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '-';
    let job: String = job.chars().filter(plain).collect();
    format!("<{job}.standin-job@{domain}>")
}

/// A name that nobody else has: 128 random bits and the sender's domain.
pub(super) fn new_message_id(domain: &str) -> String {
    let mut random = [0; 16];
    ring::default_provider()
        .secure_random
        .fill(&mut random)
        .expect("the system gives random bytes");
    format!("<{:032x}.standin@{domain}>", u128::from_be_bytes(random))
}
