//! The root of the tree: starts the parts in their order, restarts what can be restarted, and stops them in the
//! opposite order.

mod parts;

use std::time::{Duration, Instant};

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};

use self::parts::Children;
pub(crate) use self::parts::Parts;
use crate::{clock, jobs::JobsMessage, pools::PoolsMessage};

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
    pub(crate) parts: Parts,
}

/// How long the children may take to end.
const END_LIMIT: Duration = Duration::from_secs(2);

/// The actor.
pub(crate) struct Root;

/// What it holds.
pub(crate) struct RootState {
    parts: Parts,
    children: Children,
    stopping: bool,
    /// When the parts as a whole were lost lately.
    losses: Vec<Instant>,
}

/// Losses of the pools or the sessions as a whole within ten seconds that are mended. More is a fault that mending does
/// not cure: then the service ends, and whoever keeps it starts it again.
const LOSSES_MAX: usize = 5;

const LOSSES_WITHIN: Duration = Duration::from_secs(10);

impl Actor for Root {
    type Msg = RootMessage;
    type State = RootState;
    type Arguments = RootArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<RootMessage>,
        arguments: RootArguments,
    ) -> Result<RootState, ActorProcessingErr> {
        let RootArguments { parts } = arguments;
        let children = parts.start(&myself).await?;
        Ok(RootState {
            parts,
            children,
            stopping: false,
            losses: Vec::new(),
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
                state.children.listener.stop(None);
                state.parts.bound = None;
                let deadline = clock::now() + limit;
                let ended = state.parts.settled(&state.children, reply);
                let stop = PoolsMessage::Stop {
                    deadline,
                    reply: ended,
                };
                let _ = state.children.pools.cast(stop);
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
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => Ok(()),
            SupervisionEvent::ActorTerminated(..) if state.stopping => Ok(()),
            SupervisionEvent::ActorTerminated(cell, ..) if state.children.has(cell.get_id()) => {
                Err(format!("a part of the service has ended: {cell:?}").into())
            }
            // One of those that were ended because another had failed.
            SupervisionEvent::ActorTerminated(..) => Ok(()),
            SupervisionEvent::ActorFailed(cell, error) => {
                state.mend(&myself, cell.get_id(), error).await
            }
        }
    }

    async fn post_stop(
        &self,
        myself: ActorRef<RootMessage>,
        state: &mut RootState,
    ) -> Result<(), ActorProcessingErr> {
        // What became of the last jobs is still to be written down.
        let limit_ms = END_LIMIT.as_millis() as u64;
        let _ = ractor::call_t!(state.children.jobs, JobsMessage::Stop, limit_ms);
        myself
            .get_cell()
            .stop_children_and_wait(None, Some(END_LIMIT))
            .await;
        Ok(())
    }
}

impl RootState {
    /// A child has failed: it is started again, and with it what cannot go on without what it knew.
    async fn mend(
        &mut self,
        myself: &ActorRef<RootMessage>,
        failed: ActorId,
        error: ActorProcessingErr,
    ) -> Result<(), ActorProcessingErr> {
        if !self.children.has(failed) {
            return Ok(());
        }
        if failed == self.children.monitor.get_id() {
            tracing::error!(%error, "the monitor failed; it is started again");
            let pools = &self.children.pools;
            self.children.monitor = self.parts.start_monitor(myself, pools).await?;
        } else if failed == self.children.listener.get_id() {
            tracing::error!(%error, "the listener failed; it is started again");
            let sessions = &self.children.sessions;
            self.children.listener = self.parts.start_listener(myself, sessions).await?;
        } else {
            let now = clock::now();
            self.losses.retain(|at| now - *at < LOSSES_WITHIN);
            self.losses.push(now);
            if self.stopping || self.losses.len() > LOSSES_MAX {
                return Err(error);
            }
            tracing::error!(
                %error,
                "a part of the service failed; all are started again, and clients come back to their sessions"
            );
            self.children.end().await;
            self.parts.end_processes().await;
            self.parts.pools.store.wait_for_sessions(self.parts.linger);
            // What was handed in is not on record yet, and the keys of those calls nobody guards any more: whoever looked
            // one up now would not find how its call has ended. (As it happens the jobs wait for the same when they begin,
            // which is before anybody is let in; but that is theirs to change.)
            self.parts.pools.store.settle().await;
            self.children = self.parts.start(myself).await?;
        }
        Ok(())
    }
}
