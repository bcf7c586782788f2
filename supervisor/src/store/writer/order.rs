//! A write on its way, and who hears what became of it.

use std::fmt;

use crate::store::record::{Durability, Refusal, Write};

/// A write, and who hears of it.
pub(in crate::store) struct Order {
    pub(in crate::store) write: Write,
    pub(in crate::store) durability: Durability,
    pub(in crate::store) then: Option<Then>,
}

/// What is done with the news.
type Then = Box<dyn FnOnce(Result<(), Refusal>) + Send>;

impl Order {
    pub(in crate::store) fn answer(self, result: Result<(), Refusal>) {
        match self.then {
            Some(then) => then(result),
            None => {
                if let Err(refusal) = result {
                    tracing::debug!(%refusal, write = ?self.write, "something that nobody waits for was not kept");
                }
            }
        }
    }
}

impl fmt::Debug for Order {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} ({:?})", self.write, self.durability)
    }
}
