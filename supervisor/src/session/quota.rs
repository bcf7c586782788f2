//! What the user of a session may have at a time: counted, and refused in words.

use std::collections::BTreeMap;

use standin_core::quota::{Account, Charge, Exceeded, Quota};
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode};

use super::SessionState;
use crate::{call::Whereabouts, clock};

/// A user who has too much has many programs that end many calls, so there is room again soon.
const RETRY_AFTER_MS: u64 = 1000;

impl SessionState {
    /// Counts a call with so many bytes of parameters for the user, or says why it is one too many.
    pub(super) fn charge(&self, bytes: usize) -> Result<Charge, ErrorAnswer> {
        let account = &self.caller.account;
        let is_beyond = self.link.as_ref().is_some_and(super::link::Link::is_beyond);
        let charge = if is_beyond && account.has_too_many_sessions() {
            Err(account.sessions_exceeded())
        } else {
            account.charge(bytes)
        };
        charge.map_err(|exceeded| refusal(account, exceeded, &self.caller.whereabouts))
    }

    /// Tells the account what answers are kept by now. While the user has much, those go that can be had again.
    pub(super) fn count_kept(&mut self) {
        if !self.kept.set(self.core.kept().1) {
            return;
        }
        let excess = self.caller.account.bytes_to_drop();
        if excess > 0 {
            self.core.drop_repeatable(excess);
            self.kept.set(self.core.kept().1);
        }
    }
}

/// Refuses something that is too much for one user, and says so in the log now and then.
pub(crate) fn refusal(
    account: &Account,
    exceeded: Exceeded,
    whereabouts: &Whereabouts,
) -> ErrorAnswer {
    let Exceeded { quota, limit } = exceeded;
    if account.refused(clock::now()) {
        tracing::warn!(
            user = %account.user(), pid = whereabouts.pid(), terminal_session = whereabouts.terminal_session(),
            %quota, limit, refused = account.usage().refused,
            "a user has as much as one user may have; more is refused"
        );
    }
    let user = account.user();
    let what = match quota {
        Quota::Sessions => format!("{limit} connections"),
        Quota::Requests => format!("{limit} unanswered calls"),
        Quota::Bytes => format!("{limit} bytes in unanswered calls and kept answers"),
    };
    let why = format!(
        "The programs of user {user} together have {what} already, and one user may have no more. The call was not \
         executed. Please try again in a moment."
    );
    let limit = limit.to_string();
    let data = BTreeMap::from([
        ("user", &**user),
        ("quota", quota.name()),
        ("limit", &limit),
    ]);
    ErrorAnswer::new(ErrorCode::Overloaded, why)
        .with_retry_after_ms(RETRY_AFTER_MS)
        .with_data(protocol::encode(&data))
}
