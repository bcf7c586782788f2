//! What one client has asked and is owed.
//!
//! [`SessionCore`] owns the open requests of a session, the batches that are being put together, the callbacks
//! that wait for the client, and, if the session can be resumed, the answers that its client may still ask for again.
//! It decides who gets an answer, once. The session actor asks it and does what it says; it does not know how an
//! answer travels. `C` is whatever stands for a call outside.

mod admission;
mod batch;
mod callbacks;
mod lost;
mod memory;
mod questions;
mod recording;

use rustc_hash::FxHashMap;

pub use self::{
    admission::{Admission, NumberReused},
    batch::{BatchItem, ItemResult},
    callbacks::Callbacks,
    lost::{AfterPoolLost, Stage, after_pool_lost, outcome_after_pool_lost},
    memory::{Found, Keep, MemoryLimits},
    questions::{Question, QuestionList},
    recording::{RecordedAs, is_worth_a_record},
};
use self::{batch::Batch, memory::Memory};

/// To what an answer belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The client's own request.
    Request {
        /// Its msgid.
        msgid: u64,
    },
    /// One of the calls of a batch.
    Item {
        /// The msgid of the batch.
        msgid: u64,
        /// Its place in the batch, from 0.
        index: u32,
    },
}

impl Origin {
    /// The msgid that the client knows it by.
    #[must_use]
    pub const fn msgid(self) -> u64 {
        match self {
            Origin::Request { msgid } | Origin::Item { msgid, .. } => msgid,
        }
    }
}

/// What an answer leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Answered {
    /// Send it to the client.
    Send {
        /// The client's number for the request.
        msgid: u64,
        /// Keep it as well, in this way.
        keep: Option<Keep>,
    },
    /// The batch is complete: send this.
    SendBatch {
        /// The client's number for the batch.
        msgid: u64,
        /// Keep it as well, in this way.
        keep: Option<Keep>,
        /// The answers in the order of the calls.
        items: Vec<ItemResult>,
    },
    /// It was one of a batch that is not complete.
    Kept,
    /// Nobody waits for it: a second answer, or one that came after the end.
    Nobody,
}

#[derive(Debug)]
enum Open<C> {
    Call(C),
    Batch(Batch<C>),
    /// Answered by the service itself, later.
    Own,
}

#[derive(Debug)]
struct OpenRequest<C> {
    what: Open<C>,
    keep: Keep,
}

/// The requests of one session.
#[derive(Debug)]
pub struct SessionCore<C> {
    open: FxHashMap<u64, OpenRequest<C>>,
    /// Calls open, those in batches counted one by one.
    open_calls: usize,
    requests_max: usize,
    unwanted_answers: u64,
    /// Requests open that must not run twice.
    open_fixed: usize,
    /// The newest connection of its client.
    connection: u64,
    /// `None`: the session ends with its connection.
    memory: Option<Box<Memory>>,
}

impl<C> SessionCore<C> {
    /// A session with nothing open, that may have so many open at a time.
    #[must_use]
    pub fn new(requests_max: usize) -> Self {
        Self {
            open: FxHashMap::default(),
            open_calls: 0,
            requests_max,
            unwanted_answers: 0,
            open_fixed: 0,
            connection: 0,
            memory: None,
        }
    }

    /// From now on answers are kept until the client has acknowledged them, and what must not run twice is on record: what is
    /// open already has to be put there.
    pub fn remember(&mut self, limits: MemoryLimits) {
        for open in self.open.values_mut() {
            open.keep.recorded = !open.keep.may_repeat;
        }
        self.memory
            .get_or_insert_with(|| Box::new(Memory::new(limits)));
    }

    /// Takes over what the store kept of an earlier life of the service: for each request its number, its place in a
    /// batch (from 1; 0: the request itself) and what is known.
    pub fn restore(
        &mut self,
        limits: MemoryLimits,
        acked: Option<u64>,
        records: impl IntoIterator<Item = (u64, u32, Found)>,
    ) {
        let mut memory = Memory::new(limits);
        memory.restore(acked, records);
        self.memory = Some(Box::new(memory));
    }

    /// Whether the session outlives its connection.
    #[must_use]
    pub fn is_resumable(&self) -> bool {
        self.memory.is_some()
    }

    /// Nobody will ask for an answer again.
    pub fn forget_answers(&mut self) {
        self.memory = None;
    }

    /// Whether a client that comes back could miss something: a call that is open, or an answer that could not be had
    /// a second time.
    #[must_use]
    pub fn owes_anything(&self) -> bool {
        let memory = self.memory.as_ref();
        !self.open.is_empty() || memory.is_some_and(|memory| memory.has_fixed())
    }

    /// Keeps an answer that [`Answered`] said to keep; false if the client has acknowledged it already.
    pub fn keep(&mut self, msgid: u64, keep: Keep, result: &ItemResult) -> bool {
        let memory = self.memory.as_mut();
        memory.is_some_and(|memory| memory.keep(msgid, keep, result))
    }

    /// Drops answers that can be had by running their calls again, the oldest first, until so many bytes are free or
    /// there are no more of them.
    pub fn drop_repeatable(&mut self, bytes: usize) {
        if let Some(memory) = &mut self.memory {
            memory.drop_repeatable(bytes);
        }
    }

    /// The client has read every answer up to this one. True: it is time to tell the store, which may forget some.
    pub fn ack(&mut self, up_to: u64) -> bool {
        let memory = self.memory.as_mut();
        memory.is_some_and(|memory| memory.ack(up_to))
    }

    fn insert(&mut self, msgid: u64, calls: usize, what: Open<C>, keep: Keep) {
        self.open_calls += calls;
        self.open_fixed += usize::from(!keep.may_repeat);
        let previous = self.open.insert(msgid, OpenRequest { what, keep });
        assert!(previous.is_none(), "only an admitted request is opened");
    }

    /// The request is over. How its answer is to be kept, if it is.
    fn close(&mut self, msgid: u64, keep: Keep, calls: usize) -> Option<Keep> {
        self.open.remove(&msgid);
        self.open_calls -= calls;
        self.open_fixed -= usize::from(!keep.may_repeat);
        self.memory.is_some().then_some(keep)
    }

    /// Notes an admitted request that a pool will answer.
    pub fn open_call(&mut self, msgid: u64, call: C, keep: Keep) {
        self.insert(msgid, 1, Open::Call(call), keep);
    }

    /// Notes an admitted request that the service answers itself, but not at once. It may be asked again.
    pub fn open_own(&mut self, msgid: u64) {
        let keep = Keep {
            fingerprint: None,
            may_repeat: true,
            recorded: false,
        };
        self.insert(msgid, 1, Open::Own, keep);
    }

    /// Notes an admitted batch. Calls that fail before they reach a pool come answered.
    pub fn open_batch(&mut self, msgid: u64, items: Vec<BatchItem<C>>, keep: Keep) {
        self.insert(msgid, items.len(), Open::Batch(Batch::new(items)), keep);
    }

    /// The batch, if all of it is answered already.
    pub fn finish_batch(&mut self, msgid: u64) -> Answered {
        let open = self.open.get(&msgid).map(|open| &open.what);
        match open {
            Some(Open::Batch(batch)) if batch.is_complete() => self.close_batch(msgid),
            _ => Answered::Kept,
        }
    }

    /// Takes an answer. `item` is asked for only if the answer belongs into a batch.
    pub fn answered(&mut self, origin: Origin, item: impl FnOnce() -> ItemResult) -> Answered {
        let msgid = origin.msgid();
        let Some(open) = self.open.get_mut(&msgid) else {
            self.unwanted_answers += 1;
            return Answered::Nobody;
        };
        let keep = open.keep;
        match (origin, &mut open.what) {
            (Origin::Request { .. }, Open::Call(_)) => {
                let keep = self.close(msgid, keep, 1);
                Answered::Send { msgid, keep }
            }
            (Origin::Request { .. }, Open::Own) => {
                self.close(msgid, keep, 1);
                Answered::Send { msgid, keep: None }
            }
            (Origin::Item { index, .. }, Open::Batch(batch)) => {
                if !batch.put(index, item) {
                    self.unwanted_answers += 1;
                    Answered::Nobody
                } else if batch.is_complete() {
                    self.close_batch(msgid)
                } else {
                    Answered::Kept
                }
            }
            _ => {
                self.unwanted_answers += 1;
                Answered::Nobody
            }
        }
    }

    fn close_batch(&mut self, msgid: u64) -> Answered {
        let Some(OpenRequest {
            what: Open::Batch(batch),
            keep,
        }) = self.open.get_mut(&msgid)
        else {
            unreachable!("the batch was just seen")
        };
        let keep = *keep;
        let items = std::mem::replace(batch, Batch::new(Vec::new())).into_results();
        let keep = self.close(msgid, keep, items.len());
        Answered::SendBatch { msgid, keep, items }
    }

    /// The call that an answer with this origin would be for.
    #[must_use]
    pub fn call(&self, origin: Origin) -> Option<&C> {
        match (origin, &self.open.get(&origin.msgid())?.what) {
            (Origin::Request { .. }, Open::Call(call)) => Some(call),
            (Origin::Item { index, .. }, Open::Batch(batch)) => batch.call(index),
            _ => None,
        }
    }

    /// The calls that are still open under a number; none if it is not known.
    pub fn calls_of(&self, msgid: u64) -> impl Iterator<Item = &C> {
        let open = self.open.get(&msgid).map(|open| &open.what);
        let single = open.and_then(|open| {
            if let Open::Call(call) = open {
                Some(call)
            } else {
                None
            }
        });
        let batch = open.and_then(|open| {
            if let Open::Batch(batch) = open {
                Some(batch)
            } else {
                None
            }
        });
        single
            .into_iter()
            .chain(batch.into_iter().flat_map(Batch::open))
    }

    /// Puts another call in the place of one that is still open.
    pub fn replace_call(&mut self, origin: Origin, call: C) {
        let open = self.open.get_mut(&origin.msgid());
        match (origin, open.map(|open| &mut open.what)) {
            (Origin::Request { .. }, Some(Open::Call(open))) => *open = call,
            (Origin::Item { index, .. }, Some(Open::Batch(batch))) => batch.replace(index, call),
            _ => {}
        }
    }

    /// All calls that are still open, in no order.
    pub fn calls(&self) -> impl Iterator<Item = &C> {
        self.open.keys().flat_map(|msgid| self.calls_of(*msgid))
    }

    /// How many calls are open.
    #[must_use]
    pub fn open_calls(&self) -> usize {
        self.open_calls
    }

    /// How many answers are kept, and their bytes.
    #[must_use]
    pub fn kept(&self) -> (usize, usize) {
        let memory = self.memory.as_ref();
        memory.map_or((0, 0), |memory| (memory.answers(), memory.bytes()))
    }

    /// How many answers came that nobody waited for.
    #[must_use]
    pub fn unwanted_answers(&self) -> u64 {
        self.unwanted_answers
    }
}

#[cfg(test)]
mod tests;
