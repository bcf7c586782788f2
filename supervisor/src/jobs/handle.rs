//! What sessions hold: everything that can be asked about jobs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use ractor::ActorRef;
use standin_core::{
    JobId,
    jobs::{Due, Event, LaneName, RetryPolicy},
};
use standin_protocol::{ErrorAnswer, ErrorCode, Outcome};
use tokio::sync::oneshot;

use super::{JobsArguments, JobsMessage};
use crate::store::{
    Durability, Fingerprint, JobName, JobPage, JobRow, JobWrite, NewJob, Refusal, StoreHandle,
    Stored, Submitted, Write,
};

/// The way to the jobs. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct JobsHandle {
    pub(crate) actor: ActorRef<JobsMessage>,
    store: StoreHandle,
    last_job: Arc<AtomicI64>,
}

/// What somebody wants done.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) user: String,
    pub(crate) method: Bytes,
    pub(crate) params: Bytes,
    pub(crate) key: Option<Bytes>,
    pub(crate) due: Due,
    pub(crate) retry: RetryPolicy,
    pub(crate) timeout_ms: Option<u64>,
}

/// A wait looks this often whether the one who waits is still there.
const LOOK_PERIOD: Duration = Duration::from_secs(5);

impl JobsHandle {
    pub(crate) fn new(actor: ActorRef<JobsMessage>, arguments: &JobsArguments) -> JobsHandle {
        JobsHandle {
            actor,
            store: arguments.store.clone(),
            last_job: Arc::clone(&arguments.last_job),
        }
    }

    /// Takes a job. When this is answered, it is in the store and outlives the machine.
    pub(crate) async fn submit(&self, asked: Submission) -> Result<JobName, ErrorAnswer> {
        let fingerprint = Fingerprint::of(&asked.method, &asked.params);
        let id = JobId(self.last_job.fetch_add(1, Ordering::Relaxed) + 1);
        let name = JobName::new(id);
        let (user, method, key) = (asked.user, asked.method, asked.key);
        let lane = LaneName {
            user: user.as_str().into(),
            method: method.clone(),
            kind: asked.due.kind(),
        };
        let job = NewJob {
            name,
            user: user.clone(),
            method: method.clone(),
            params: asked.params,
            fingerprint,
            key: key.clone(),
            due: asked.due,
            retry: asked.retry,
            timeout_ms: asked.timeout_ms,
        };
        // If its key is taken, nothing was written, and the jobs will find nothing to lease.
        let queued = Event::Queued {
            job: id,
            lane,
            due: asked.due,
        };
        let written = self.hand_in(JobWrite::Submitted(Box::new(job)), Some(queued));
        let Some(key) = key else {
            return kept(written).await.map(|()| name);
        };
        // Asked at once, so that it is answered with the write, and not after the next flush.
        let found = self
            .store
            .submitted_job(name, user, method, key, fingerprint);
        let found = found.await.map_err(not_kept)?;
        // Of one that was taken before nothing was to be written, and it is there though the disk is full.
        if let Some(found @ (Submitted::Same(_) | Submitted::Conflict | Submitted::Expired)) = found
        {
            return found.into_answer(name);
        }
        kept(written).await?;
        let Some(found) = found else {
            let why = "An old job of the same key was being swept away. The job was not taken; please try again.";
            return Err(ErrorAnswer::new(ErrorCode::Overloaded, why).with_retry_after_ms(100));
        };
        found.into_answer(name)
    }

    /// The job that was taken for such a submission, if one was. It is asked where the submission itself is refused.
    pub(crate) async fn taken_before(
        &self,
        asked: &Submission,
    ) -> Result<Option<JobName>, ErrorAnswer> {
        let Some(key) = asked.key.clone() else {
            return Ok(None);
        };
        let fingerprint = Fingerprint::of(&asked.method, &asked.params);
        // No job has this name.
        let name = JobName::new(JobId(0));
        let (user, method) = (asked.user.clone(), asked.method.clone());
        let found = self
            .store
            .submitted_job(name, user, method, key, fingerprint);
        let found = found.await.map_err(in_doubt)?;
        found.map(|found| found.into_answer(name)).transpose()
    }

    /// A job of this user; of anybody, if `user` is nobody in particular.
    pub(crate) async fn status(
        &self,
        name: JobName,
        user: Option<&str>,
    ) -> Result<JobRow, ErrorAnswer> {
        let row = self.store.job(name).await.map_err(not_read)?;
        row.filter(|row| user.is_none_or(|user| user == row.user))
            .ok_or_else(|| unknown(name))
    }

    /// A job with its result.
    pub(crate) async fn result(
        &self,
        name: JobName,
        user: Option<&str>,
    ) -> Result<Stored, ErrorAnswer> {
        let stored = self.store.job_result(name).await.map_err(not_read)?;
        stored
            .filter(|stored| user.is_none_or(|user| user == stored.row.user))
            .ok_or_else(|| unknown(name))
    }

    /// The job when it has ended, or as it is when the time is up or nobody wants to know any more.
    pub(crate) async fn wait(
        &self,
        name: JobName,
        user: Option<&str>,
        deadline: Instant,
        is_wanted: impl Fn() -> bool,
    ) -> Result<JobRow, ErrorAnswer> {
        loop {
            let (ended, news) = oneshot::channel();
            let wait = JobsMessage::Wait {
                job: name.id,
                ended,
            };
            let _ = self.actor.cast(wait);
            let row = self.status(name, user).await?;
            let left = deadline.saturating_duration_since(crate::clock::now());
            if !row.state.is_open() || left.is_zero() || !is_wanted() {
                return Ok(row);
            }
            let _ = tokio::time::timeout(left.min(LOOK_PERIOD), news).await;
        }
    }

    /// Takes a job back.
    pub(crate) async fn cancel(
        &self,
        name: JobName,
        user: Option<&str>,
    ) -> Result<JobRow, ErrorAnswer> {
        if self.status(name, user).await?.state.is_open() {
            let news = Event::CancelRequested(name.id);
            self.write(JobWrite::CancelRequested(name.id), Some(news))
                .await?;
        }
        self.status(name, user).await
    }

    /// A person sends a job again that has failed, or may have.
    pub(crate) async fn send_again(
        &self,
        name: JobName,
        user: Option<&str>,
    ) -> Result<JobRow, ErrorAnswer> {
        use crate::store::JobState::{Dead, Unknown};
        let row = self.status(name, user).await?;
        if !matches!(row.state, Dead | Unknown) {
            let why = format!(
                "Only a job that is dead or unknown is sent again; this one is {}.",
                row.state.name()
            );
            return Err(ErrorAnswer::new(ErrorCode::InvalidRequest, why));
        }
        tracing::info!(job = %name, was = row.state.name(), "a person sends a job again");
        let due = Due::AtOnce;
        let queued = Event::Queued {
            job: name.id,
            lane: LaneName {
                user: row.user.into(),
                method: row.method,
                kind: due.kind(),
            },
            due,
        };
        self.write(JobWrite::SentAgain(name.id), Some(queued))
            .await?;
        self.status(name, user).await
    }

    /// Jobs, the newest first.
    pub(crate) async fn list(&self, page: JobPage) -> Result<Vec<JobRow>, ErrorAnswer> {
        self.store.jobs(page).await.map_err(not_read)
    }

    /// Writes, tells the jobs, and comes back when it outlives the machine.
    async fn write(&self, write: JobWrite, news: Option<Event>) -> Result<(), ErrorAnswer> {
        kept(self.hand_in(write, news)).await
    }

    /// Hands a write in now. The jobs are told, and then the receiver, when it outlives the machine.
    fn hand_in(
        &self,
        write: JobWrite,
        news: Option<Event>,
    ) -> oneshot::Receiver<Result<(), Refusal>> {
        let (tell, told) = oneshot::channel();
        let jobs = self.actor.clone();
        let then = move |result: Result<(), Refusal>| {
            if let (Ok(()), Some(news)) = (result, news) {
                let _ = jobs.cast(JobsMessage::News(news));
            }
            let _ = tell.send(result);
        };
        self.store.write(Write::Job(write), Durability::Power, then);
        told
    }
}

async fn kept(told: oneshot::Receiver<Result<(), Refusal>>) -> Result<(), ErrorAnswer> {
    told.await.unwrap_or(Err(Refusal::Closed)).map_err(not_kept)
}

fn not_kept(refusal: Refusal) -> ErrorAnswer {
    let why = format!("Nothing was changed: {refusal}.");
    match refusal {
        Refusal::Full => ErrorAnswer::new(ErrorCode::Overloaded, why).with_retry_after_ms(5000),
        Refusal::Closed => ErrorAnswer::new(ErrorCode::ShuttingDown, why),
    }
}

/// Whether there is such a job cannot be seen.
fn in_doubt(refusal: Refusal) -> ErrorAnswer {
    not_read(refusal).with_outcome(Outcome::Unknown)
}

fn not_read(refusal: Refusal) -> ErrorAnswer {
    let why = format!("The jobs cannot be looked at: {refusal}.");
    ErrorAnswer::new(ErrorCode::ShuttingDown, why)
}

pub(crate) fn unknown(name: impl std::fmt::Display) -> ErrorAnswer {
    let why = format!(
        "There is no job \"{name}\" here, or it ended so long ago that it is no longer kept."
    );
    ErrorAnswer::new(ErrorCode::InvalidParams, why)
}

impl Submitted {
    /// The answer to a submission; `name` is the job's, if it is new.
    fn into_answer(self, name: JobName) -> Result<JobName, ErrorAnswer> {
        match self {
            Submitted::New => Ok(name),
            Submitted::Same(name) => Ok(name),
            Submitted::Conflict => {
                let why =
                    "The same key was used for a job with other contents. The job was not taken.";
                Err(ErrorAnswer::new(ErrorCode::KeyConflict, why))
            }
            Submitted::Expired => {
                let why = "The key was used for a job that ended long ago; its result is no longer kept. The job was \
                    not taken again.";
                Err(ErrorAnswer::new(ErrorCode::KeyConflict, why))
            }
        }
    }
}
