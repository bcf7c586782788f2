//! What a session that can be resumed remembers of answered requests, so that one that is sent again is not run again.
//!
//! After RIFL (Lee et al., "Implementing Linearizability at Large Scale and Low Latency", SOSP 2015): every request has
//! a number, its answer is kept under it, and it may go once the client has said that it has read it. An answer that
//! could not be given a second time by running the call again is never dropped before that; instead, new work of that
//! kind is refused while there is no room for its answer.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::ItemResult;
use crate::Fingerprint;

/// How much a session may remember.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLimits {
    /// Answers.
    pub answers_max: usize,
    /// Bytes of all of them together.
    pub bytes_max: usize,
}

/// Under which circumstances an answer is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Of the request. `None`: it came before the session could be resumed.
    pub fingerprint: Option<Fingerprint>,
    /// Running the call again does no harm, so its answer may be dropped when room is short.
    pub may_repeat: bool,
    /// The store has it as well.
    pub recorded: bool,
}

/// What the store knew of a request that an earlier life of the service had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It had begun; how it ended nobody knows.
    Begun(Fingerprint),
    /// It had this answer.
    Done(Fingerprint, ItemResult),
}

impl Found {
    /// Of the request.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        match self {
            Found::Begun(fingerprint) | Found::Done(fingerprint, _) => *fingerprint,
        }
    }
}

#[derive(Debug)]
struct Kept {
    keep: Keep,
    result: ItemResult,
}

/// What one answer costs beside its bytes, roughly.
const ANSWER_COST: usize = 128;

/// Answers up to this size are copied when they are kept. They are slices of what was read from a worker, and a small
/// one would hold all of that in memory.
const COPIED_MAX: usize = 16 * 1024;

fn cost(result: &ItemResult) -> usize {
    let (Ok(bytes) | Err(bytes)) = result;
    bytes.len() + ANSWER_COST
}

/// Answers by the number of their request, the smallest first. A client numbers upwards, so that nearly all come at the
/// end and go at the beginning.
#[derive(Debug, Default)]
struct Answers {
    kept: VecDeque<(u64, Kept)>,
    bytes: usize,
}

/// For so many answers the room is kept, though there are fewer.
const ROOM_KEPT: usize = 32;

impl Answers {
    fn get(&self, msgid: u64) -> Option<&Kept> {
        let place = self.place(msgid).ok()?;
        self.kept.get(place).map(|(_, kept)| kept)
    }

    /// Where it is, or where it belongs.
    fn place(&self, msgid: u64) -> Result<usize, usize> {
        match self.kept.back() {
            Some((last, _)) if *last >= msgid => {
                self.kept.binary_search_by_key(&msgid, |(msgid, _)| *msgid)
            }
            _ => Err(self.kept.len()),
        }
    }

    fn insert(&mut self, msgid: u64, kept: Kept) {
        self.bytes += cost(&kept.result);
        match self.place(msgid) {
            Ok(place) => {
                let (_, previous) = std::mem::replace(&mut self.kept[place], (msgid, kept));
                self.bytes -= cost(&previous.result);
            }
            Err(place) => self.kept.insert(place, (msgid, kept)),
        }
    }

    /// How many of those that go the store has.
    fn drop_up_to(&mut self, msgid: u64) -> usize {
        let mut recorded = 0;
        while self.kept.front().is_some_and(|(first, _)| *first <= msgid) {
            recorded += usize::from(self.drop_oldest().is_some_and(|keep| keep.recorded));
        }
        // What a burst took is given back.
        if self.kept.capacity() > ROOM_KEPT.max(self.kept.len() * 4) {
            self.kept.shrink_to(ROOM_KEPT.max(self.kept.len() * 2));
        }
        recorded
    }

    /// How the one that went was kept.
    fn drop_oldest(&mut self) -> Option<Keep> {
        let (_, oldest) = self.kept.pop_front()?;
        self.bytes -= cost(&oldest.result);
        Some(oldest.keep)
    }
}

/// The memory of one session.
#[derive(Debug)]
pub(super) struct Memory {
    limits: MemoryLimits,
    /// Every request up to this one was answered, and the client has read it.
    acked: Option<u64>,
    repeatable: Answers,
    /// Answers that must not be lost.
    fixed: Answers,
    found: BTreeMap<(u64, u32), Found>,
    /// Records that the store could forget and has not been told to.
    untold: usize,
}

/// The store is told to forget so many records at a time. It costs as much as one would, and that it has some more than
/// it must hurts nobody.
const FORGOTTEN_TOGETHER: usize = 32;

impl Memory {
    pub(super) fn new(limits: MemoryLimits) -> Self {
        Self {
            limits,
            acked: None,
            repeatable: Answers::default(),
            fixed: Answers::default(),
            found: BTreeMap::new(),
            untold: 0,
        }
    }

    /// Takes over what the store knew.
    pub(super) fn restore(
        &mut self,
        acked: Option<u64>,
        records: impl IntoIterator<Item = (u64, u32, Found)>,
    ) {
        self.acked = acked;
        for (msgid, item, found) in records {
            match (item, found) {
                (0, Found::Done(fingerprint, result)) => {
                    let keep = Keep {
                        fingerprint: Some(fingerprint),
                        may_repeat: false,
                        recorded: true,
                    };
                    self.fixed.insert(msgid, Kept { keep, result });
                }
                (item, found) => {
                    self.found.insert((msgid, item), found);
                }
            }
        }
    }

    pub(super) fn is_acked(&self, msgid: u64) -> bool {
        self.acked.is_some_and(|acked| msgid <= acked)
    }

    pub(super) fn answer(&self, msgid: u64) -> Option<(Option<Fingerprint>, &ItemResult)> {
        let kept = self.fixed.get(msgid);
        let kept = kept.or_else(|| self.repeatable.get(msgid))?;
        Some((kept.keep.fingerprint, &kept.result))
    }

    pub(super) fn found(&self, msgid: u64, item: u32) -> Option<&Found> {
        self.found.get(&(msgid, item))
    }

    /// Whether anything was found of this request, or of a call in it.
    pub(super) fn has_found(&self, msgid: u64) -> bool {
        let mut found = self.found.range((msgid, 0)..=(msgid, u32::MAX));
        found.next().is_some()
    }

    /// Whether there is room for the answer to one more request that must not run twice, beside `open` of them that
    /// are still to be answered. How long their answers will be nobody knows: for each an even share of the bytes is put
    /// by. With all of it put by for the longest that may be, a session could have no more than a few open; so what is
    /// open may bring more than there is room for, and it is kept all the same.
    pub(super) fn has_room(&self, open: usize) -> bool {
        let MemoryLimits {
            answers_max,
            bytes_max,
        } = self.limits;
        let put_by = (bytes_max / answers_max.max(1)).saturating_mul(open);
        self.fixed.kept.len() + open < answers_max
            && self.fixed.bytes.saturating_add(put_by) < bytes_max
    }

    /// Keeps an answer; false if the client has no need of it any more.
    pub(super) fn keep(&mut self, msgid: u64, keep: Keep, result: &ItemResult) -> bool {
        self.found.retain(|(of, _), _| *of != msgid);
        if self.is_acked(msgid) {
            return false;
        }
        let own = |bytes: &Bytes| {
            if bytes.len() <= COPIED_MAX {
                Bytes::copy_from_slice(bytes)
            } else {
                bytes.clone()
            }
        };
        let result = result.as_ref().map(own).map_err(own);
        let answers = if keep.may_repeat {
            &mut self.repeatable
        } else {
            &mut self.fixed
        };
        answers.insert(msgid, Kept { keep, result });
        while self.answers() > self.limits.answers_max || self.bytes() > self.limits.bytes_max {
            if self.repeatable.drop_oldest().is_none() {
                break;
            }
        }
        true
    }

    /// Drops answers that can be had again until so many bytes are free or there are no more.
    pub(super) fn drop_repeatable(&mut self, bytes: usize) {
        let goal = self.bytes().saturating_sub(bytes);
        while self.bytes() > goal && self.repeatable.drop_oldest().is_some() {}
    }

    /// The client has read everything up to this one. Whether it is time to tell the store.
    pub(super) fn ack(&mut self, up_to: u64) -> bool {
        if self.is_acked(up_to) {
            return false;
        }
        self.acked = Some(up_to);
        let before = self.found.len();
        self.found.retain(|(msgid, _), _| *msgid > up_to);
        self.untold += before - self.found.len();
        self.untold += self.fixed.drop_up_to(up_to) + self.repeatable.drop_up_to(up_to);
        let is_time = self.untold >= FORGOTTEN_TOGETHER;
        if is_time {
            self.untold = 0;
        }
        is_time
    }

    /// Whether it holds anything that could not be had by running a call again.
    pub(super) fn has_fixed(&self) -> bool {
        !self.fixed.kept.is_empty() || !self.found.is_empty()
    }

    pub(super) fn answers(&self) -> usize {
        self.fixed.kept.len() + self.repeatable.kept.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.fixed.bytes + self.repeatable.bytes
    }
}

#[cfg(test)]
mod tests;
