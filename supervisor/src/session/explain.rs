//! `standin.explain`: what happened to a request. The pools remember; this asks them.

use std::sync::Arc;

use bytes::Bytes;
use ractor::ActorRef;
use standin_core::{RequestId, SessionId};
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, value};

use super::{
    SessionMessage, SessionState,
    own_methods::{find, tell_answer},
};
use crate::{
    clock,
    directory::PoolHandle,
    pool::PoolMessage,
    story::{Query, Which, told::ToldRequest},
};

/// Stories that one answer tells if the caller does not say, and at most.
const LIMIT: (u64, u64) = (20, 200);

/// What a pool may take to answer. It takes no time to speak of unless it is stuck.
const POOL_LIMIT_MS: u64 = 2000;

impl SessionState {
    pub(super) fn explain(
        &mut self,
        myself: &ActorRef<SessionMessage>,
        msgid: u64,
        arguments: &[(Bytes, Bytes)],
    ) -> Result<(), ErrorAnswer> {
        let query = self.query(arguments)?;
        self.core.open_own(msgid);
        let pools = self.directory.get().pools.clone();
        let myself = myself.clone();
        tokio::spawn(async move {
            let told = ask(&pools, &query).await;
            tell_answer(&myself, msgid, Ok(protocol::encode(&told)));
        });
        Ok(())
    }

    fn query(&self, arguments: &[(Bytes, Bytes)]) -> Result<Query, ErrorAnswer> {
        let number = |name: &str| {
            let Some(value) = find(arguments, name) else {
                return Ok(None);
            };
            let why = || {
                invalid(&format!(
                    "\"{name}\" of \"standin.explain\" is a whole number."
                ))
            };
            value::read_unsigned(value).map(Some).ok_or_else(why)
        };
        let request = number("request")?.map(RequestId);
        let msgid = number("msgid")?;
        let session = number("session")?.map(SessionId);
        let session = session.or_else(|| msgid.map(|_| self.caller.session));
        let poisoned = find(arguments, "poisoned").and_then(|value| value::read_bool(value));
        let which = match (request, session, poisoned.unwrap_or(false)) {
            (None, None, false) => Which::Latest,
            (Some(request), None, false) => Which::Request(request),
            (None, Some(session), false) => Which::Session { session, msgid },
            (None, None, true) if self.caller.is_administrator() => Which::Poisoned,
            (None, None, true) => {
                // What is in them may be anybody's.
                let why = "Only an administrator, or the user who runs the service, may see poisoned calls.";
                return Err(ErrorAnswer::new(ErrorCode::AccessDenied, why));
            }
            _ => {
                let why =
                    "\"standin.explain\" takes one of \"request\", \"msgid\" and \"poisoned\".";
                return Err(invalid(why));
            }
        };
        Ok(Query {
            which,
            of_user: (!self.caller.is_administrator()).then(|| Arc::clone(&self.caller.user)),
            limit: number("limit")?.unwrap_or(LIMIT.0).clamp(1, LIMIT.1) as usize,
        })
    }
}

fn invalid(why: &str) -> ErrorAnswer {
    ErrorAnswer::new(ErrorCode::InvalidParams, why)
}

/// What the pools remember, the newest first. One that does not answer in time is left out.
async fn ask(pools: &[Arc<PoolHandle>], query: &Query) -> Vec<ToldRequest> {
    let mut told = Vec::new();
    for pool in pools {
        let explain = |reply| PoolMessage::Explain(Box::new(query.clone()), reply);
        let found = ractor::call_t!(pool.actor, explain, POOL_LIMIT_MS).unwrap_or_default();
        let (now, now_unix_ms) = (clock::now(), clock::unix_ms());
        told.extend(
            found.into_iter().map(|(story, params)| {
                ToldRequest::new(&story, params, &pool.name, now, now_unix_ms)
            }),
        );
    }
    told.sort_by_key(|told| std::cmp::Reverse(told.request));
    told.truncate(query.limit);
    told
}
