//! The requests that have no answer yet, each as it has to be said again should the connection be lost. It remembers and
//! decides; it sends nothing and has no clock.

mod lost;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bytes::Bytes;
use standin_protocol::{self as protocol, Frame, Meta, Outcome};
use tokio::{sync::oneshot, time::Instant};

use crate::CallError;

/// An answer as it came: a result or an error place, both encoded; or why there is none.
pub(crate) type Answer = Result<Result<Bytes, Bytes>, CallError>;

/// What is asked, and how. The `ack` of its meta is not looked at.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) params: Bytes,
    pub(crate) meta: Meta,
}

impl Asked {
    /// The message, with what is left of its time and an acknowledgement of what was answered before.
    pub(crate) fn frame(&self, msgid: u64, timeout_ms: Option<u64>, ack: Option<u64>) -> Frame {
        self.written(
            msgid,
            Meta {
                timeout_ms,
                ack,
                ..self.meta.clone()
            },
        )
    }

    /// The same when it is said once more; `again`: the service may have got it before.
    pub(crate) fn frame_again(&self, msgid: u64, timeout_ms: Option<u64>, again: bool) -> Frame {
        self.written(
            msgid,
            Meta {
                timeout_ms,
                again,
                ..self.meta.clone()
            },
        )
    }

    fn written(&self, msgid: u64, meta: Meta) -> Frame {
        let write = |out: &mut Vec<u8>| out.extend_from_slice(&meta.encode());
        let meta: Option<protocol::WriteMeta<'_>> =
            if meta.is_empty() { None } else { Some(&write) };
        protocol::request(msgid, self.method.as_bytes(), &self.params, meta)
    }
}

/// A request without an answer.
#[derive(Debug)]
pub(crate) struct Open {
    asked: Asked,
    /// `None`: nobody waits any more, but the answer still belongs to something that was asked.
    answer: Option<oneshot::Sender<Answer>>,
    /// When the caller's own time is up.
    deadline: Option<Instant>,
    /// How long a connection is waited for while there is none.
    expires: Option<Instant>,
    /// Its place among the messages of the present connection; 0: it is not among them.
    place: u64,
    /// Whether the service may have got it by a connection that is lost.
    is_given: bool,
    /// The request that takes this one back. It is then not said again.
    taken_back_by: Option<u64>,
    /// The request that this one takes back.
    takes_back: Option<u64>,
}

impl Open {
    pub(crate) fn new(
        asked: Asked,
        answer: Option<oneshot::Sender<Answer>>,
        deadline: Option<Instant>,
    ) -> Self {
        Self {
            asked,
            answer,
            deadline,
            expires: None,
            place: 0,
            is_given: false,
            taken_back_by: None,
            takes_back: None,
        }
    }

    /// What is known about its effect if the service has got messages of this connection up to `given` only.
    fn outcome(&self, given: u64) -> Outcome {
        if self.is_given || (self.place != 0 && self.place <= given) {
            Outcome::Unknown
        } else {
            Outcome::NotExecuted
        }
    }

    pub(crate) fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Tells whoever waits.
    pub(crate) fn end(self, answer: Answer) {
        // Whoever asked may have gone.
        self.answer.map(|sender| sender.send(answer));
    }
}

/// The requests without an answer, by their numbers, which grow by one.
#[derive(Debug)]
pub(crate) struct Outbox {
    open: BTreeMap<u64, Open>,
    last_msgid: u64,
}

impl Outbox {
    /// An empty one. Numbers up to this one are used.
    pub(crate) fn after(last_msgid: u64) -> Self {
        Self {
            open: BTreeMap::new(),
            last_msgid,
        }
    }

    /// The number that the next request will have.
    pub(crate) fn next_msgid(&self) -> u64 {
        self.last_msgid + 1
    }

    /// The same for a request that is never said again.
    pub(crate) fn use_msgid(&mut self) -> u64 {
        self.last_msgid += 1;
        self.last_msgid
    }

    /// Every number up to this one is answered, or nobody wants its answer any more.
    pub(crate) fn answered_up_to(&self) -> u64 {
        let first = self.open.first_key_value();
        first.map_or(self.last_msgid, |(first, _)| first - 1)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes the next request, which is on its way: `place` is where, among the messages of the connection.
    pub(crate) fn insert(&mut self, mut open: Open, place: u64) -> u64 {
        open.place = place;
        let msgid = self.use_msgid();
        self.open.insert(msgid, open);
        msgid
    }

    /// The same while there is no connection. One that has no time of its own waits until `otherwise`.
    pub(crate) fn insert_waiting(&mut self, mut open: Open, otherwise: Instant) -> u64 {
        open.expires = open.deadline.or(Some(otherwise));
        self.insert(open, 0)
    }

    /// An answer has come. `false`: it was given before, or nothing was asked under that number.
    pub(crate) fn answered(&mut self, msgid: u64, result: Result<Bytes, Bytes>) -> bool {
        let Some(open) = self.remove(msgid) else {
            return false;
        };
        open.end(Ok(result));
        true
    }

    fn remove(&mut self, msgid: u64) -> Option<Open> {
        let open = self.open.remove(&msgid)?;
        // What was taken back on a connection that is lost is not said again. Now that the service has been told to
        // drop it, or the time for that is up, nothing more comes of it.
        if let Some(target) = open.takes_back
            && self.open.get(&target).is_some_and(|open| open.place == 0)
        {
            self.open.remove(&target);
        }
        Some(open)
    }

    /// Nobody waits for this one any more: whether it is open, and was waited for.
    pub(crate) fn forget_waiter(&mut self, msgid: u64) -> bool {
        let open = self.open.get_mut(&msgid);
        open.is_some_and(|open| open.answer.take().is_some())
    }

    /// Whether the service cannot have got this one, and will not before there is another connection.
    pub(crate) fn is_unsent(&self, msgid: u64) -> bool {
        let open = self.open.get(&msgid);
        open.is_some_and(|open| open.place == 0 && !open.is_given)
    }

    /// When the time of an open one is up, if it has one.
    pub(crate) fn deadline_of_open(&self, msgid: u64) -> Option<Option<Instant>> {
        self.open.get(&msgid).map(|open| open.deadline)
    }

    /// Nothing comes of it, and the service need not be told.
    pub(crate) fn drop_unsent(&mut self, msgid: u64) {
        self.open.remove(&msgid);
    }

    /// This request takes that one back.
    pub(crate) fn takes_back(&mut self, msgid: u64, target: u64) {
        if let Some(open) = self.open.get_mut(&msgid) {
            open.takes_back = Some(target);
        }
        if let Some(open) = self.open.get_mut(&target) {
            open.taken_back_by = Some(msgid);
        }
    }

    /// All of it is over, for this reason.
    pub(crate) fn end_all(&mut self, given: u64, reason: impl Fn(Outcome) -> CallError) {
        for (_, open) in std::mem::take(&mut self.open) {
            let outcome = open.outcome(given);
            open.end(Err(reason(outcome)));
        }
    }
}
