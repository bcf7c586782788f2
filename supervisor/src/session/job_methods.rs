//! `job.*`: what a client can ask about jobs. Each is answered by a task of its own, since the store is asked.

use std::time::{Duration, Instant};

use bytes::Bytes;
use ractor::{ActorRef, ActorStatus};
use standin_core::jobs::together;
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, Meta, Outcome, Request, value};

use super::{
    SessionMessage, SessionState,
    intake::TIMEOUT_MAX,
    own_methods::{find, missing, tell_answer},
    shown::{shown, shown_page},
};
use crate::{
    clock,
    jobs::{JobsHandle, unknown},
    store::{JobName, JobPage, JobRow, JobState},
};

/// The methods, with a sentence for each.
pub(super) const JOB_METHODS: [(&str, &str); 7] = [
    (
        "job.submit",
        "Takes a call to be made in the background, and again until it is done: {method, params, key?, run_at?, retry?, timeout_ms?} gives {job}.",
    ),
    ("job.status", "Tells how a job stands: {job}."),
    (
        "job.wait",
        "Waits until a job has ended, as long as the call may take, and tells how it stands: {job}.",
    ),
    (
        "job.result",
        "Gives the result of a job, or its error, as the call itself would have: {job}.",
    ),
    (
        "job.cancel",
        "Takes a job back, if nothing has happened yet: {job}.",
    ),
    (
        "job.list",
        "Lists jobs, the newest first: {state?, limit?, after?}.",
    ),
    (
        "job.retry",
        "Sends a job again that is dead, or of which nobody knows whether it happened: {job}. For a person to decide.",
    ),
];

/// Jobs of one page of a list, unless the caller wants fewer.
const LIST_LIMIT: u64 = 100;
const LIST_LIMIT_MAX: u64 = 1000;

pub(super) type Arguments = [(Bytes, Bytes)];

/// Who asks: `None` may see everybody's.
#[derive(Clone)]
struct Asker {
    jobs: JobsHandle,
    user: Option<String>,
    session: ActorRef<SessionMessage>,
}

impl SessionState {
    /// Answers one of [`JOB_METHODS`]. False: there is none of that name.
    pub(super) fn job_request(
        &mut self,
        myself: &ActorRef<SessionMessage>,
        request: &Request,
        arguments: &Arguments,
        since: Option<Instant>,
    ) -> bool {
        let msgid = request.msgid;
        let meta = request.meta.as_ref().map(Meta::decode).transpose();
        let meta = match meta {
            Ok(meta) => meta.unwrap_or_default(),
            Err(why) => {
                let error = ErrorAnswer::new(ErrorCode::InvalidRequest, why);
                self.refuse(msgid, &error);
                return true;
            }
        };
        let asker = Asker {
            jobs: self.environment.jobs.clone(),
            user: Some(self.caller.user.to_string()).filter(|_| !self.caller.is_administrator()),
            session: myself.clone(),
        };
        let name = || job_name(&request.method, arguments);
        let task = match &request.method[..] {
            b"job.submit" => self
                .submission(msgid, arguments, &meta)
                .map(|submission| self.submit_job(msgid, submission)),
            b"job.status" => name().map(|job| {
                self.answer_later(msgid, myself, async move {
                    let row = asker.jobs.status(job, asker.user.as_deref()).await?;
                    Ok(protocol::encode(&shown(&row)))
                });
            }),
            b"job.wait" => name().map(|job| {
                let timeout = meta.timeout_ms.map(Duration::from_millis);
                let timeout = timeout.unwrap_or(TIMEOUT_MAX).min(TIMEOUT_MAX);
                let deadline = since.unwrap_or_else(clock::now) + timeout;
                self.answer_later(
                    msgid,
                    myself,
                    async move { asker.wait(job, deadline).await },
                );
            }),
            b"job.result" => name().map(|job| {
                self.answer_later(msgid, myself, async move { asker.result(job).await });
            }),
            b"job.cancel" => name().map(|job| {
                self.answer_later(msgid, myself, async move {
                    let row = asker.jobs.cancel(job, asker.user.as_deref()).await?;
                    Ok(protocol::encode(&shown(&row)))
                });
            }),
            b"job.retry" => name().map(|job| {
                self.answer_later(msgid, myself, async move {
                    let row = asker.jobs.send_again(job, asker.user.as_deref()).await?;
                    Ok(protocol::encode(&shown(&row)))
                });
            }),
            b"job.list" => {
                let bytes_max = self.environment.limits.message_size_max;
                page(arguments, asker.user.clone(), bytes_max).map(|page| {
                    self.answer_later(msgid, myself, async move {
                        let rows = asker.jobs.list(page).await?;
                        Ok(shown_page(&rows, bytes_max))
                    });
                })
            }
            _ => return false,
        };
        if let Err(error) = task {
            self.refuse(msgid, &error);
        }
        true
    }

    pub(super) fn answer_later(
        &mut self,
        msgid: u64,
        myself: &ActorRef<SessionMessage>,
        work: impl Future<Output = Result<Bytes, ErrorAnswer>> + Send + 'static,
    ) {
        self.core.open_own(msgid);
        let session = myself.clone();
        tokio::spawn(async move {
            let result = work.await.map_err(|error| error.encode());
            tell_answer(&session, msgid, result);
        });
    }
}

impl Asker {
    async fn wait(&self, job: JobName, deadline: Instant) -> Result<Bytes, ErrorAnswer> {
        let is_wanted = || {
            !matches!(
                self.session.get_status(),
                ActorStatus::Stopping | ActorStatus::Stopped
            )
        };
        let waits = self
            .jobs
            .wait(job, self.user.as_deref(), deadline, is_wanted);
        let row = waits.await?;
        if row.state.is_open() {
            let why = format!(
                "The job has not ended yet, it is {}; it goes on. Wait for it again, or ask for its status later.",
                row.state.name()
            );
            let error = ErrorAnswer::new(ErrorCode::DeadlineExceeded, why);
            return Err(error
                .with_outcome(Outcome::NotExecuted)
                .with_data(protocol::encode(&shown(&row))));
        }
        Ok(protocol::encode(&shown(&row)))
    }

    async fn result(&self, job: JobName) -> Result<Bytes, ErrorAnswer> {
        let stored = self.jobs.result(job, self.user.as_deref()).await?;
        let row = stored.row;
        match row.state {
            JobState::Done => Ok(stored.result.unwrap_or(protocol::NIL)),
            JobState::Cancelled => {
                let why = match row.outcome {
                    Outcome::NotExecuted => "The job was cancelled. It was not executed.",
                    Outcome::Unknown => {
                        "The job was cancelled before a further try. An earlier one may have been executed."
                    }
                    Outcome::Executed => {
                        "The job was cancelled before a further try. An earlier one was executed."
                    }
                };
                Err(ErrorAnswer::new(ErrorCode::Cancelled, why).with_outcome(row.outcome))
            }
            JobState::Dead | JobState::Unknown => Err(last_error(&row)),
            JobState::Queued | JobState::Running | JobState::Expired => {
                let why = format!("The job has no result yet: it is {}.", row.state.name());
                let error = ErrorAnswer::new(ErrorCode::InvalidRequest, why);
                Err(error.with_data(protocol::encode(&shown(&row))))
            }
        }
    }
}

/// The error of the last try, with what is known of all tries.
fn last_error(row: &JobRow) -> ErrorAnswer {
    let Some(error) = &row.error else {
        let why = "What became of the job is not known.";
        return ErrorAnswer::new(ErrorCode::OutcomeUnknown, why);
    };
    let mut error = ErrorAnswer::decode(error);
    let outcome = together(row.outcome, error.outcome);
    if outcome != error.outcome {
        error.message.push_str(match outcome {
            Outcome::Executed => " An earlier try was executed.",
            _ => " An earlier try may have been executed.",
        });
    }
    error.with_outcome(outcome)
}

/// An argument that is there and not nil: old clients cannot leave one out.
pub(super) fn present<'a>(arguments: &'a Arguments, name: &str) -> Option<&'a Bytes> {
    find(arguments, name).filter(|value| value[..] != protocol::NIL[..])
}

pub(super) fn job_name(method: &[u8], arguments: &Arguments) -> Result<JobName, ErrorAnswer> {
    let method = String::from_utf8_lossy(method);
    let text = find(arguments, "job").and_then(value::read_bytes);
    let text = text.ok_or_else(|| missing(&method, "job", "the name that \"job.submit\" gave"))?;
    JobName::parse(&text).ok_or_else(|| {
        let text = String::from_utf8_lossy(&text[..text.len().min(64)]);
        unknown(text.escape_debug())
    })
}

fn page(
    arguments: &Arguments,
    user: Option<String>,
    bytes_max: usize,
) -> Result<JobPage, ErrorAnswer> {
    let state = match present(arguments, "state") {
        None => None,
        Some(word) => {
            let word = value::read_bytes(word).unwrap_or_default();
            let found = JobState::kept().find(|state| state.name().as_bytes() == &word[..]);
            Some(found.ok_or_else(|| {
                invalid("\"state\" is one of queued, running, done, dead, unknown and cancelled.")
            })?)
        }
    };
    let limit = match present(arguments, "limit") {
        None => LIST_LIMIT,
        Some(limit) => value::read_unsigned(limit)
            .filter(|limit| (1..=LIST_LIMIT_MAX).contains(limit))
            .ok_or_else(|| invalid("\"limit\" is a number from 1 to 1000."))?,
    };
    let after = match present(arguments, "after") {
        None => None,
        Some(after) => {
            let after = value::read_bytes(after).and_then(|after| JobName::parse(&after));
            let after = after.ok_or_else(|| invalid("\"after\" is the name of a job."))?;
            Some(after.id)
        }
    };
    Ok(JobPage {
        user,
        state,
        after,
        limit: limit as u32,
        bytes_max,
    })
}

pub(super) fn invalid(why: &str) -> ErrorAnswer {
    ErrorAnswer::new(ErrorCode::InvalidParams, why)
}
