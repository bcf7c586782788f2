//! A session and its connections: the hello that makes it outlive them, the client that comes back, and the one that does
//! not.

use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;
use ractor::ActorRef;
use rustc_hash::FxHashMap;
use serde::Serialize;
use standin_core::{
    RequestId,
    session::{Found, MemoryLimits, SessionCore},
};
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, value};

use super::{
    SessionMessage, SessionState, access::groups_of, evidence::BegunBefore, link::Link,
    own_methods::find, reading::BrokenStream, recording::OnRecord,
};
use crate::{
    call::Call,
    directory::PoolHandle,
    pool::PoolMessage,
    sessions::{Newcomer, SessionsMessage, Welcome},
    store::{Durability, RecordState, Refusal, SessionToken, StoredSession, Write},
};

/// As much of a client's name as is logged, in bytes.
const CLIENT_NAME_SHOWN: usize = 100;

/// A session of an earlier life of the service.
pub(crate) struct Restored {
    pub(crate) token: SessionToken,
    pub(crate) stored: StoredSession,
}

impl Restored {
    /// Gives the core what the store knew.
    pub(super) fn into_core(
        self,
        core: &mut SessionCore<Arc<Call>>,
        limits: MemoryLimits,
    ) -> (SessionToken, BegunBefore) {
        let begun = BegunBefore::of(&self.stored);
        let records = self.stored.records.into_iter().map(|record| {
            let fingerprint = record.fingerprint.into();
            let found = match record.state {
                RecordState::Done(result) => Found::Done(fingerprint, result),
                RecordState::Intent | RecordState::Granted | RecordState::Expired => {
                    Found::Begun(fingerprint)
                }
            };
            (record.msgid, record.item, found)
        });
        core.restore(limits, self.stored.acked, records);
        (self.token, begun)
    }
}

#[derive(Serialize)]
struct Hello {
    session: Option<String>,
    resumed: bool,
    server: &'static str,
    version: &'static str,
    protocol: u32,
    limits: HelloLimits,
}

#[derive(Serialize)]
struct HelloLimits {
    message_size_max: usize,
    depth_max: usize,
    requests_max: usize,
    unacknowledged_max: usize,
    linger_ms: u64,
}

impl SessionState {
    /// Answers a hello. `None`: the answer comes when the session is on record.
    pub(super) fn hello(
        &mut self,
        myself: &ActorRef<SessionMessage>,
        msgid: u64,
        arguments: &[(Bytes, Bytes)],
    ) -> Option<Result<Bytes, ErrorAnswer>> {
        let flag = |name: &str| {
            find(arguments, name)
                .and_then(|value| value::read_bool(value))
                .unwrap_or(false)
        };
        let client = find(arguments, "client").and_then(value::read_bytes);
        let client = client.unwrap_or_default();
        // Shown with its odd characters escaped, and no longer than a name.
        let client = String::from_utf8_lossy(&client[..client.len().min(CLIENT_NAME_SHOWN)]);
        let (caller, whereabouts) = (&self.caller, &self.caller.whereabouts);
        tracing::info!(
            session = %caller.session, user = %caller.user, pid = whereabouts.pid(),
            terminal_session = whereabouts.terminal_session(), ?client, "a program has said hello"
        );
        self.awaits_hello = false;
        self.serves_callbacks = flag("callbacks");
        self.takes_lists = flag("callback_batches");
        let wants_progress = flag("progress");
        self.caller
            .wants_progress
            .store(wants_progress, Ordering::Relaxed);
        let wanted = find(arguments, "session").and_then(value::read_bytes);
        if std::mem::replace(&mut self.welcome, Welcome::New) == Welcome::Denied {
            let why = "This session belongs to another user.";
            return Some(Err(ErrorAnswer::new(ErrorCode::SessionDenied, why)));
        }
        match (self.token, wanted) {
            // A token is good for its user alone, and of this program nobody knows whose it is.
            (None, _) if self.caller.is_nobody() => {
                tracing::warn!(session = %self.caller.session, pid = self.caller.whereabouts.pid(), "the system does not say which user runs a program; its session ends with its connection");
                Some(Ok(self.hello_answer(false)))
            }
            (None, _) => {
                self.become_resumable(myself, msgid);
                None
            }
            (Some(_), None) => Some(Ok(self.hello_answer(false))),
            (Some(token), Some(wanted))
                if wanted.eq_ignore_ascii_case(token.to_string().as_bytes()) =>
            {
                Some(Ok(self.hello_answer(true)))
            }
            (Some(_), Some(_)) => {
                let why = "This connection has a session already. Another one is resumed by the first message of a \
                           new connection.";
                Some(Err(ErrorAnswer::new(ErrorCode::InvalidRequest, why)))
            }
        }
    }

    fn hello_answer(&self, resumed: bool) -> Bytes {
        let limits = self.environment.limits;
        protocol::encode(&Hello {
            session: self.token.map(|token| token.to_string()),
            resumed,
            server: "standin",
            version: env!("CARGO_PKG_VERSION"),
            protocol: protocol::PROTOCOL_VERSION,
            limits: HelloLimits {
                message_size_max: limits.message_size_max,
                depth_max: limits.depth_max,
                requests_max: self.environment.requests_max,
                unacknowledged_max: self.environment.memory.answers_max,
                linger_ms: self.environment.linger.as_millis() as u64,
            },
        })
    }

    fn become_resumable(&mut self, myself: &ActorRef<SessionMessage>, msgid: u64) {
        let token = self.former_token().unwrap_or_else(SessionToken::random);
        self.token = Some(token);
        self.core.remember(self.environment.memory);
        let begun = self.record_open_calls(token);
        let named = SessionsMessage::Named(self.caller.session, Some(token));
        let _ = self.sessions.cast(named);
        let user = self.caller.user.clone();
        let session = myself.clone();
        self.environment.store.write(
            Write::SessionOpened {
                token,
                user: user.to_string(),
                begun,
            },
            Durability::Process,
            move |result| {
                let news = OnRecord::Session { msgid, result };
                let _ = session.cast(SessionMessage::OnRecord(Box::new(news)));
            },
        );
    }

    /// The store has the session, or has no room for it: then it ends with its connection, and its client is told so.
    pub(super) fn session_on_record(&mut self, msgid: u64, result: Result<(), Refusal>) {
        if let Err(refusal) = result {
            tracing::error!(session = %self.caller.session, %refusal, "a session cannot be kept; it ends with its connection");
            self.become_plain();
        }
        let answer = self.hello_answer(false);
        self.respond(msgid, &Ok(answer));
    }

    fn become_plain(&mut self) {
        self.token = None;
        self.core.forget_answers();
        let named = SessionsMessage::Named(self.caller.session, None);
        let _ = self.sessions.cast(named);
    }

    /// The client has come back over another connection. The older one may be half dead: it is told, if it hears, and
    /// whatever still comes over it is passed over.
    pub(super) fn resumed(&mut self, myself: &ActorRef<SessionMessage>, newcomer: Newcomer) {
        if self.token.is_none() {
            // It was given up while the client was on its way. What it has left is nobody's, and no part of a session that
            // the client could begin.
            let (session, newcomer) = (self.caller.session, Box::new(newcomer));
            let late = SessionsMessage::CameTooLate { session, newcomer };
            let _ = self.sessions.cast(late);
            return;
        }
        let epoch = newcomer.number;
        if !self.core.connected(epoch) {
            return;
        }
        let (caller, peer) = (&self.caller, newcomer.connection.peer());
        caller.moved(peer, self.environment.is_administrator(peer));
        self.groups = groups_of(&newcomer.connection, self.environment.groups_matter);
        tracing::info!(
            session = %caller.session, user = %caller.user, pid = peer.pid, terminal_session = peer.terminal_session, epoch,
            "a program has come back to its session"
        );
        if let Some(older) = self.link.take() {
            let none = Bytes::from_static(&[0x90]);
            older.send(protocol::notification(b"session.moved", &none));
        }
        self.fail_callbacks("The program's connection was replaced by a newer one.");
        self.awaits_hello = true;
        self.link = Some(Link::start(newcomer, myself));
    }

    pub(super) fn connection_ended(
        &mut self,
        myself: &ActorRef<SessionMessage>,
        epoch: u64,
        why: Option<Box<BrokenStream>>,
    ) {
        if !self.core.hears(epoch) {
            return;
        }
        let session = self.caller.session;
        match why.map(|why| *why) {
            None => tracing::debug!(%session, "the client has gone"),
            Some(BrokenStream::Broken(error)) => {
                tracing::debug!(%session, %error, "the connection to the client broke");
            }
            Some(BrokenStream::Wire(error)) => {
                tracing::warn!(%session, user = %self.caller.user, %error, "the client's stream is lost; it is disconnected");
                self.say_why(&error);
            }
        }
        self.disconnected();
        if self.token.is_none() {
            return self.leave();
        }
        let (myself, linger) = (myself.clone(), self.environment.linger);
        tokio::spawn(async move {
            tokio::time::sleep(linger).await;
            let _ = myself.cast(SessionMessage::LingerOver(epoch));
        });
    }

    /// The client says that it will not come back.
    pub(super) fn goodbye(&mut self) {
        self.disconnected();
        self.leave();
    }

    /// Its connection is over, and with it what was asked over it.
    fn disconnected(&mut self) {
        self.link = None;
        self.fail_callbacks("The program that made the call has gone.");
        let (session, epoch) = (self.caller.session, self.core.connection());
        let detached = SessionsMessage::Detached { session, epoch };
        let _ = self.sessions.cast(detached);
    }

    pub(super) fn linger_over(&mut self, epoch: u64) {
        if self.core.hears(epoch) && self.link.is_none() {
            tracing::debug!(session = %self.caller.session, "nobody has come back");
            self.leave();
        }
    }

    /// There are too many sessions without a client: this one goes if nobody can miss it.
    pub(super) fn make_room(&mut self) {
        let owes_nothing = !self.core.owes_anything() && self.unlocated.is_empty();
        if self.link.is_none() && owes_nothing {
            self.leave();
        }
    }

    /// Nobody will come back: what nobody waits for is given up, and the session ends when the rest is done.
    fn leave(&mut self) {
        self.unlocated.clear();
        self.fail_held("The program that made the call has gone.");
        // In this order: whoever asks for the session from now on finds it, or neither it nor any call of it that could
        // still begin.
        self.abandon(|call| !call.outlives_its_session());
        if let Some(token) = self.token {
            self.environment.store.post(Write::SessionEnded(token));
            self.become_plain();
        }
    }

    /// Ends the session once its client is gone for good and nothing is left that has to come to its end. Looked at after
    /// each message. The parent hears of it first: a client that it has handed over meanwhile is in the mailbox, and is
    /// handed back before the session ends.
    pub(super) fn end_if_done(&mut self) {
        let is_over = self.link.is_none() && self.token.is_none() && !self.has_ended;
        if is_over && !self.core.calls().any(|call| call.outlives_its_session()) {
            self.has_ended = true;
            let ended = SessionsMessage::Ended(self.caller.session);
            let _ = self.sessions.cast(ended);
        }
    }

    /// Tells the pools that nobody waits for these calls.
    fn abandon(&self, which: impl Fn(&Call) -> bool) {
        let mut abandoned: FxHashMap<u64, (Arc<PoolHandle>, Vec<RequestId>)> = FxHashMap::default();
        for call in self.core.calls().filter(|call| which(call)) {
            let entry = abandoned.entry(call.pool.generation);
            let entry = entry.or_insert_with(|| (Arc::clone(&call.pool), Vec::new()));
            entry.1.push(call.id);
        }
        for (pool, requests) in abandoned.into_values() {
            let _ = pool.actor.cast(PoolMessage::Abandon(requests));
        }
    }

    /// Tells the pools that nobody waits for this session's calls, and the workers that nobody answers their callbacks.
    pub(super) fn let_go(&mut self) {
        self.abandon(|_| true);
        let why = "The program that made the call has gone.";
        self.fail_held(why);
        self.fail_callbacks(why);
    }
}
