//! Effects into acts. What the store has done comes back as a message.

use std::time::Duration;

use bytes::Bytes;
use ractor::ActorRef;
use standin_core::{
    JobId,
    jobs::{Effect, Event, LaneName, Next},
};
use tokio::sync::oneshot;

use super::{JobsMessage, JobsState, now};
use crate::store::{Durability, JobWrite, Refusal, StoreHandle, Write};

/// As many bytes of an error are logged; a worker's may be as long as a message. `job.result` has all of it.
const ERROR_LOGGED: usize = 4096;

impl JobsState {
    pub(super) fn act(&mut self, myself: &ActorRef<JobsMessage>, effect: Effect) {
        match effect {
            Effect::Load { lane, limit } => {
                tokio::spawn(load(self.store.clone(), myself.clone(), lane, limit));
            }
            Effect::Lease {
                job,
                due,
                unrecorded,
            } => self.lease(
                myself,
                job,
                JobWrite::Leased {
                    job,
                    due,
                    unrecorded,
                },
            ),
            Effect::Run { job, attempt } => self.run(myself, job, attempt),
            Effect::CancelAttempt(job) => self.cancel_attempt(myself, job),
            Effect::Settle {
                job,
                attempt,
                next,
                outcome,
            } => {
                let answer = self.answers.get(&job).cloned();
                log(job, attempt, next, answer.as_ref());
                let settled = JobWrite::Settled {
                    job,
                    attempt,
                    next,
                    outcome,
                    so_far: so_far(answer.as_ref()),
                    answer,
                };
                self.settle(myself, job, settled);
            }
            Effect::BoundRetries { set_back } => self.bound_retries(myself, set_back),
        }
    }

    fn lease(&mut self, myself: &ActorRef<JobsMessage>, job: JobId, leased: JobWrite) {
        let write = Write::Job(leased);
        let (tell, told) = oneshot::channel();
        // It need not survive the machine: what is not on record as begun can be begun again.
        self.store.write(write, Durability::Process, move |result| {
            let _ = tell.send(result);
        });
        let (store, jobs) = (self.store.clone(), myself.clone());
        tokio::spawn(async move {
            // Handed in behind the write, so that both are answered at once.
            let found = store.leased_job(job).await;
            let written = told.await.unwrap_or(Err(Refusal::Closed));
            if let Err(refusal) = written {
                tracing::error!(%job, %refusal, "a job cannot be begun");
            }
            // One answer for each lease, so that none of them is taken for that of the next.
            let message = match written.and(found) {
                Ok(Some(leased)) => JobsMessage::Leased(Box::new(leased)),
                Ok(None) => JobsMessage::News(Event::NotLeased { job, gone: true }),
                Err(_) => JobsMessage::News(Event::NotLeased { job, gone: false }),
            };
            let _ = jobs.cast(message);
        });
    }

    fn settle(&mut self, myself: &ActorRef<JobsMessage>, job: JobId, settled: JobWrite) {
        let write = Write::Job(settled);
        let jobs = myself.clone();
        self.store
            .write(write, Durability::Power, move |result| match result {
                Ok(()) => tell(&jobs, Event::Settled { job }),
                Err(refusal) => {
                    tracing::error!(%job, %refusal, "what became of a job cannot be kept yet");
                    tell(&jobs, Event::NotSettled { job });
                }
            });
    }

    /// Looks whether something waits that nobody has told of.
    pub(super) fn find_lanes(&self, myself: &ActorRef<JobsMessage>) {
        let (store, jobs) = (self.store.clone(), myself.clone());
        tokio::spawn(async move {
            if let Ok(lanes) = store.job_lanes().await {
                tell(&jobs, Event::LanesFound(lanes));
            }
        });
    }

    /// `set_back`: by how much the clock was; nothing, if that is not known.
    pub(super) fn bound_retries(&self, myself: &ActorRef<JobsMessage>, set_back: Duration) {
        let now = now().wall;
        let write = Write::Job(JobWrite::RetriesBounded { now, set_back });
        let jobs = myself.clone();
        self.store.write(write, Durability::Process, move |result| {
            // If that fails, the waits are as long as they were, and the next start sees to them.
            if result.is_ok() {
                tell(&jobs, Event::RetriesBounded);
            }
        });
    }
}

fn tell(jobs: &ActorRef<JobsMessage>, event: Event) {
    let _ = jobs.cast(JobsMessage::News(event));
}

async fn load(store: StoreHandle, jobs: ActorRef<JobsMessage>, lane: LaneName, limit: usize) {
    let found: Result<_, Refusal> = store.waiting_jobs(lane.clone(), limit).await;
    tell(
        &jobs,
        match found {
            Ok(found) => Event::Loaded {
                complete: found.len() < limit,
                lane,
                jobs: found,
            },
            Err(_) => Event::NotLoaded(lane),
        },
    );
}

/// What a try has done before it failed, for the next one.
fn so_far(answer: Option<&Result<Bytes, Bytes>>) -> Option<Bytes> {
    standin_protocol::ErrorAnswer::decode(answer?.as_ref().err()?).so_far()
}

/// Whoever is called at night reads here what became of a job, and why.
fn log(job: JobId, attempt: u32, next: Next, answer: Option<&Result<Bytes, Bytes>>) {
    let error = answer.and_then(|answer| answer.as_ref().err());
    let error = error.map(|error| standin_protocol::ErrorAnswer::decode(error).to_string());
    let error = error.as_deref().unwrap_or_default();
    let error = &error[..error.floor_char_boundary(ERROR_LOGGED)];
    match next {
        Next::Done => tracing::info!(%job, attempt, "the job is done"),
        Next::Cancelled => tracing::info!(%job, attempt, "the job was cancelled"),
        Next::Again { due, failures, .. } => {
            tracing::info!(%job, attempt, failures, ?due, error, "the job is tried again later");
        }
        Next::Dead => tracing::warn!(%job, attempt, error, "the job has failed for good"),
        Next::Unknown => tracing::warn!(
            %job, attempt, error,
            "nobody knows whether the job has happened; a person has to decide"
        ),
    }
}
