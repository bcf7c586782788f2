//! The store: what is committed, and what waits for the next commit and is lost with the service.

use std::collections::BTreeMap;

use standin_core::{
    AttemptId, Fingerprint, RequestId, SessionId, WorkerId,
    session::{Found, ItemResult, Origin},
};

use crate::connection::ConnectionId;

pub(crate) type Token = u64;

/// A session, a msgid, and the place in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) token: Token,
    pub(crate) msgid: u64,
    pub(crate) item: u32,
}

#[derive(Debug, Clone)]
pub(crate) enum State {
    Intent,
    Granted,
    Done(ItemResult),
}

impl State {
    fn number(&self) -> u8 {
        match self {
            State::Intent => 1,
            State::Granted => 2,
            State::Done(_) => 3,
        }
    }
}

#[derive(Debug)]
pub(crate) enum Write {
    Opened(Token),
    Ended(Token),
    Put(Name, Fingerprint, State),
    Acked(Token, u64),
}

/// Who hears of a commit.
#[derive(Debug)]
pub(crate) enum Then {
    Nobody,
    Opened(SessionId),
    Answer(SessionId, Origin, ItemResult),
    Intent(WorkerId, RequestId, AttemptId),
    Grant(WorkerId, AttemptId),
}

#[derive(Debug)]
pub(crate) enum Order {
    Write(Write, Then),
    /// What is known of a session that a newcomer wants.
    Ask(Token, ConnectionId),
}

/// A record as a new life of the service finds it: msgid, place in a batch, and what is known.
pub(crate) type Known = (u64, u32, Found);

#[derive(Debug, Default)]
pub(crate) struct Stored {
    pub(crate) acked: Option<u64>,
    pub(crate) records: BTreeMap<(u64, u32), (Fingerprint, State)>,
}

#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) sessions: BTreeMap<Token, Stored>,
}

impl Store {
    /// As the real one does it.
    pub(crate) fn apply(&mut self, write: Write) {
        match write {
            Write::Opened(token) => drop(self.sessions.entry(token).or_default()),
            Write::Ended(token) => drop(self.sessions.remove(&token)),
            Write::Acked(token, up_to) => {
                if let Some(session) = self.sessions.get_mut(&token) {
                    session.acked = session.acked.max(Some(up_to));
                    session.records.retain(|(msgid, _), _| *msgid > up_to);
                }
            }
            Write::Put(name, fingerprint, state) => {
                let session = self.sessions.get_mut(&name.token);
                let open = session.filter(|session| session.acked < Some(name.msgid));
                let Some(session) = open else { return };
                let place = (name.msgid, name.item);
                let known = session.records.get(&place);
                if known.is_none_or(|(_, known)| known.number() < state.number()) {
                    session.records.insert(place, (fingerprint, state));
                }
            }
        }
    }

    /// A session as it is found after a death.
    pub(crate) fn found(&self, token: Token) -> Option<(Option<u64>, Vec<Known>)> {
        let session = self.sessions.get(&token)?;
        let found =
            |((msgid, item), (fingerprint, state)): (&(u64, u32), &(Fingerprint, State))| {
                let found = match state {
                    State::Done(result) => Found::Done(*fingerprint, result.clone()),
                    State::Intent | State::Granted => Found::Begun(*fingerprint),
                };
                (*msgid, *item, found)
            };
        Some((session.acked, session.records.iter().map(found).collect()))
    }
}
