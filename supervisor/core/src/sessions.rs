//! Sessions whose clients are away, and which of them goes when there are too many.
//!
//! [`Waiting`] knows in which order they lost their clients and whose they are. It does not know what a session has to
//! lose: the one that is named is asked, and stays if it owes its client anything. From then on it is not counted here, so
//! that nobody's sessions are given up for those of somebody else that stay.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use rustc_hash::FxHashMap;

use crate::SessionId;

/// The sessions that wait and were not asked yet.
#[derive(Debug)]
pub struct Waiting {
    max: usize,
    /// Whose each is, and when its turn is.
    sessions: FxHashMap<SessionId, (Arc<str>, u64)>,
    /// Those of each user, the oldest first.
    users: HashMap<Arc<str>, BTreeMap<u64, SessionId>>,
    last: u64,
}

impl Waiting {
    /// None wait; so many may.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self {
            max,
            sessions: FxHashMap::default(),
            users: HashMap::new(),
            last: 0,
        }
    }

    /// A session has lost its client. The one that is to be asked to go, if there are too many now: of the user who has
    /// most of them, the oldest.
    #[must_use]
    pub fn lost(&mut self, session: SessionId, user: &Arc<str>) -> Option<SessionId> {
        self.over(session);
        self.last += 1;
        let turn = self.last;
        self.sessions.insert(session, (Arc::clone(user), turn));
        let of_user = self.users.entry(Arc::clone(user)).or_default();
        of_user.insert(turn, session);
        if self.sessions.len() <= self.max {
            return None;
        }
        // Who has as many as another had the first of them earlier.
        let most = self.users.values().max_by_key(|sessions| {
            let oldest = sessions.keys().next().copied();
            (sessions.len(), Reverse(oldest))
        });
        let oldest = most.and_then(|sessions| sessions.values().next().copied());
        if let Some(oldest) = oldest {
            self.over(oldest);
        }
        oldest
    }

    /// Its client has come back, or it has ended.
    pub fn over(&mut self, session: SessionId) {
        let Some((user, turn)) = self.sessions.remove(&session) else {
            return;
        };
        if let Some(of_user) = self.users.get_mut(&user) {
            of_user.remove(&turn);
            if of_user.is_empty() {
                self.users.remove(&user);
            }
        }
    }
}

#[cfg(test)]
mod tests;
