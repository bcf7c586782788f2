//! Requests that wait until every pool has said what it offers, because their method may be one of those. They wait no
//! longer than their callers do.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ractor::ActorRef;
use rustc_hash::FxHashSet;
use standin_core::{quota::Charge, session::NumberReused};
use standin_protocol::{ErrorAnswer, ErrorCode, Outcome, Request};

use super::{
    SessionMessage, SessionState,
    intake::{TIMEOUT_MAX, read_meta},
};
use crate::{clock, pools::PoolsMessage};

/// Those that wait, in the order in which they came.
#[derive(Default)]
pub(super) struct Unlocated {
    waiting: Vec<Waiting>,
    /// Theirs. A program may send a thousand requests at once, and each is looked for among all of them.
    numbers: FxHashSet<u64>,
}

impl Unlocated {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn add(&mut self, waiting: Waiting) {
        self.numbers.insert(waiting.request.msgid);
        self.waiting.push(waiting);
    }

    fn take_due(&mut self, now: Instant) -> Vec<Waiting> {
        let is_due =
            |waiting: &mut Waiting| waiting.deadline.is_some_and(|deadline| now >= deadline);
        let due: Vec<_> = self.waiting.extract_if(.., is_due).collect();
        for due in &due {
            self.numbers.remove(&due.request.msgid);
        }
        due
    }

    fn find(&self, msgid: u64) -> Option<&Waiting> {
        if !self.numbers.contains(&msgid) {
            return None;
        }
        let mut waiting = self.waiting.iter();
        waiting.find(|waiting| waiting.request.msgid == msgid)
    }

    fn take(&mut self, msgid: u64) -> Option<Waiting> {
        if !self.numbers.remove(&msgid) {
            return None;
        }
        let mut waiting = self.waiting.iter();
        let index = waiting.position(|waiting| waiting.request.msgid == msgid)?;
        Some(self.waiting.remove(index))
    }
}

/// One that waits.
struct Waiting {
    request: Request,
    /// When it came: the caller's time runs from there.
    since: Instant,
    /// `None`: the caller has set none, and the pools' own start times are a limit.
    deadline: Option<Instant>,
    /// It counts for its user while it waits, and once more, as a call, afterwards.
    charge: Charge,
}

impl SessionState {
    /// Keeps a request until every pool has said what it offers, or failed to.
    pub(super) fn wait_for_directory(&mut self, request: Request, since: Option<Instant>) {
        if self.wait(request, since) {
            let (session, user) = (self.caller.actor.clone(), Arc::clone(&self.caller.user));
            let ask = PoolsMessage::TellWhenSettled(session, Some(user));
            let _ = self.environment.pools.cast(ask);
        }
    }

    /// Keeps a request until the directory has changed. False: it is refused.
    pub(super) fn wait(&mut self, request: Request, since: Option<Instant>) -> bool {
        let charge = match self.charge(request.params.len()) {
            Ok(charge) => charge,
            Err(error) => {
                self.turn_away(&request, error);
                return false;
            }
        };
        let since = since.unwrap_or_else(clock::now);
        // One that cannot be read is refused when its turn comes.
        let timeout = read_meta(request.meta.as_ref())
            .ok()
            .and_then(|meta| meta.timeout_ms);
        let timeout = timeout.map(|timeout_ms| Duration::from_millis(timeout_ms).min(TIMEOUT_MAX));
        let deadline = timeout.map(|timeout| since + timeout);
        self.unlocated.add(Waiting {
            request,
            since,
            deadline,
            charge,
        });
        if let Some(deadline) = deadline {
            let session = self.caller.actor.clone();
            tokio::spawn(async move {
                tokio::time::sleep_until(deadline.into()).await;
                let _ = session.cast(SessionMessage::UnlocatedDue);
            });
        }
        true
    }

    /// What a request is that has the number of one that waits: the same, sent again, or another one, if the session can
    /// tell.
    pub(super) fn again_unlocated(&self, request: &Request) -> Option<Result<(), NumberReused>> {
        let waiting = self.unlocated.find(request.msgid)?;
        let is_same =
            waiting.request.method == request.method && waiting.request.params == request.params;
        let is_same = is_same || !self.core.is_resumable();
        Some(if is_same { Ok(()) } else { Err(NumberReused) })
    }

    /// The directory has changed: what could not be placed may be placed now.
    pub(super) fn locate_again(&mut self, myself: &ActorRef<SessionMessage>) {
        self.unlocated_due();
        for waiting in std::mem::take(&mut self.unlocated).waiting {
            drop(waiting.charge);
            self.request(myself, waiting.request, Some(waiting.since));
        }
    }

    /// Answers those whose callers have waited long enough.
    pub(super) fn unlocated_due(&mut self) {
        for due in self.unlocated.take_due(clock::now()) {
            let why = "was not begun in time: processes that may offer it are still starting.";
            self.give_up(&due.request, ErrorCode::DeadlineExceeded, why);
        }
    }

    /// Takes back the request of that number, if it is among those that wait.
    pub(super) fn cancel_unlocated(&mut self, msgid: u64) -> bool {
        let Some(cancelled) = self.unlocated.take(msgid) else {
            return false;
        };
        self.give_up(&cancelled.request, ErrorCode::Cancelled, "was cancelled.");
        true
    }

    /// Answers one that waited in vain.
    fn give_up(&mut self, request: &Request, code: ErrorCode, why: &str) {
        let (outcome, fate) = if self.core.was_begun_before(request.msgid) {
            let fate = "Some of its calls had begun before Standin was interrupted.";
            (Outcome::Unknown, fate)
        } else {
            (Outcome::NotExecuted, "It was not executed.")
        };
        let method = String::from_utf8_lossy(&request.method);
        let error = ErrorAnswer::new(code, format!("\"{method}\" {why} {fate}"));
        self.turn_away(request, error.with_outcome(outcome));
    }
}
