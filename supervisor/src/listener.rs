//! The listener: accepts clients on the public endpoint and hands them over. It does nothing else, so that the next
//! client never waits.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use standin_transport as transport;
use tokio::task::JoinHandle;

use crate::{failpoint, sessions::SessionsMessage, tasks};

/// What the listener is told.
pub(crate) enum ListenerMessage {
    /// Accepting has failed for good.
    Failed(std::io::Error),
}

/// What it is made from. The bound endpoint is shared, so that a listener that is restarted has it still.
pub(crate) struct ListenerArguments {
    pub(crate) bound: Arc<transport::Listener>,
    pub(crate) sessions: ActorRef<SessionsMessage>,
}

/// The actor.
pub(crate) struct Listener;

/// What it holds.
pub(crate) struct ListenerState {
    accepting: JoinHandle<()>,
}

impl Drop for ListenerState {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Actor for Listener {
    type Msg = ListenerMessage;
    type State = ListenerState;
    type Arguments = ListenerArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<ListenerMessage>,
        arguments: ListenerArguments,
    ) -> Result<ListenerState, ActorProcessingErr> {
        let ListenerArguments { bound, sessions } = arguments;
        let listener = myself.clone();
        let accepting = async move {
            loop {
                match bound.accept().await {
                    Ok(connection) => {
                        failpoint::pass("listener", "");
                        let _ = sessions.cast(SessionsMessage::Accepted(connection));
                    }
                    Err(error) => {
                        let _ = listener.cast(ListenerMessage::Failed(error));
                        return;
                    }
                }
            }
        };
        let accepting = tasks::or_when_it_panics(accepting, move || {
            let error = std::io::Error::other("the task that accepts clients panicked");
            let _ = myself.cast(ListenerMessage::Failed(error));
        });
        let accepting = tokio::spawn(accepting);
        Ok(ListenerState { accepting })
    }

    async fn handle(
        &self,
        _myself: ActorRef<ListenerMessage>,
        message: ListenerMessage,
        _state: &mut ListenerState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ListenerMessage::Failed(error) => Err(error.into()),
        }
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<ListenerMessage>,
        event: SupervisionEvent,
        _state: &mut ListenerState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            // It has no children.
            SupervisionEvent::ActorStarted(_)
            | SupervisionEvent::ActorTerminated(..)
            | SupervisionEvent::ActorFailed(..)
            | SupervisionEvent::ProcessGroupChanged(_) => Ok(()),
        }
    }
}
