//! What becomes of the open requests when a connection is lost, when there is another, and when there is none for too
//! long.

use standin_protocol::{Frame, Outcome};
use tokio::time::Instant;

use super::{Open, Outbox};
use crate::CallError;

impl Outbox {
    /// The connection is lost; the service has got its messages up to `given`, no more. Until there is another one,
    /// each request waits for its own time, or until `otherwise`; but a connection that was of no use makes no wait
    /// longer that began before it.
    pub(crate) fn connection_lost(&mut self, given: u64, otherwise: Instant, was_fruitful: bool) {
        let mut taken_back = Vec::new();
        for (msgid, open) in &mut self.open {
            open.is_given |= open.place != 0 && open.place <= given;
            open.place = 0;
            let waits_on = open.expires.filter(|_| !was_fruitful);
            open.expires = waits_on.or(open.deadline).or(Some(otherwise));
            if let Some(cancel) = open.taken_back_by {
                taken_back.push((*msgid, cancel, open.is_given));
            }
        }
        for (msgid, cancel, is_given) in taken_back {
            // Messages arrive in order: where the request has not arrived, what takes it back has not either. Where that
            // was answered, nothing more is wanted of the service.
            if !is_given {
                self.open.remove(&cancel);
            }
            if !self.open.contains_key(&cancel) {
                self.open.remove(&msgid);
            }
        }
    }

    /// The service knows nothing of what was asked before. What it cannot have got is asked now, and so is what may be
    /// asked twice; of the rest nobody will ever know.
    pub(crate) fn session_lost(&mut self, why: impl Fn() -> CallError) {
        let is_over = |_: &u64, open: &mut Open| {
            let may_run_twice = open.asked.meta.key.is_some() || open.asked.meta.idempotent;
            let is_taken_back = open.taken_back_by.is_some() || open.takes_back.is_some();
            is_taken_back || (open.is_given && !may_run_twice)
        };
        for (_, open) in self.open.extract_if(.., is_over) {
            open.end(Err(why()));
        }
    }

    /// There is a connection again: all that is to be said on it, in the order of the numbers. `place` gives each its
    /// place among the messages.
    pub(crate) fn say_again(&mut self, now: Instant, mut say: impl FnMut(Frame) -> u64) {
        for (msgid, open) in &mut self.open {
            if open.taken_back_by.is_some() {
                continue;
            }
            let left = open.deadline.map(|deadline| {
                let left = deadline.saturating_duration_since(now);
                u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1)
            });
            // Without an acknowledgement, which is said before: so no message is longer than was checked the first time.
            let timeout_ms = left.or(open.asked.meta.timeout_ms);
            let frame = open.asked.frame_again(*msgid, timeout_ms, open.is_given);
            open.place = say(frame);
        }
    }

    /// When the next one has waited long enough for a connection.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.open.values().filter_map(|open| open.expires).min()
    }

    /// Ends those that have waited long enough. `reason` is for those that have no time of their own.
    pub(crate) fn expire(&mut self, now: Instant, reason: impl Fn(Outcome) -> CallError) {
        let expired = |open: &Open| open.expires.is_some_and(|expires| expires <= now);
        let over: Vec<u64> = self
            .open
            .iter()
            .filter(|(_, open)| expired(open))
            .map(|(msgid, _)| *msgid)
            .collect();
        for msgid in over {
            let Some(open) = self.remove(msgid) else {
                continue;
            };
            let outcome = open.outcome(0);
            let error = match open.deadline {
                Some(_) => CallError::DeadlineExceeded { outcome },
                None => reason(outcome),
            };
            open.end(Err(error));
        }
    }
}
