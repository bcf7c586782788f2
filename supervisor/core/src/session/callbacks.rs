//! Questions that workers ask the client, on their way and back.

use rustc_hash::FxHashMap;

/// The callbacks that wait for the client's answer. `T` says where the answer goes.
#[derive(Debug)]
pub struct Callbacks<T> {
    open: FxHashMap<u64, T>,
    last: u64,
    open_max: usize,
    unknown_answers: u64,
}

impl<T> Callbacks<T> {
    /// None open; so many may be at a time.
    #[must_use]
    pub fn new(open_max: usize) -> Self {
        Self {
            open: FxHashMap::default(),
            last: 0,
            open_max,
            unknown_answers: 0,
        }
    }

    /// Notes one and gives its msgid, which is never used again. `Err`: too many are open; the ticket comes back.
    ///
    /// # Errors
    /// The client has too many unanswered already.
    pub fn open(&mut self, ticket: T) -> Result<u64, T> {
        if self.open.len() >= self.open_max {
            return Err(ticket);
        }
        self.last += 1;
        self.open.insert(self.last, ticket);
        Ok(self.last)
    }

    /// The client answered; `None`: nothing by that number is open, and the answer is dropped and counted.
    pub fn answered(&mut self, msgid: u64) -> Option<T> {
        let ticket = self.open.remove(&msgid);
        self.unknown_answers += u64::from(ticket.is_none());
        ticket
    }

    /// Takes all that are left: the client is gone.
    pub fn close(&mut self) -> impl Iterator<Item = T> {
        std::mem::take(&mut self.open).into_values()
    }

    /// Takes those that nobody waits for any more.
    pub fn close_those(&mut self, is_over: impl Fn(&T) -> bool) -> Vec<T> {
        let over: Vec<u64> = (self.open.iter())
            .filter(|(_, ticket)| is_over(ticket))
            .map(|(msgid, _)| *msgid)
            .collect();
        over.iter()
            .filter_map(|msgid| self.open.remove(msgid))
            .collect()
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// How many answers came to nothing.
    #[must_use]
    pub fn unknown_answers(&self) -> u64 {
        self.unknown_answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_to_an_unknown_callback_is_dropped_and_counted() {
        let mut callbacks = Callbacks::new(1);
        let msgid = callbacks.open("worker").expect("there is room");
        assert_eq!(callbacks.open("another"), Err("another"));
        assert_eq!(callbacks.answered(99), None);
        assert_eq!(callbacks.answered(msgid), Some("worker"));
        assert_eq!(callbacks.answered(msgid), None);
        assert_eq!(callbacks.unknown_answers(), 2);
    }
}
