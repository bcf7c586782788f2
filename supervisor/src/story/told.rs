//! The answer of `standin.explain`, as the service writes it and the command line reads it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use standin_core::{RequestId, session::Origin};
use standin_protocol::Outcome;

use super::{End, How, Note, Story, What, kept::Params, words};

/// One request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ToldRequest {
    pub(crate) request: u64,
    pub(crate) method: String,
    pub(crate) replay: String,
    pub(crate) pool: String,
    pub(crate) user: String,
    pub(crate) session: u64,
    pub(crate) msgid: u64,
    /// Its place in a batch, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) call: Option<u32>,
    /// The job that it was a try of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) job: Option<String>,
    /// Which try, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) job_attempt: Option<u32>,
    /// Milliseconds since 1970.
    pub(crate) came_at_ms: u64,
    pub(crate) came_ms_ago: u64,
    /// `waiting`, `running`, `answered`, `failed` or `abandoned`.
    pub(crate) state: String,
    /// How long it waited for its first worker, so far.
    pub(crate) waited_us: u64,
    pub(crate) attempts: Vec<ToldAttempt>,
    /// What else happened, in order.
    pub(crate) notes: Vec<ToldNote>,
    pub(crate) ended_us: Option<u64>,
    pub(crate) code: Option<String>,
    pub(crate) outcome: Option<String>,
    /// Why no worker answered it.
    pub(crate) rule: Option<String>,
    /// The beginning of what was in it, as it was sent. Poisoned requests have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) params: Option<ByteBuf>,
    /// How long that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) params_size: Option<usize>,
}

/// One sending.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ToldAttempt {
    pub(crate) number: u32,
    pub(crate) slot: u32,
    pub(crate) pid: Option<u32>,
    pub(crate) began_us: u64,
    pub(crate) effect_granted_us: Option<u64>,
    pub(crate) ended_us: Option<u64>,
    /// `running`, `answered`, `worker_died`, or `left`: the request ended before it.
    pub(crate) end: String,
    /// How the worker died.
    pub(crate) cause: Option<String>,
    /// Why there was another attempt, or none.
    pub(crate) rule: Option<String>,
}

/// Something else that happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ToldNote {
    pub(crate) at_us: u64,
    pub(crate) text: String,
}

/// What an error answer says of the request that it is for, so that its story can be asked for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reference {
    pub(crate) request: u64,
}

/// The same, as the `data` of the answer.
pub(crate) fn reference(request: RequestId) -> Bytes {
    standin_protocol::encode(&Reference { request: request.0 })
}

fn us(span: Duration) -> u64 {
    span.as_micros() as u64
}

impl ToldRequest {
    /// A story in words. `now` and `now_unix_ms` are the same moment.
    pub(crate) fn new(
        story: &Story,
        params: Option<Params>,
        pool: &str,
        now: Instant,
        now_unix_ms: u64,
    ) -> Self {
        let age = now.saturating_duration_since(story.came);
        let came_ms_ago = age.as_millis() as u64;
        let mut told = Self {
            request: story.request.0,
            method: String::from_utf8_lossy(&story.method).into_owned(),
            replay: story.replay.name().to_owned(),
            pool: pool.to_owned(),
            user: story.user.to_string(),
            session: story.session.0,
            msgid: story.origin.msgid(),
            call: match story.origin {
                Origin::Request { .. } => None,
                Origin::Item { index, .. } => Some(index),
            },
            job: story.job.as_ref().map(|job| job.name.clone()),
            job_attempt: story.job.as_ref().map(|job| job.attempt),
            came_at_ms: now_unix_ms.saturating_sub(came_ms_ago),
            came_ms_ago,
            state: "waiting".to_owned(),
            waited_us: 0,
            attempts: Vec::new(),
            notes: Vec::new(),
            ended_us: None,
            code: None,
            outcome: None,
            rule: None,
            params_size: params.as_ref().map(|params| params.size),
            params: params.map(|params| ByteBuf::from(params.kept.to_vec())),
        };
        for note in &story.notes {
            told.add(note);
        }
        if story.left_out > 0 {
            let text = format!("{} more things happened to it", story.left_out);
            let at_us = story.notes.last().map_or(0, |note| us(note.after));
            told.notes.push(ToldNote { at_us, text });
        }
        if told.running().is_some() {
            "running".clone_into(&mut told.state);
        }
        if let Some(end) = &story.end {
            told.end(end);
        }
        let until = told.ended_us.unwrap_or(us(age));
        told.waited_us = told.attempts.first().map_or(until, |first| first.began_us);
        told
    }

    /// The attempt that a worker is at.
    fn running(&mut self) -> Option<&mut ToldAttempt> {
        self.attempts
            .last_mut()
            .filter(|attempt| attempt.ended_us.is_none())
    }

    /// It goes on, or is over, without the worker that is at it.
    fn leave(&mut self, at_us: u64) {
        if let Some(attempt) = self.running() {
            attempt.ended_us = Some(at_us);
            "left".clone_into(&mut attempt.end);
        }
    }

    fn add(&mut self, note: &Note) {
        let at_us = us(note.after);
        let text = match note.what {
            What::Sent {
                worker,
                pid,
                number,
            } => {
                self.attempts.push(ToldAttempt {
                    number,
                    slot: worker.slot.0,
                    pid,
                    began_us: at_us,
                    effect_granted_us: None,
                    ended_us: None,
                    end: "running".to_owned(),
                    cause: None,
                    rule: None,
                });
                return;
            }
            What::EffectGranted => {
                if let Some(attempt) = self.running() {
                    attempt.effect_granted_us = Some(at_us);
                }
                return;
            }
            What::WorkerDied { cause, replay } => {
                if let Some(attempt) = self.running() {
                    attempt.ended_us = Some(at_us);
                    "worker_died".clone_into(&mut attempt.end);
                    attempt.cause = Some(cause.to_string());
                    attempt.rule = replay.map(|rule| words::of_replay(rule).to_owned());
                }
                return;
            }
            What::IntentRecorded => "that it begins is on record",
            What::GrantNotRecorded => "its effect was refused: it could not be put on record",
            What::TakenBack => "the caller took it back",
            What::PoolReplaced => {
                self.leave(at_us);
                "a part of Standin failed that had it; the one in its place was given it"
            }
        };
        let text = text.to_owned();
        self.notes.push(ToldNote { at_us, text });
    }

    fn end(&mut self, end: &End) {
        let (state, code, outcome, rule) = match &end.how {
            How::Result => ("answered", None, Outcome::Executed, None),
            How::Error { code, outcome } => ("answered", Some(&**code), *outcome, None),
            How::Failed { rule, outcome } => {
                let code = rule.code().name();
                ("failed", Some(code), *outcome, Some(words::of_end(*rule)))
            }
            How::Abandoned { outcome } => ("abandoned", None, *outcome, Some(words::OF_ABANDONED)),
            How::PoolLost { outcome } => {
                let code = standin_protocol::ErrorCode::WorkerLost.name();
                ("failed", Some(code), *outcome, Some(words::OF_LOST_POOL))
            }
            How::NotGiven { why, code, outcome } => {
                let rule = words::of_no_pool(*why);
                ("failed", Some(code.name()), *outcome, Some(rule))
            }
        };
        self.ended_us = Some(us(end.after));
        state.clone_into(&mut self.state);
        self.code = code.map(str::to_owned);
        self.outcome = Some(outcome.name().to_owned());
        self.rule = rule.map(str::to_owned);
        if state == "answered"
            && let Some(attempt) = self.running()
        {
            attempt.ended_us = Some(us(end.after));
            "answered".clone_into(&mut attempt.end);
        }
        self.leave(us(end.after));
        if let How::Failed { rule, .. } = &end.how
            && rule.follows_a_death()
            && let Some(attempt) = self.attempts.last_mut()
        {
            attempt.rule = Some(words::of_end(*rule).to_owned());
        }
    }
}

#[cfg(test)]
mod tests;
