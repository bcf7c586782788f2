//! Which pools the user of a session may use.

use std::sync::Arc;

use standin_protocol::{ErrorAnswer, ErrorCode};
use standin_transport::Connection;

use super::SessionState;
use crate::directory::{PoolHandle, Seeker};

/// The groups of whoever is at the other end, if any pool asks for them.
pub(super) fn groups_of(connection: &Connection, are_asked_for: bool) -> Box<[String]> {
    if !are_asked_for {
        return Box::default();
    }
    let groups = connection.groups().unwrap_or_else(|error| {
        let user = &connection.peer().user;
        tracing::warn!(%user, %error, "the groups of a user cannot be told, so pools for groups are closed to the user");
        Vec::new()
    });
    groups.into()
}

impl SessionState {
    /// The session's user, as one who looks for a method.
    pub(super) fn seeker(&self) -> Seeker<'_> {
        Seeker {
            user: &self.caller.user,
            groups: Some(&self.groups),
        }
    }

    /// Pools that the user, who is no administrator, is not told of: those that are not for the user.
    pub(super) fn hidden_pools(&mut self) -> Vec<Arc<str>> {
        if self.caller.is_administrator() {
            return Vec::new();
        }
        let directory = Arc::clone(self.directory.get());
        let seeker = self.seeker();
        let pools = directory.pools.iter();
        let is_anothers = |pool: &PoolHandle| {
            let owner = pool.user.as_deref();
            owner.is_some_and(|owner| owner != seeker.user)
        };
        let hidden = pools.filter(|pool| is_anothers(pool) || !seeker.may_use(&pool.access));
        hidden.map(|pool| Arc::clone(&pool.name)).collect()
    }

    /// Refuses a call of a method that is not for this user.
    pub(super) fn denied(&self, pool: &str) -> ErrorAnswer {
        let caller = &self.caller;
        tracing::info!(
            session = %caller.session, user = %caller.user, pid = caller.whereabouts.pid(),
            terminal_session = caller.whereabouts.terminal_session(), pool,
            "a call was refused: the pool is not for this user"
        );
        not_for(&caller.user, pool)
    }
}

/// Refuses what belongs to a user to somebody who is not known to be one.
pub(super) fn not_for_nobody(what: &str) -> ErrorAnswer {
    let why = format!(
        "The system does not tell Standin which user runs this program, and {what} belongs to a user. Nothing was executed."
    );
    ErrorAnswer::new(ErrorCode::AccessDenied, why)
}

pub(crate) fn not_for(user: &str, pool: &str) -> ErrorAnswer {
    let why = format!(
        "User {user} may not use \"{pool}\". The call was not executed. Whoever runs Standin may allow it by \"users\" or \
         \"groups\" of that pool."
    );
    ErrorAnswer::new(ErrorCode::AccessDenied, why)
}
