//! The parent of the session actors: makes one for each connection, counts them, and ends them.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use rustc_hash::FxHashMap;
use standin_core::SessionId;
use standin_transport::Connection;

use crate::session::{Session, SessionArguments, SessionEnvironment, SessionMessage};

/// What the parent of the sessions is told and asked.
pub(crate) enum SessionsMessage {
    /// A client has connected.
    Accepted(Connection),
    /// A session has ended.
    Ended(SessionId),
    /// How many there are.
    Count(RpcReplyPort<usize>),
    /// A pool's actor was lost and replaced: every session is told.
    PoolLost { generation: u64 },
}

/// What it is made from.
pub(crate) struct SessionsArguments {
    pub(crate) environment: Arc<SessionEnvironment>,
    pub(crate) sessions_max: usize,
}

/// The actor.
pub(crate) struct Sessions;

/// What it holds.
pub(crate) struct SessionsState {
    environment: Arc<SessionEnvironment>,
    sessions_max: usize,
    sessions: FxHashMap<SessionId, ActorRef<SessionMessage>>,
    last: u64,
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
        } = arguments;
        Ok(SessionsState {
            environment,
            sessions_max,
            sessions: FxHashMap::default(),
            last: 0,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<SessionsMessage>,
        message: SessionsMessage,
        state: &mut SessionsState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SessionsMessage::Accepted(connection) => state.accepted(&myself, connection),
            SessionsMessage::Ended(session) => {
                state.sessions.remove(&session);
            }
            SessionsMessage::Count(reply) => {
                let _ = reply.send(state.sessions.len());
            }
            SessionsMessage::PoolLost { generation } => {
                for session in state.sessions.values() {
                    let _ = session.cast(SessionMessage::PoolLost { generation });
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
                state
                    .sessions
                    .retain(|_, session| session.get_id() != cell.get_id());
            }
        }
        Ok(())
    }
}

impl SessionsState {
    fn accepted(&mut self, myself: &ActorRef<SessionsMessage>, connection: Connection) {
        if self.sessions.len() >= self.sessions_max {
            tracing::warn!(
                limit = self.sessions_max,
                "a client was turned away: too many are connected"
            );
            return;
        }
        self.last += 1;
        let id = SessionId(self.last);
        let arguments = SessionArguments {
            id,
            connection,
            environment: Arc::clone(&self.environment),
            sessions: myself.clone(),
        };
        match ractor::ActorRuntime::spawn_linked_instant(
            None,
            Session,
            arguments,
            myself.get_cell(),
        ) {
            Ok((session, _)) => {
                self.sessions.insert(id, session);
            }
            Err(error) => tracing::error!(%error, "a session could not be started"),
        }
    }
}
