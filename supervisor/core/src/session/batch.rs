//! Many small calls in one round trip: their answers are collected and go out together, in the order of the calls.

use bytes::Bytes;

/// The answer to one call of a batch: an encoded result, or an encoded error answer.
pub type ItemResult = Result<Bytes, Bytes>;

/// One call of a batch as it comes in.
#[derive(Debug)]
pub enum BatchItem<C> {
    /// On its way to a pool.
    Open(C),
    /// Refused at the door, and its answer is looked for: it may have been made before.
    LookedFor,
    /// Answered at the door.
    Answered(ItemResult),
}

/// A batch with some of its answers.
#[derive(Debug)]
pub(super) struct Batch<C> {
    items: Vec<BatchItem<C>>,
    missing: usize,
}

impl<C> Batch<C> {
    pub(super) fn new(items: Vec<BatchItem<C>>) -> Self {
        let missing = items
            .iter()
            .filter(|item| !matches!(item, BatchItem::Answered(_)))
            .count();
        Self { items, missing }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.missing == 0
    }

    pub(super) fn open(&self) -> impl Iterator<Item = &C> {
        self.items.iter().filter_map(|item| match item {
            BatchItem::Open(call) => Some(call),
            BatchItem::LookedFor | BatchItem::Answered(_) => None,
        })
    }

    pub(super) fn call(&self, index: u32) -> Option<&C> {
        match self.items.get(index as usize)? {
            BatchItem::Open(call) => Some(call),
            BatchItem::LookedFor | BatchItem::Answered(_) => None,
        }
    }

    /// Takes an answer; false if that place has one or there is no such place.
    pub(super) fn put(&mut self, index: u32, answer: impl FnOnce() -> ItemResult) -> bool {
        match self.items.get_mut(index as usize) {
            Some(item @ (BatchItem::Open(_) | BatchItem::LookedFor)) => {
                *item = BatchItem::Answered(answer());
                self.missing -= 1;
                true
            }
            _ => false,
        }
    }

    pub(super) fn replace(&mut self, index: u32, call: C) {
        if let Some(BatchItem::Open(open)) = self.items.get_mut(index as usize) {
            *open = call;
        }
    }

    pub(super) fn into_results(self) -> Vec<ItemResult> {
        let results = self.items.into_iter().map(|item| match item {
            BatchItem::Answered(result) => result,
            BatchItem::Open(_) | BatchItem::LookedFor => {
                unreachable!("only a complete batch is taken apart")
            }
        });
        results.collect()
    }
}
