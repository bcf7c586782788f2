//! What happened to a request: noted while it happens, told when somebody asks.
//!
//! A note is a few numbers, because every request leaves some; words are found for those that are asked about
//! ([`told`]). A call carries its notes, so that they outlive the pool's actor; a pool keeps the stories of those that
//! have ended. A new thing to note is a variant of [`What`] and its words.

mod kept;
pub(crate) mod told;
mod words;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use smallvec::SmallVec;
use standin_core::{
    Cause, RequestId, SessionId, WorkerId,
    pool::{EndRule, ReplayRule},
    session::Origin,
};
use standin_protocol::{ErrorAnswer, ErrorCode, Outcome, Replay};

pub(crate) use self::kept::{Found, Query, Stories, Which};
use crate::call::{Call, JobTry};

/// Notes that one request may leave: enough for the twenty deaths that poison it at the latest. Our own kills may go on
/// beyond that; then they are counted.
const NOTES_MAX: usize = 64;

/// Something that happened to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// It was given to a worker.
    Sent {
        worker: WorkerId,
        pid: Option<u32>,
        /// Which attempt it is, from 1.
        number: u32,
    },
    /// That it begins is on record; only now does the worker hear of it.
    IntentRecorded,
    /// Its worker has leave to do what cannot be undone.
    EffectGranted,
    /// It has no leave, because that could not be put on record.
    GrantNotRecorded,
    /// The caller takes it back.
    TakenBack,
    /// Its worker died; `replay`: why it is sent once more, if it is.
    WorkerDied {
        cause: Cause,
        replay: Option<ReplayRule>,
    },
    /// The pool's actor failed; the one in its place was given the request.
    PoolReplaced,
}

/// When it happened, from the request's arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) after: Duration,
    pub(crate) what: What,
}

/// Bytes kept of a worker's own code. Those that are meant to be read are far shorter.
const CODE_KEPT: usize = 64;

/// How the caller was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum How {
    /// With a worker's result.
    Result,
    /// With a worker's own error.
    Error { code: Box<str>, outcome: Outcome },
    /// With an error of the service's.
    Failed { rule: EndRule, outcome: Outcome },
    /// Not at all: the caller had gone.
    Abandoned { outcome: Outcome },
    /// With an error of the service's: the pool's actor failed.
    PoolLost { outcome: Outcome },
    /// A try of a job, with an error of the service's: no pool had it.
    NotGiven {
        why: NoPool,
        code: ErrorCode,
        outcome: Outcome,
    },
}

/// Why no pool had a try of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPool {
    /// It is not for the owner.
    Denied,
    /// None offers the method.
    Unknown,
    /// The owner cannot have one of their own.
    NotForUser,
    /// The owner took the job back before.
    TakenBack,
}

impl How {
    /// With an error of the service's own: no pool had it.
    pub(crate) fn not_given(why: NoPool, error: &ErrorAnswer) -> How {
        How::NotGiven {
            why,
            code: error.service_code().unwrap_or(ErrorCode::Internal),
            outcome: error.outcome,
        }
    }

    /// With a worker's own error. A worker may call it what it likes; what is kept of that is bounded.
    pub(crate) fn error(code: &str, outcome: Outcome) -> How {
        let code = code[..code.floor_char_boundary(CODE_KEPT)].into();
        How::Error { code, outcome }
    }
}

/// The end of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) after: Duration,
    pub(crate) how: How,
}

/// The notes that a call carries. One actor at a time writes them; the lock is never waited for.
#[derive(Debug)]
pub(crate) struct Notes {
    came: Instant,
    taken: Mutex<Taken>,
}

#[derive(Debug, Clone, Default)]
struct Taken {
    /// Nearly every request leaves one note, or two.
    notes: SmallVec<[Note; 2]>,
    left_out: u32,
}

impl Notes {
    /// For a request that came then.
    pub(crate) fn new(came: Instant) -> Self {
        Self {
            came,
            taken: Mutex::default(),
        }
    }

    /// Something happened.
    pub(crate) fn add(&self, now: Instant, what: What) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.notes.len() == NOTES_MAX {
            taken.left_out += 1;
            return;
        }
        let after = now.saturating_duration_since(self.came);
        taken.notes.push(Note { after, what });
    }

    /// The notes of the same request in other hands.
    pub(crate) fn handed_on(&self) -> Self {
        Self {
            came: self.came,
            taken: Mutex::new(self.copied()),
        }
    }

    fn copied(&self) -> Taken {
        self.taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// All that is remembered of one request.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) request: RequestId,
    pub(crate) session: SessionId,
    pub(crate) origin: Origin,
    /// The operating system's name for the user.
    pub(crate) user: Arc<str>,
    pub(crate) method: Bytes,
    /// The try of a job that it was.
    pub(crate) job: Option<Arc<JobTry>>,
    pub(crate) replay: Replay,
    pub(crate) came: Instant,
    pub(crate) notes: SmallVec<[Note; 2]>,
    /// Notes that found no room.
    pub(crate) left_out: u32,
    /// `None`: it has not ended.
    pub(crate) end: Option<End>,
}

impl Story {
    /// The story of a call so far.
    pub(crate) fn so_far(call: &Call) -> Self {
        Self::of(call, None)
    }

    /// The story of a call that ends now.
    pub(crate) fn ended(call: &Call, now: Instant, how: How) -> Self {
        let after = now.saturating_duration_since(call.notes.came);
        Self::of(call, Some(End { after, how }))
    }

    fn of(call: &Call, end: Option<End>) -> Self {
        let Taken { notes, left_out } = call.notes.copied();
        Self {
            request: call.id,
            session: call.caller.session,
            origin: call.origin,
            user: Arc::clone(&call.caller.user),
            method: call.method.clone(),
            job: call.job.as_ref().map(|job| Arc::clone(&job.this)),
            replay: call.replay,
            came: call.notes.came,
            notes,
            left_out,
            end,
        }
    }

    /// It was answered by the first worker that had it, or never had one.
    fn is_ordinary(&self) -> bool {
        let mut sent = 0;
        for note in &self.notes {
            match note.what {
                What::Sent { .. } => sent += 1,
                What::IntentRecorded | What::EffectGranted => {}
                What::GrantNotRecorded
                | What::TakenBack
                | What::WorkerDied { .. }
                | What::PoolReplaced => return false,
            }
        }
        let by_worker = matches!(
            self.end,
            Some(End {
                how: How::Result | How::Error { .. },
                ..
            })
        );
        sent == 0 || by_worker
    }
}
