//! `standin.explain`: what happened to a request. The pools remember; this asks them.

use std::sync::Arc;

use bytes::Bytes;
use ractor::ActorRef;
use serde::Serialize;
use standin_core::{RequestId, SessionId};
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, value};

use super::{
    SessionMessage, SessionState,
    job_methods::job_name,
    own_methods::{find, tell_answer},
    shown::{Shown, shown},
};
use crate::{
    clock,
    directory::PoolHandle,
    jobs::{JobsHandle, JobsMessage},
    pool::PoolMessage,
    store::JobName,
    story::{Found, Query, Which, told::ToldRequest},
};

/// Stories that one answer tells if the caller does not say, and at most.
const LIMIT: (u64, u64) = (20, 200);

/// What a pool may take to answer. It takes no time to speak of unless it is stuck.
const POOL_LIMIT_MS: u64 = 2000;

const ONE_OF: &str =
    "\"standin.explain\" takes one of \"request\", \"msgid\", \"job\" and \"poisoned\".";

/// A job, and its tries that are remembered, the newest first.
#[derive(Serialize)]
struct ToldJob<'a> {
    job: Shown<'a>,
    calls: Vec<ToldRequest>,
}

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
        let jobs = self.environment.jobs.clone();
        let myself = myself.clone();
        tokio::spawn(async move {
            let told = match query.which {
                Which::Job(job) => of_job(&pools, &jobs, job, &query).await,
                _ => Ok(protocol::encode(&ask(&pools, &jobs, &query).await)),
            };
            tell_answer(&myself, msgid, told.map_err(|error| error.encode()));
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
        let job = find(arguments, "job");
        let job = job.map(|_| job_name(b"standin.explain", arguments));
        let which = match (request, session, poisoned.unwrap_or(false)) {
            (None, None, false) if let Some(job) = job => Which::Job(job?),
            _ if job.is_some() => return Err(invalid(ONE_OF)),
            (None, None, false) => Which::Latest,
            (Some(request), None, false) => Which::Request(request),
            (None, Some(session), false) => Which::Session { session, msgid },
            (None, None, true) if self.caller.is_administrator() => Which::Poisoned,
            (None, None, true) => {
                // What is in them may be anybody's.
                let why = "Only an administrator, or the user who runs the service, may see poisoned calls.";
                return Err(ErrorAnswer::new(ErrorCode::AccessDenied, why));
            }
            _ => return Err(invalid(ONE_OF)),
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

/// What is known of a job. Whoever may not see it is told what is told of one that never was.
async fn of_job(
    pools: &[Arc<PoolHandle>],
    jobs: &JobsHandle,
    job: JobName,
    query: &Query,
) -> Result<Bytes, ErrorAnswer> {
    let row = jobs.status(job, query.of_user.as_deref()).await?;
    Ok(protocol::encode(&ToldJob {
        job: shown(&row),
        calls: ask(pools, jobs, query).await,
    }))
}

/// What the pools remember, and the jobs of tries that no pool had, the newest first. Who does not answer in time is left
/// out.
async fn ask(pools: &[Arc<PoolHandle>], jobs: &JobsHandle, query: &Query) -> Vec<ToldRequest> {
    let mut told = Vec::new();
    let mut add = |found: Vec<Found>, pool: &str| {
        let (now, now_unix_ms) = (clock::now(), clock::unix_ms());
        let found = found.into_iter();
        told.extend(
            found.map(|(story, params)| ToldRequest::new(&story, params, pool, now, now_unix_ms)),
        );
    };
    for pool in pools {
        let explain = |reply| PoolMessage::Explain(Box::new(query.clone()), reply);
        let found = ractor::call_t!(pool.actor, explain, POOL_LIMIT_MS);
        add(found.unwrap_or_default(), &pool.name);
    }
    let explain = |reply| JobsMessage::Explain(Box::new(query.clone()), reply);
    let found = ractor::call_t!(jobs.actor, explain, POOL_LIMIT_MS);
    add(found.unwrap_or_default(), "");
    told.sort_by_key(|told| std::cmp::Reverse(told.request));
    told.truncate(query.limit);
    told
}
