//! What an earlier life of the service has left: jobs that wait, and jobs that were interrupted.

use std::time::Duration;

use ractor::ActorRef;
use standin_core::jobs::{Event, Fate, Interrupted, LaneKind, LaneName};
use standin_protocol::{ErrorAnswer, ErrorCode, Replay};

use super::{JobsMessage, JobsState, answer_of};
use crate::{
    recovery,
    store::{LeasedJob, RecordState, Recovered},
};

impl JobsState {
    /// Takes over what an earlier life of the service has left.
    pub(super) fn go_on(&mut self, myself: &ActorRef<JobsMessage>, recovered: Recovered) {
        self.bound_retries(myself, Duration::ZERO);
        self.feed(myself, Event::LanesFound(recovered.lanes));
        for (job, record) in recovered.leased {
            let (id, lease) = (job.name.id, job.lease);
            tracing::info!(job = %job.name, attempt = lease.attempt, ?record, "a job was interrupted");
            let fate = match record {
                None => Fate::NotBegun,
                Some(RecordState::Intent | RecordState::Granted | RecordState::Expired) => {
                    Fate::MayHaveHappened
                }
                Some(RecordState::Done(result)) => {
                    let answer = answer_of(&result, Replay::Never);
                    self.answers.insert(id, result);
                    Fate::Answered(answer)
                }
            };
            if fate == Fate::MayHaveHappened {
                recovery::outcome_unknown();
                self.answers.insert(id, Err(interrupted(&job).encode()));
            }
            let lane = LaneName {
                user: job.user.as_str().into(),
                method: job.method,
                kind: LaneKind::AtOnce,
            };
            let interrupted = Interrupted {
                job: id,
                lane,
                lease,
                fate,
            };
            self.feed(myself, Event::Interrupted(Box::new(interrupted)));
        }
    }
}

/// The last word on a job that was at its effect when the service died.
fn interrupted(job: &LeasedJob) -> ErrorAnswer {
    let why = format!(
        "Standin was interrupted while \"{}\" was running. Whether it was executed is not known; it is not run again by \
         itself.",
        String::from_utf8_lossy(&job.method)
    );
    ErrorAnswer::new(ErrorCode::OutcomeUnknown, why)
}
