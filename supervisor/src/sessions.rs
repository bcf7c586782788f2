//! The parent of the session actors: hears what a newcomer says first, finds the session it wants to go on with or makes
//! one, counts them, and ends those that nobody comes back to.

mod newcomer;
mod resume;

use std::sync::{Arc, atomic::Ordering};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use rustc_hash::FxHashMap;
use standin_core::{SessionId, sessions::Waiting};
use standin_transport::Connection;

pub(crate) use self::newcomer::{Newcomer, Welcome};
use crate::{
    call::Whereabouts,
    child, failpoint,
    jobs::JobsMessage,
    session::{Restored, Session, SessionArguments, SessionEnvironment, SessionMessage, refusal},
    store::SessionToken,
};

/// What the parent of the sessions is told and asked.
pub(crate) enum SessionsMessage {
    /// A client has connected.
    Accepted(Connection),
    /// A client has said something for the first time; `None`: it went away without a word.
    Greeted(Option<Box<Newcomer>>),
    /// What the store knows of the session that a newcomer wants to go on with.
    LookedUp(Box<resume::LookedUp>),
    /// A session can be resumed from now on, by this token, or no longer.
    Named(SessionId, Option<SessionToken>),
    /// A session has lost its client and waits for it to come back.
    Detached { session: SessionId, epoch: u64 },
    /// A session has nothing left to do and nobody to come back: it is forgotten, and told so.
    Ended(SessionId),
    /// A session could not begin.
    NotBegun { session: SessionId, why: String },
    /// A client that was handed over came to a session that had been given up.
    CameTooLate {
        session: SessionId,
        newcomer: Box<Newcomer>,
    },
    /// How many clients are connected, and how many sessions wait for theirs.
    Count(RpcReplyPort<(usize, usize)>),
    /// Answered when every session has taken note of all that it was told so far.
    Settle(RpcReplyPort<()>),
    /// A pool's actor was lost and replaced: every session is told.
    PoolLost { generation: u64 },
}

/// What it is made from.
pub(crate) struct SessionsArguments {
    pub(crate) environment: Arc<SessionEnvironment>,
    pub(crate) sessions_max: usize,
    /// Sessions without a client that are kept at a time. Beyond it those go that have nothing to keep.
    pub(crate) waiting_max: usize,
}

/// The actor.
pub(crate) struct Sessions;

/// One session as its parent knows it.
struct Known {
    actor: ActorRef<SessionMessage>,
    user: Arc<str>,
    token: Option<SessionToken>,
    is_connected: bool,
    /// The number of its newest connection.
    epoch: u64,
}

/// What it holds.
pub(crate) struct SessionsState {
    environment: Arc<SessionEnvironment>,
    sessions_max: usize,
    sessions: FxHashMap<SessionId, Known>,
    tokens: FxHashMap<SessionToken, SessionId>,
    /// Those without a client.
    waiting: Waiting,
    /// Clients with a session.
    connected: usize,
    /// Clients that have not said anything yet.
    silent: usize,
    /// Connections that were accepted so far.
    accepted: u64,
}

impl Actor for Sessions {
    type Msg = SessionsMessage;
    type State = SessionsState;
    type Arguments = SessionsArguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<SessionsMessage>,
        arguments: SessionsArguments,
    ) -> Result<SessionsState, ActorProcessingErr> {
        let SessionsArguments {
            environment,
            sessions_max,
            waiting_max,
        } = arguments;
        Ok(SessionsState {
            environment,
            sessions_max,
            sessions: FxHashMap::default(),
            tokens: FxHashMap::default(),
            waiting: Waiting::new(waiting_max),
            connected: 0,
            silent: 0,
            accepted: 0,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<SessionsMessage>,
        message: SessionsMessage,
        state: &mut SessionsState,
    ) -> Result<(), ActorProcessingErr> {
        failpoint::pass("sessions", "");
        match message {
            SessionsMessage::Accepted(connection) => state.accepted(&myself, connection),
            SessionsMessage::Greeted(newcomer) => state.greeted(&myself, newcomer),
            SessionsMessage::LookedUp(found) => state.looked_up(&myself, *found),
            SessionsMessage::Named(session, token) => state.named(session, token),
            SessionsMessage::Detached { session, epoch } => state.detached(session, epoch),
            SessionsMessage::Ended(session) => state.ended(session),
            SessionsMessage::NotBegun { session, why } => {
                tracing::error!(%session, why, "a session could not begin; its client is disconnected");
                state.failed(session);
            }
            SessionsMessage::CameTooLate { session, newcomer } => {
                // As if it had not been handed over.
                state.detached(session, newcomer.number);
                state.welcome(&myself, newcomer);
            }
            SessionsMessage::Count(reply) => {
                let waiting = state.sessions.len() - state.connected;
                let _ = reply.send((state.connected + state.silent, waiting));
            }
            SessionsMessage::Settle(reply) => state.settle(reply),
            SessionsMessage::PoolLost { generation } => {
                let jobs = &state.environment.jobs.actor;
                let _ = jobs.cast(JobsMessage::PoolLost { generation });
                for session in state.sessions.values() {
                    let _ = session.actor.cast(SessionMessage::PoolLost { generation });
                }
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<SessionsMessage>,
        event: SupervisionEvent,
        state: &mut SessionsState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
            // It said so itself before it ended.
            SupervisionEvent::ActorTerminated(..) => {}
            SupervisionEvent::ActorFailed(cell, error) => {
                tracing::error!(%error, "a session actor failed; its client is disconnected");
                let mut sessions = state.sessions.iter();
                let failed = sessions.find(|(_, known)| known.actor.get_id() == cell.get_id());
                if let Some(failed) = failed.map(|(session, _)| *session) {
                    state.failed(failed);
                }
            }
        }
        Ok(())
    }
}

impl SessionsState {
    fn accepted(&mut self, myself: &ActorRef<SessionsMessage>, connection: Connection) {
        if self.connected + self.silent >= self.sessions_max {
            tracing::warn!(
                limit = self.sessions_max,
                "a client was turned away: too many are connected"
            );
            return;
        }
        let user = match failpoint::strikes("no_user") {
            true => "",
            false => &connection.peer().user,
        };
        let account = self.environment.accounts.of(user);
        let Some(place) = account.enter() else {
            let whereabouts = Whereabouts::of(connection.peer());
            let _ = refusal(&account, account.sessions_exceeded(), &whereabouts);
            return;
        };
        self.silent += 1;
        self.accepted += 1;
        let limits = self.environment.limits;
        newcomer::listen(self.accepted, connection, place, limits, myself.clone());
    }

    fn greeted(&mut self, myself: &ActorRef<SessionsMessage>, newcomer: Option<Box<Newcomer>>) {
        self.silent -= 1;
        if let Some(newcomer) = newcomer {
            self.welcome(myself, newcomer);
        }
    }

    fn welcome(&mut self, myself: &ActorRef<SessionsMessage>, newcomer: Box<Newcomer>) {
        match newcomer.wanted_session() {
            Some(token) => self.resume(myself, newcomer, token),
            None => self.open(myself, newcomer, None),
        }
    }

    /// Makes a session for a client.
    fn open(
        &mut self,
        myself: &ActorRef<SessionsMessage>,
        newcomer: Box<Newcomer>,
        restored: Option<Restored>,
    ) {
        // Who goes on with a session had it before; an administrator may look around. The session refuses the rest.
        let is_beyond = restored.is_none() && !newcomer.place.is_within();
        if is_beyond
            && !self
                .environment
                .is_administrator(newcomer.connection.peer())
        {
            return newcomer.turn_away();
        }
        let last = &self.environment.last_session;
        let id = SessionId(last.fetch_add(1, Ordering::Relaxed) + 1);
        let token = restored.as_ref().map(|restored| restored.token);
        let user = Arc::clone(newcomer.place.account().user());
        let epoch = newcomer.number;
        let arguments = SessionArguments {
            id,
            newcomer,
            restored,
            environment: Arc::clone(&self.environment),
            sessions: myself.clone(),
        };
        let sessions = myself.clone();
        let actor = child::start(Session, arguments, myself.get_cell(), move |_, why| {
            let _ = sessions.cast(SessionsMessage::NotBegun { session: id, why });
        });
        self.connected += 1;
        let known = Known {
            actor,
            user,
            token: None,
            is_connected: true,
            epoch,
        };
        self.sessions.insert(id, known);
        if let Some(token) = token {
            self.named(id, Some(token));
        }
    }

    fn named(&mut self, session: SessionId, token: Option<SessionToken>) {
        let Some(known) = self.sessions.get_mut(&session) else {
            return;
        };
        if let Some(token) = std::mem::replace(&mut known.token, token) {
            self.tokens.remove(&token);
        }
        if let Some(token) = token {
            self.tokens.insert(token, session);
        }
    }

    fn detached(&mut self, session: SessionId, epoch: u64) {
        let known = self.sessions.get_mut(&session);
        // News of a connection that another has replaced is no news.
        let Some(known) = known.filter(|known| known.epoch == epoch) else {
            return;
        };
        if !std::mem::replace(&mut known.is_connected, false) {
            return;
        }
        self.connected -= 1;
        let asked = self.waiting.lost(session, &known.user);
        if let Some(asked) = asked.and_then(|asked| self.sessions.get(&asked)) {
            let _ = asked.actor.cast(SessionMessage::MakeRoom);
        }
    }

    fn settle(&self, reply: RpcReplyPort<()>) {
        // Each session drops its end when the message's turn has come, or ends.
        let (ends, mut all_dropped) = tokio::sync::mpsc::channel(1);
        for session in self.sessions.values() {
            let settle = SessionMessage::Settle(ends.clone());
            let _ = session.actor.cast(settle);
        }
        drop(ends);
        tokio::spawn(async move {
            let _: Option<()> = all_dropped.recv().await;
            let _ = reply.send(());
        });
    }

    fn ended(&mut self, session: SessionId) {
        if let Some(known) = self.forget(session) {
            let _ = known.actor.cast(SessionMessage::Forgotten);
        }
    }

    /// A session is gone with all that it knew. What the store has of it waits for its client.
    fn failed(&mut self, session: SessionId) {
        let known = self.forget(session);
        if let Some(token) = known.and_then(|known| known.token) {
            let environment = &self.environment;
            environment
                .store
                .wait_for_session(token, environment.linger);
        }
    }

    fn forget(&mut self, session: SessionId) -> Option<Known> {
        let known = self.sessions.remove(&session)?;
        self.connected -= usize::from(known.is_connected);
        self.waiting.over(session);
        if let Some(token) = known.token {
            self.tokens.remove(&token);
        }
        Some(known)
    }
}
