//! `job.submit`: from what a client wrote to a job in the store, and what is said of one that is not taken.
//!
//! A submission that is refused may have been taken before: its client has perhaps lost the answer. So one that can be
//! known again, by its key or by its number in a session, is looked for before anybody says that there is no job.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde::Serialize;
use standin_core::{
    jobs::{Due, RetryPolicy, WallTime},
    quota::Charge,
};
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, Meta, Request, value};

use super::{
    SessionState,
    access::not_for_nobody,
    intake::{is_own, read_meta, unknown_method},
    job_methods::{Arguments, invalid, present},
    own_methods::{find, missing},
    turned_away::{PERHAPS_MADE_BEFORE, in_doubt},
};
use crate::{directory::Located, jobs::Submission, store::JobName};

/// The longest pause between two tries, and the most tries, that anybody may wish for.
const BACKOFF_LIMIT: Duration = Duration::from_secs(7 * 24 * 3600);
const ATTEMPTS_LIMIT: u64 = 1000;

/// What `job.submit` answers.
#[derive(Serialize)]
struct Submitted {
    job: String,
}

fn submitted(job: JobName) -> Bytes {
    protocol::encode(&Submitted {
        job: job.to_string(),
    })
}

impl SessionState {
    /// Takes a job, or says why not.
    pub(super) fn submit_job(&mut self, msgid: u64, submission: Submission) {
        let charge = match self.room_for(&submission) {
            Ok(charge) => charge,
            Err(error) => return self.refuse_job(msgid, submission, error),
        };
        let jobs = self.environment.jobs.clone();
        let myself = self.caller.actor.clone();
        self.answer_later(msgid, &myself, async move {
            // It counts for its user until it is in the store.
            let _charge = charge;
            jobs.submit(submission).await.map(submitted)
        });
    }

    /// Refuses a submission that was not looked at, if it may have been taken before. False: it is nothing of that kind.
    pub(super) fn turn_away_job(&mut self, request: &Request, error: &ErrorAnswer) -> bool {
        if &request.method[..] != b"job.submit" {
            return false;
        }
        let arguments = value::named_arguments(&request.params).unwrap_or_default();
        let meta = read_meta(request.meta.as_ref()).unwrap_or_default();
        let Ok(submission) = self.submission(request.msgid, &arguments, &meta) else {
            return false;
        };
        if submission.key.is_some() && !self.may_look() {
            let error = in_doubt(error.clone(), PERHAPS_MADE_BEFORE);
            self.refuse(request.msgid, &error);
        } else {
            self.refuse_job(request.msgid, submission, error.clone());
        }
        true
    }

    /// Whether a job may be taken from this user now.
    fn room_for(&mut self, submission: &Submission) -> Result<Charge, ErrorAnswer> {
        let directory = Arc::clone(self.directory.get());
        let seeker = self.seeker();
        match directory.locate(seeker, &submission.method) {
            Located::At(_) => {}
            // A job may wait for it.
            Located::NotYet(_) => {}
            Located::Denied(pool) => return Err(self.denied(pool)),
            Located::Unknown if directory.unlearned.is_empty() => {
                return Err(unknown_method(&directory, seeker, &submission.method));
            }
            // It may turn out to be one of a pool that is not for this user, and then nobody would look again.
            Located::Unknown => {
                let mut pools = directory.unlearned.iter();
                if pools.any(|pool| !seeker.may_use(&pool.access)) {
                    return Err(not_known_yet(&submission.method));
                }
            }
        }
        self.charge(submission.params.len())
    }

    fn refuse_job(&mut self, msgid: u64, submission: Submission, error: ErrorAnswer) {
        let jobs = self.environment.jobs.clone();
        let myself = self.caller.actor.clone();
        if submission.key.is_none() {
            return self.refuse(msgid, &error);
        }
        self.answer_later(msgid, &myself, async move {
            match jobs.taken_before(&submission).await? {
                Some(job) => Ok(submitted(job)),
                None => Err(error),
            }
        });
    }

    /// Reads one, and decides nothing.
    pub(super) fn submission(
        &self,
        msgid: u64,
        arguments: &Arguments,
        meta: &Meta,
    ) -> Result<Submission, ErrorAnswer> {
        if self.caller.is_nobody() {
            return Err(not_for_nobody("a job"));
        }
        let method = find(arguments, "method").and_then(value::read_bytes);
        let method =
            method.ok_or_else(|| missing("job.submit", "method", "the name of a method"))?;
        if is_own(&method) {
            let why = "The methods of Standin itself cannot be jobs; call them directly.";
            return Err(invalid(why));
        }
        let params = find(arguments, "params").cloned();
        let params = params.filter(|params| params[..] != protocol::NIL[..]);
        let params = params.unwrap_or_else(|| Bytes::from_static(&[0x90]));
        if !is_params(&params) {
            let why = "\"job.submit\" wants the argument \"params\": what the method is called with, a list or a map.";
            return Err(invalid(why));
        }
        let due = match present(arguments, "run_at") {
            None => Due::AtOnce,
            Some(at) => Due::At(WallTime(value::read_unsigned(at).ok_or_else(|| {
                invalid("\"run_at\" is a time in milliseconds since 1970 (UTC).")
            })?)),
        };
        let timeout_ms =
            match present(arguments, "timeout_ms") {
                None => None,
                Some(ms) => Some(value::read_unsigned(ms).filter(|ms| *ms > 0).ok_or_else(
                    || invalid("\"timeout_ms\" is a whole number of milliseconds, 1 or more."),
                )?),
            };
        Ok(Submission {
            user: self.caller.user.to_string(),
            method,
            params,
            key: self.job_key(msgid, arguments, meta)?,
            due,
            retry: retry(arguments)?,
            timeout_ms,
        })
    }

    /// By what a submission is known again when it comes twice: the key of its owner, or its number in a session that
    /// outlives its connection.
    fn job_key(
        &self,
        msgid: u64,
        arguments: &Arguments,
        meta: &Meta,
    ) -> Result<Option<Bytes>, ErrorAnswer> {
        let given = match present(arguments, "key") {
            None => None,
            Some(key) => Some(
                value::read_bytes(key)
                    .filter(|key| (1..=Meta::KEY_LENGTH_MAX).contains(&key.len()))
                    .ok_or_else(|| invalid("\"key\" is a text of 1 to 128 bytes."))?,
            ),
        };
        if let (Some(given), Some(beside)) = (&given, &meta.key)
            && given != beside
        {
            return Err(invalid("The job has two different keys."));
        }
        if let Some(key) = given.or_else(|| meta.key.clone()) {
            return Ok(Some([b"k", &key[..]].concat().into()));
        }
        let token = self.token.map(|token| token.to_string());
        Ok(token.map(|token| format!("s{token}{msgid}").into()))
    }
}

/// Whether it begins like a list or a map.
fn is_params(value: &[u8]) -> bool {
    matches!(value.first(), Some(0x80..=0x9f | 0xdc..=0xdf))
}

/// `{attempts_max?, backoff_ms?, backoff_max_ms?}`.
fn retry(arguments: &Arguments) -> Result<RetryPolicy, ErrorAnswer> {
    let mut policy = RetryPolicy::default();
    let Some(given) = present(arguments, "retry") else {
        return Ok(policy);
    };
    let shape = || invalid("\"retry\" is a map of attempts_max, backoff_ms and backoff_max_ms.");
    let limit = BACKOFF_LIMIT.as_millis() as u64;
    let mut given_backoff = false;
    for (name, value) in value::map_entries(given).map_err(|_| shape())? {
        let name = value::read_bytes(&name).unwrap_or(name);
        let number = value::read_unsigned(&value).ok_or_else(shape)?;
        match &name[..] {
            b"attempts_max" if (1..=ATTEMPTS_LIMIT).contains(&number) => {
                policy.attempts_max = number as u32;
            }
            b"attempts_max" => return Err(invalid("\"attempts_max\" is a number from 1 to 1000.")),
            b"backoff_ms" if (1..=limit).contains(&number) => {
                policy.backoff = Duration::from_millis(number);
                given_backoff = true;
            }
            b"backoff_max_ms" if (1..=limit).contains(&number) => {
                policy.backoff_max = Duration::from_millis(number);
            }
            b"backoff_ms" | b"backoff_max_ms" => {
                return Err(invalid("A pause between two tries is 1 ms to 7 days long."));
            }
            _ => return Err(shape()),
        }
    }
    if given_backoff {
        policy.backoff_max = policy.backoff_max.max(policy.backoff);
    } else {
        policy.backoff = policy.backoff.min(policy.backoff_max);
    }
    Ok(policy)
}

fn not_known_yet(method: &[u8]) -> ErrorAnswer {
    let why = format!(
        "Which pool \"{}\" belongs to is not known now, so the job was not taken. Please try again in a moment.",
        String::from_utf8_lossy(method)
    );
    ErrorAnswer::new(ErrorCode::PoolUnavailable, why).with_retry_after_ms(1000)
}
