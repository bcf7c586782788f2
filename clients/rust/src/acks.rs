//! Telling the service which answers have been read, so that it need not keep them. Mostly a request takes that along;
//! where none goes out, a message of its own says it before much has piled up there.

/// Answers that the service may have to keep before it is told.
const ANSWERS_MAX: u32 = 64;

/// Bytes of answers that it may have to keep before it is told.
const BYTES_MAX: usize = 1 << 20;

/// What the service of one connection has been told.
#[derive(Debug, Default)]
pub(crate) struct Acks {
    /// Everything up to this number.
    told: u64,
    /// What was answered since.
    answers: u32,
    bytes: usize,
}

impl Acks {
    /// An answer of so many bytes has been read.
    pub(crate) fn answered(&mut self, length: usize) {
        self.answers = self.answers.saturating_add(1);
        self.bytes = self.bytes.saturating_add(length);
    }

    /// What a message that goes out now should take along, if all numbers up to `floor` are answered.
    pub(crate) fn news(&self, floor: u64) -> Option<u64> {
        Some(floor).filter(|floor| *floor > self.told)
    }

    /// The same, if so much has piled up that it is worth a message of its own.
    pub(crate) fn much_news(&self, floor: u64) -> Option<u64> {
        let is_much = self.answers >= ANSWERS_MAX || self.bytes > BYTES_MAX;
        self.news(floor).filter(|_| is_much)
    }

    /// It was told.
    pub(crate) fn told(&mut self, floor: u64) {
        *self = Self {
            told: floor,
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_takes_along_what_is_new_and_nothing_twice() {
        let mut acks = Acks::default();
        assert_eq!(acks.news(0), None);
        assert_eq!(acks.news(3), Some(3));
        acks.told(3);
        assert_eq!(acks.news(3), None);
        assert_eq!(acks.news(4), Some(4));
    }

    #[test]
    fn many_answers_and_large_ones_are_acknowledged_without_a_request() {
        let mut acks = Acks::default();
        for _ in 1..ANSWERS_MAX {
            acks.answered(1);
            assert_eq!(acks.much_news(9), None);
        }
        acks.answered(1);
        assert_eq!(acks.much_news(9), Some(9));
        acks.told(9);
        assert_eq!(acks.much_news(10), None, "it counts anew");
        acks.answered(BYTES_MAX);
        assert_eq!(acks.much_news(10), None);
        acks.answered(1);
        assert_eq!(acks.much_news(10), Some(10));
    }

    #[test]
    fn while_an_old_call_is_open_nothing_is_said_and_afterwards_it_is_said_once() {
        let mut acks = Acks::default();
        for _ in 0..1000 {
            acks.answered(1);
            assert_eq!(acks.much_news(0), None);
        }
        assert_eq!(acks.much_news(1001), Some(1001));
        acks.told(1001);
        assert_eq!(acks.much_news(1001), None);
    }
}
