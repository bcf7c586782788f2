//! The session of the jobs, as pools and workers see it: one without a client, whose answers go to the jobs.

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};

use super::JobsMessage;
use crate::session::SessionMessage;

/// The actor. Its state is whom it tells.
pub(super) struct Ear;

impl Actor for Ear {
    type Msg = SessionMessage;
    type State = ActorRef<JobsMessage>;
    type Arguments = ActorRef<JobsMessage>;

    async fn pre_start(
        &self,
        _myself: ActorRef<SessionMessage>,
        jobs: ActorRef<JobsMessage>,
    ) -> Result<ActorRef<JobsMessage>, ActorProcessingErr> {
        Ok(jobs)
    }

    async fn handle(
        &self,
        _myself: ActorRef<SessionMessage>,
        message: SessionMessage,
        jobs: &mut ActorRef<JobsMessage>,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SessionMessage::Answered(answers) => {
                let _ = jobs.cast(JobsMessage::Answered(answers));
            }
            SessionMessage::DirectoryChanged => {
                let _ = jobs.cast(JobsMessage::DirectoryChanged);
            }
            SessionMessage::NoUserPool(refused) => {
                let _ = jobs.cast(JobsMessage::NoUserPool(refused));
            }
            SessionMessage::PoolLost { generation } => {
                let _ = jobs.cast(JobsMessage::PoolLost { generation });
            }
            SessionMessage::Callback(asked) => {
                asked.reply.refuse(
                    "The call belongs to a job, and no program waits for it that could answer.",
                );
            }
            // What concerns a client, of which there is none.
            _ => {}
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<SessionMessage>,
        event: SupervisionEvent,
        _jobs: &mut ActorRef<JobsMessage>,
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
