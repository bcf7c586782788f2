//! What one client has asked and is owed.
//!
//! [`SessionCore`] owns the open requests of a session, the batches that are being put together and the callbacks
//! that wait for the client. It decides who gets an answer, once. The session actor asks it and does what it says;
//! it does not know how an answer travels. `C` is whatever stands for a call outside.

mod batch;
mod callbacks;
mod lost;

use rustc_hash::FxHashMap;

use self::batch::Batch;
pub use self::{
    batch::{BatchItem, ItemResult},
    callbacks::Callbacks,
    lost::{AfterPoolLost, Stage, after_pool_lost, outcome_after_pool_lost},
};

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

/// Whether a request is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is new: answer it, once.
    New,
    /// It is open already: it was sent again, and the answer to the first one answers both.
    Duplicate,
    /// The session has too many open: refuse it.
    TooMany,
}

/// What an answer leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Answered {
    /// Send it to the client.
    Send {
        /// The client's number for the request.
        msgid: u64,
    },
    /// The batch is complete: send this.
    SendBatch {
        /// The client's number for the batch.
        msgid: u64,
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

/// The open requests of one session.
#[derive(Debug)]
pub struct SessionCore<C> {
    open: FxHashMap<u64, Open<C>>,
    /// Calls open, those in batches counted one by one.
    open_calls: usize,
    requests_max: usize,
    unwanted_answers: u64,
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
        }
    }

    /// Whether a request with this number, of this many calls, is taken.
    #[must_use]
    pub fn admit(&self, msgid: u64, calls: usize) -> Admission {
        if self.open.contains_key(&msgid) {
            Admission::Duplicate
        } else if self.open_calls + calls > self.requests_max {
            Admission::TooMany
        } else {
            Admission::New
        }
    }

    /// Notes an admitted request that a pool will answer.
    pub fn open_call(&mut self, msgid: u64, call: C) {
        self.open_calls += 1;
        let previous = self.open.insert(msgid, Open::Call(call));
        assert!(previous.is_none(), "only an admitted request is opened");
    }

    /// Notes an admitted request that the service answers itself, but not at once.
    pub fn open_own(&mut self, msgid: u64) {
        self.open_calls += 1;
        let previous = self.open.insert(msgid, Open::Own);
        assert!(previous.is_none(), "only an admitted request is opened");
    }

    /// Notes an admitted batch. Calls that fail before they reach a pool come answered.
    pub fn open_batch(&mut self, msgid: u64, items: Vec<BatchItem<C>>) {
        self.open_calls += items.len();
        let previous = self.open.insert(msgid, Open::Batch(Batch::new(items)));
        assert!(previous.is_none(), "only an admitted request is opened");
    }

    /// The batch, if all of it is answered already.
    pub fn finish_batch(&mut self, msgid: u64) -> Answered {
        match self.open.get(&msgid) {
            Some(Open::Batch(batch)) if batch.is_complete() => self.close_batch(msgid),
            _ => Answered::Kept,
        }
    }

    /// Takes an answer. `item` is asked for only if the answer belongs into a batch.
    pub fn answered(&mut self, origin: Origin, item: impl FnOnce() -> ItemResult) -> Answered {
        match (origin, self.open.get_mut(&origin.msgid())) {
            (Origin::Request { msgid }, Some(Open::Call(_) | Open::Own)) => {
                self.open.remove(&msgid);
                self.open_calls -= 1;
                Answered::Send { msgid }
            }
            (Origin::Item { msgid, index }, Some(Open::Batch(batch))) => {
                if !batch.put(index, item) {
                    self.unwanted_answers += 1;
                    return Answered::Nobody;
                }
                if batch.is_complete() {
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
        let Some(Open::Batch(batch)) = self.open.remove(&msgid) else {
            unreachable!("the batch was just seen")
        };
        let items = batch.into_results();
        self.open_calls -= items.len();
        Answered::SendBatch { msgid, items }
    }

    /// The calls that are still open under a number; none if it is not known.
    pub fn calls_of(&self, msgid: u64) -> impl Iterator<Item = &C> {
        let open = self.open.get(&msgid);
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
        match (origin, self.open.get_mut(&origin.msgid())) {
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

    /// How many answers came that nobody waited for.
    #[must_use]
    pub fn unwanted_answers(&self) -> u64 {
        self.unwanted_answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unused() -> ItemResult {
        unreachable!("no batch here")
    }

    #[test]
    fn a_request_is_answered_once_however_many_answers_come() {
        let mut core = SessionCore::new(10);
        assert_eq!(core.admit(0, 1), Admission::New);
        core.open_call(0, "call");
        let origin = Origin::Request { msgid: 0 };
        assert_eq!(core.answered(origin, unused), Answered::Send { msgid: 0 });
        assert_eq!(core.answered(origin, unused), Answered::Nobody);
        assert_eq!(core.open_calls(), 0);
        assert_eq!(core.unwanted_answers(), 1);
    }

    #[test]
    fn a_request_sent_again_while_it_is_open_is_not_run_again() {
        let mut core = SessionCore::new(10);
        core.open_call(7, "call");
        assert_eq!(core.admit(7, 1), Admission::Duplicate);
    }

    #[test]
    fn a_session_cannot_hold_more_than_its_share_open() {
        let mut core = SessionCore::new(2);
        core.open_call(1, "a");
        assert_eq!(core.admit(2, 2), Admission::TooMany);
        core.open_own(2);
        assert_eq!(core.admit(3, 1), Admission::TooMany);
        assert_eq!(
            core.answered(Origin::Request { msgid: 2 }, unused),
            Answered::Send { msgid: 2 }
        );
        assert_eq!(core.admit(3, 1), Admission::New);
    }

    #[test]
    fn a_batch_is_answered_when_its_last_call_is() {
        let mut core = SessionCore::new(10);
        let refused = ItemResult::Err(bytes(b"\xa2no"));
        let items = vec![
            BatchItem::Open("a"),
            BatchItem::Answered(refused.clone()),
            BatchItem::Open("b"),
        ];
        core.open_batch(5, items);
        assert_eq!(core.finish_batch(5), Answered::Kept);
        assert_eq!(core.calls_of(5).count(), 2);
        let item = |index| Origin::Item { msgid: 5, index };
        assert_eq!(
            core.answered(item(2), || Ok(bytes(b"\x02"))),
            Answered::Kept
        );
        assert_eq!(
            core.answered(item(2), || Ok(bytes(b"\x02"))),
            Answered::Nobody
        );
        assert_eq!(
            core.answered(item(9), || Ok(bytes(b"\x02"))),
            Answered::Nobody
        );
        let all = vec![Ok(bytes(b"\x00")), refused, Ok(bytes(b"\x02"))];
        assert_eq!(
            core.answered(item(0), || Ok(bytes(b"\x00"))),
            Answered::SendBatch {
                msgid: 5,
                items: all
            }
        );
        assert_eq!(core.open_calls(), 0);
    }

    #[test]
    fn a_call_given_to_a_new_pool_takes_the_place_of_the_old_one() {
        let mut core = SessionCore::new(10);
        core.open_call(1, "first");
        core.open_batch(2, vec![BatchItem::Open("a"), BatchItem::Open("b")]);
        core.replace_call(Origin::Request { msgid: 1 }, "second");
        core.replace_call(Origin::Item { msgid: 2, index: 1 }, "c");
        // One that has its answer by now, or never was, is nobody's.
        core.replace_call(Origin::Request { msgid: 9 }, "x");
        core.replace_call(Origin::Item { msgid: 2, index: 9 }, "x");
        let mut calls: Vec<_> = core.calls().copied().collect();
        calls.sort_unstable();
        assert_eq!(calls, ["a", "c", "second"]);
        assert_eq!(core.open_calls(), 3);
    }

    #[test]
    fn a_batch_that_fails_at_the_door_is_answered_at_once() {
        let mut core: SessionCore<&str> = SessionCore::new(10);
        let refused = ItemResult::Err(bytes(b"\xa2no"));
        core.open_batch(5, vec![BatchItem::Answered(refused.clone())]);
        let items = vec![refused];
        assert_eq!(
            core.finish_batch(5),
            Answered::SendBatch { msgid: 5, items }
        );
        assert_eq!(core.open_calls(), 0);
        assert_eq!(core.admit(5, 1), Admission::New);
    }

    fn bytes(text: &'static [u8]) -> bytes::Bytes {
        bytes::Bytes::from_static(text)
    }
}
