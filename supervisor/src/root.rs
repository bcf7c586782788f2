//! The root of the tree: starts the parts in their order, restarts what can be restarted, and stops them in the
//! opposite order.

use std::{sync::Arc, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use standin_transport as transport;

use crate::{
    clock,
    listener::{Listener, ListenerArguments, ListenerMessage},
    monitor::{Monitor, MonitorMessage},
    pools::{Pools, PoolsArguments, PoolsMessage},
    session::SessionEnvironment,
    sessions::{Sessions, SessionsArguments, SessionsMessage},
};

/// What the root is told.
pub(crate) enum RootMessage {
    /// Take nothing more, finish within the limit, end. Answered when the workers have ended.
    Stop {
        limit: Duration,
        reply: RpcReplyPort<()>,
    },
    /// Is the root alive?
    Alive(RpcReplyPort<()>),
}

/// What it is made from.
pub(crate) struct RootArguments {
    pub(crate) bound: Arc<transport::Listener>,
    pub(crate) pools: PoolsArguments,
    pub(crate) sessions_max: usize,
    /// Makes the sessions' environment once the pools are there.
    pub(crate) session_environment:
        Box<dyn FnOnce(ActorRef<PoolsMessage>) -> SessionEnvironment + Send>,
}

/// The actor.
pub(crate) struct Root;

/// What it holds.
pub(crate) struct RootState {
    bound: Option<Arc<transport::Listener>>,
    pools: ActorRef<PoolsMessage>,
    sessions: ActorRef<SessionsMessage>,
    listener: ActorRef<ListenerMessage>,
    monitor: ActorRef<MonitorMessage>,
    stopping: bool,
}

impl Actor for Root {
    type Msg = RootMessage;
    type State = RootState;
    type Arguments = RootArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<RootMessage>,
        arguments: RootArguments,
    ) -> Result<RootState, ActorProcessingErr> {
        let RootArguments {
            bound,
            pools,
            sessions_max,
            session_environment,
        } = arguments;
        let root = myself.get_cell();
        let (pools, _) = Actor::spawn_linked(None, Pools, pools, root.clone()).await?;
        let environment = Arc::new(session_environment(pools.clone()));
        let sessions = SessionsArguments {
            environment,
            sessions_max,
        };
        let (sessions, _) = Actor::spawn_linked(None, Sessions, sessions, root.clone()).await?;
        pools.cast(PoolsMessage::Sessions(sessions.clone()))?;
        let (monitor, _) = Actor::spawn_linked(None, Monitor, pools.clone(), root).await?;
        let listener = start_listener(&myself, &bound, &sessions).await?;
        Ok(RootState {
            bound: Some(bound),
            pools,
            sessions,
            listener,
            monitor,
            stopping: false,
        })
    }

    async fn handle(
        &self,
        _myself: ActorRef<RootMessage>,
        message: RootMessage,
        state: &mut RootState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            RootMessage::Stop { limit, reply } => {
                state.stopping = true;
                // Nobody new; whoever is connected still gets every answer.
                state.listener.stop(None);
                state.bound = None;
                let deadline = clock::now() + limit;
                let _ = state.pools.cast(PoolsMessage::Stop { deadline, reply });
            }
            RootMessage::Alive(reply) => {
                let _ = reply.send(());
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<RootMessage>,
        event: SupervisionEvent,
        state: &mut RootState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
            SupervisionEvent::ActorTerminated(..) if state.stopping => {}
            SupervisionEvent::ActorTerminated(cell, ..) => {
                return Err(format!("a part of the service has ended: {cell:?}").into());
            }
            SupervisionEvent::ActorFailed(cell, error) => {
                let id = cell.get_id();
                if id == state.monitor.get_id() {
                    tracing::error!(%error, "the monitor failed; it is started again");
                    let pools = state.pools.clone();
                    (state.monitor, _) =
                        Actor::spawn_linked(None, Monitor, pools, myself.get_cell()).await?;
                } else if id == state.listener.get_id()
                    && let Some(bound) = &state.bound
                {
                    tracing::error!(%error, "the listener failed; it is started again");
                    state.listener = start_listener(&myself, bound, &state.sessions).await?;
                } else {
                    // The pools or the sessions as a whole: what they knew cannot be made again in this process.
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        myself: ActorRef<RootMessage>,
        _state: &mut RootState,
    ) -> Result<(), ActorProcessingErr> {
        myself
            .get_cell()
            .stop_children_and_wait(None, Some(Duration::from_secs(2)))
            .await;
        Ok(())
    }
}

async fn start_listener(
    myself: &ActorRef<RootMessage>,
    bound: &Arc<transport::Listener>,
    sessions: &ActorRef<SessionsMessage>,
) -> Result<ActorRef<ListenerMessage>, ActorProcessingErr> {
    let arguments = ListenerArguments {
        bound: Arc::clone(bound),
        sessions: sessions.clone(),
    };
    let (listener, _) = Actor::spawn_linked(None, Listener, arguments, myself.get_cell()).await?;
    Ok(listener)
}
