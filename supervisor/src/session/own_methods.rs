//! The methods of the service itself.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use ractor::ActorRef;
use serde::Serialize;
use standin_core::session::Origin;
use standin_protocol::{
    self as protocol, ErrorAnswer, ErrorCode, Meta, MethodManifest, Request, value,
};

use super::{
    SessionMessage, SessionState, batch::Early, job_methods::JOB_METHODS,
    pool_methods::POOL_METHODS,
};
use crate::{call::CallAnswer, directory::Located, service, store::Fingerprint};

/// The methods that the service answers itself, with a sentence for each.
const OWN_METHODS: [(&str, &str); 8] = [
    (
        "standin.hello",
        "Says who is there and what it can do; answers with a session that can be resumed, the server's version and limits.",
    ),
    ("standin.ping", "Answers \"pong\"."),
    (
        "standin.methods",
        "Lists every method with its replay class and a sentence.",
    ),
    (
        "standin.describe",
        "Describes one method, {method}, with the JSON Schema of its arguments.",
    ),
    (
        "standin.status",
        "Tells how the service and its pools stand.",
    ),
    (
        "standin.explain",
        "Tells what happened to a request, {request} or {msgid}, to a job, {job}, or to the latest: each attempt, and the rule that decided.",
    ),
    (
        "standin.batch",
        "Makes many calls in one round trip: {calls: [[method, parameters, meta?], ...]} gives [[error, result], ...].",
    ),
    (
        "standin.cancel",
        "Takes a call back: {msgid}. The call itself is still answered, once.",
    ),
];

#[derive(Serialize)]
struct MethodLine<'a> {
    name: &'a str,
    pool: Option<&'a str>,
    replay: &'a str,
    doc: &'a str,
}

#[derive(Serialize)]
struct Description<'a> {
    pool: Option<&'a str>,
    #[serde(flatten)]
    manifest: &'a MethodManifest,
}

impl SessionState {
    pub(super) fn own_request(
        &mut self,
        myself: &ActorRef<SessionMessage>,
        request: Request,
        meta: &Meta,
        fingerprint: Option<Fingerprint>,
        since: Option<Instant>,
    ) {
        let msgid = request.msgid;
        let asks_for_methods = matches!(
            &request.method[..],
            b"standin.methods" | b"standin.describe"
        );
        if asks_for_methods && let Some(pool) = self.methods_need_user_pool() {
            return self.wait_for_user_pool(&pool, request, since);
        }
        if asks_for_methods && !self.directory.get().is_settled(&self.caller.user) {
            return self.wait_for_directory(request, since);
        }
        let Ok(arguments) = value::named_arguments(&request.params) else {
            let why = "The methods of Standin itself take one map of named arguments.";
            return self.refuse(msgid, &ErrorAnswer::new(ErrorCode::InvalidParams, why));
        };
        let answer = match &request.method[..] {
            b"standin.ping" => Ok(protocol::encode("pong")),
            b"standin.hello" => match self.hello(myself, msgid, &arguments) {
                Some(answer) => answer,
                None => return,
            },
            b"standin.methods" => Ok(self.methods()),
            #[cfg(all(feature = "failpoints", debug_assertions))]
            b"standin.failpoint" => Ok(crate::failpoint::arm(&arguments, self.caller.session)),
            b"standin.describe" => self.describe(&arguments),
            b"standin.cancel" => self.cancel(myself, &arguments),
            b"standin.batch" => match self.batch_is_early(&arguments) {
                Some(Early::Directory) => return self.wait_for_directory(request, since),
                Some(Early::UserPool(pool)) => {
                    return self.wait_for_user_pool(&pool, request, since);
                }
                None => return self.batch(&request, &arguments, meta, fingerprint, since),
            },
            b"standin.status" => return self.status(myself, msgid),
            b"standin.explain" => match self.explain(myself, msgid, &arguments) {
                Ok(()) => return,
                Err(error) => Err(error),
            },
            other if let Some(ordered) = self.order(myself, msgid, other, &arguments) => {
                match ordered {
                    Ok(()) => return,
                    Err(error) => Err(error),
                }
            }
            other
                if other.starts_with(b"job.")
                    && self.job_request(myself, &request, &arguments, since) =>
            {
                return;
            }
            other => {
                let why = format!(
                    "Standin has no method \"{}\" in this version.",
                    String::from_utf8_lossy(other)
                );
                Err(ErrorAnswer::new(ErrorCode::MethodNotFound, why))
            }
        };
        self.respond(msgid, &answer.map_err(|error| error.encode()));
        if &request.method[..] == b"standin.hello" {
            self.ask_held();
        }
    }

    fn methods(&mut self) -> Bytes {
        let directory = Arc::clone(self.directory.get());
        let own = OWN_METHODS.iter().chain(&POOL_METHODS).chain(&JOB_METHODS);
        let own = own.map(|(name, doc)| MethodLine {
            name,
            pool: None,
            replay: "always",
            doc,
        });
        let seeker = self.seeker();
        let routes = directory.routes.values();
        let routes = routes.filter(|route| seeker.may_use(&route.pool.access));
        let routes = routes.map(|route| MethodLine {
            name: &route.manifest.name,
            pool: Some(&route.pool.name),
            replay: route.manifest.replay.name(),
            doc: &route.manifest.doc,
        });
        let pools = directory.per_user.iter();
        let pools = pools.filter(|pool| seeker.may_use(&pool.access));
        let of_users = pools.flat_map(|pool| {
            pool.methods().map(move |manifest| MethodLine {
                name: &manifest.name,
                pool: Some(&pool.name),
                replay: manifest.replay.name(),
                doc: &manifest.doc,
            })
        });
        let mut lines: Vec<_> = own.chain(routes).chain(of_users).collect();
        lines.sort_by_key(|line| line.name);
        // The one that is called comes first.
        lines.dedup_by_key(|line| line.name);
        protocol::encode(&lines)
    }

    fn describe(&mut self, arguments: &[(Bytes, Bytes)]) -> Result<Bytes, ErrorAnswer> {
        let method = find(arguments, "method").and_then(value::read_bytes);
        let method =
            method.ok_or_else(|| missing("standin.describe", "method", "the name of a method"))?;
        let directory = Arc::clone(self.directory.get());
        match directory.locate(self.seeker(), &method) {
            Located::At(route) => {
                let pool = Some(&*route.pool.name);
                return Ok(protocol::encode(&Description {
                    pool,
                    manifest: &route.manifest,
                }));
            }
            Located::NotYet(pool) => {
                if let Some(manifest) = pool.method(&method) {
                    let pool = Some(&*pool.name);
                    return Ok(protocol::encode(&Description { pool, manifest }));
                }
            }
            Located::Denied(pool) => return Err(self.denied(pool)),
            Located::Unknown => {}
        }
        let name = String::from_utf8_lossy(&method);
        let mut own = OWN_METHODS.iter().chain(&POOL_METHODS).chain(&JOB_METHODS);
        let Some((_, doc)) = own.find(|(own, _)| *own == name) else {
            let why = format!(
                "There is no method \"{name}\" here. \"standin.methods\" lists what there is."
            );
            return Err(ErrorAnswer::new(ErrorCode::MethodNotFound, why));
        };
        let manifest = MethodManifest {
            name: name.into_owned(),
            replay: protocol::Replay::Always,
            doc: (*doc).to_owned(),
            ..MethodManifest::default()
        };
        Ok(protocol::encode(&Description {
            pool: None,
            manifest: &manifest,
        }))
    }

    fn cancel(
        &mut self,
        myself: &ActorRef<SessionMessage>,
        arguments: &[(Bytes, Bytes)],
    ) -> Result<Bytes, ErrorAnswer> {
        let msgid = find(arguments, "msgid").and_then(|value| value::read_unsigned(value));
        let msgid =
            msgid.ok_or_else(|| missing("standin.cancel", "msgid", "the number of a request"))?;
        let mut found = self.cancel_unlocated(msgid);
        let calls: Vec<_> = self.core.calls_of(msgid).cloned().collect();
        for call in calls {
            found = true;
            if !self.cancel_waiting(&call) {
                call.take_back();
                // No pool has it, so nobody else would answer before there is one.
                if self.is_homeless(&call) {
                    self.pool_lost(myself, call.pool.generation);
                }
            }
        }
        Ok(protocol::encode(&std::collections::BTreeMap::from([(
            "found", found,
        )])))
    }

    fn status(&mut self, myself: &ActorRef<SessionMessage>, msgid: u64) {
        self.core.open_own(msgid);
        let (pools, sessions, store, myself) = (
            self.environment.pools.clone(),
            self.sessions.clone(),
            self.environment.store.clone(),
            myself.clone(),
        );
        let hidden = self.hidden_pools();
        let accounts = &self.environment.accounts;
        // What others have is nobody's business but an administrator's.
        let only = Some(&*self.caller.user).filter(|_| !self.caller.is_administrator());
        let (quotas, users) = (accounts.limits().into(), accounts.list(only));
        let user = only.map(str::to_owned);
        tokio::spawn(async move {
            // They are missing in the last words of a service that is stopping.
            let jobs = store.job_counts(user).await.ok();
            let status = service::status(&pools, &sessions, &hidden, quotas, users, jobs);
            let result = match status.await {
                Ok(status) => Ok(protocol::encode(&status)),
                Err(why) => Err(ErrorAnswer::new(ErrorCode::Internal, why).encode()),
            };
            tell_answer(&myself, msgid, result);
        });
    }
}

/// The answer of a task that a session began for a request of its own.
pub(super) fn tell_answer(
    session: &ActorRef<SessionMessage>,
    msgid: u64,
    result: Result<Bytes, Bytes>,
) {
    let origin = Origin::Request { msgid };
    let answer = CallAnswer { origin, result };
    let _ = session.cast(SessionMessage::Answered(vec![answer]));
}

pub(super) fn find<'a>(arguments: &'a [(Bytes, Bytes)], name: &str) -> Option<&'a Bytes> {
    arguments
        .iter()
        .find(|(key, _)| &key[..] == name.as_bytes())
        .map(|(_, value)| value)
}

pub(super) fn missing(method: &str, name: &str, what: &str) -> ErrorAnswer {
    let why = format!("\"{method}\" wants the argument \"{name}\": {what}.");
    ErrorAnswer::new(ErrorCode::InvalidParams, why)
}
