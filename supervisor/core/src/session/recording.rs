//! Which calls have a record, which answers are worth one, and how an answer is kept.

use standin_protocol::{Outcome, Replay};

use super::{Keep, Origin, SessionCore};
use crate::Fingerprint;

/// Where the fate of a call is kept in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordedAs {
    /// Nowhere.
    Nothing,
    /// As a request of its session.
    Request,
    /// Under a name of its own, where it is found again whoever asks.
    Name,
}

impl Origin {
    /// Its place among the records of its msgid: 0 for the request itself, from 1 for the calls of a batch.
    #[must_use]
    pub const fn item(self) -> u32 {
        match self {
            Origin::Request { .. } => 0,
            Origin::Item { index, .. } => index + 1,
        }
    }
}

impl Keep {
    /// For the answer to a call.
    #[must_use]
    pub fn of_call(
        replay: Replay,
        recorded_as: RecordedAs,
        fingerprint: Option<Fingerprint>,
    ) -> Keep {
        Keep {
            fingerprint,
            may_repeat: match recorded_as {
                RecordedAs::Nothing => replay == Replay::Always,
                RecordedAs::Request => false,
                RecordedAs::Name => true,
            },
            recorded: recorded_as == RecordedAs::Request,
        }
    }

    /// For the answer to a batch of such calls. `begun_before`: an earlier life of the service had begun some of it.
    #[must_use]
    pub fn of_batch(
        calls: impl Iterator<Item = Keep>,
        begun_before: bool,
        fingerprint: Option<Fingerprint>,
    ) -> Keep {
        let begun_before = Keep {
            fingerprint,
            may_repeat: !begun_before,
            recorded: begun_before,
        };
        calls.fold(begun_before, |all, call| Keep {
            fingerprint,
            may_repeat: all.may_repeat && call.may_repeat,
            recorded: all.recorded || call.recorded,
        })
    }

    /// For the answer to a call that an earlier life of the service had.
    #[must_use]
    pub fn of_begun_before(fingerprint: Option<Fingerprint>) -> Keep {
        Keep::of_call(Replay::Never, RecordedAs::Request, fingerprint)
    }
}

/// Whether an answer is to be put on record. `begun`: something was written down for its call; `outcome`: of the answer,
/// if that is an error. One that proves that nothing happened is not, as long as nothing says otherwise: a call that is
/// sent again may as well be made again.
#[must_use]
pub fn is_worth_a_record(begun: bool, outcome: Option<Outcome>) -> bool {
    begun || outcome != Some(Outcome::NotExecuted)
}

impl<C> SessionCore<C> {
    /// Whether a call of this class has a record: its session can be resumed, and it must not run twice.
    #[must_use]
    pub fn records(&self, replay: Replay) -> bool {
        self.is_resumable() && replay != Replay::Always
    }

    /// Whether an earlier life of the service had begun this request, or some of it, so that nobody may say that nothing
    /// happened.
    #[must_use]
    pub fn was_begun_before(&self, msgid: u64) -> bool {
        let memory = self.memory.as_ref();
        memory.is_some_and(|memory| memory.has_found(msgid))
    }

    /// Whether the answer to one more request could be kept, if it has to be. What was begun before is not refused: the
    /// bounds of that life held it, and a refusal would say that nothing happened.
    #[must_use]
    pub fn has_room(&self, msgid: u64, keep: Keep) -> bool {
        let Some(memory) = &self.memory else {
            return true;
        };
        keep.may_repeat || memory.has_found(msgid) || memory.has_room(self.open_fixed)
    }

    /// The client has connected. Connections are numbered as they are accepted; false: it has a newer one already, and
    /// this one, which it has left, was only slower to be heard.
    pub fn connected(&mut self, number: u64) -> bool {
        let is_newest = number > self.connection;
        self.connection = self.connection.max(number);
        is_newest
    }

    /// The number of its newest connection.
    #[must_use]
    pub fn connection(&self) -> u64 {
        self.connection
    }

    /// Whether this is the newest connection. What comes over an older one is passed over: its client sends it again
    /// over the newer one.
    #[must_use]
    pub fn hears(&self, number: u64) -> bool {
        number == self.connection
    }
}

#[cfg(test)]
mod tests;
