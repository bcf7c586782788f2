//! Durable jobs: the actor that begins what is due, and writes down what came of it.
//!
//! What is submitted is in the store before anybody is told so; from there it is fetched a few at a time. Which job runs
//! when is decided by [`JobsCore`]; this actor hands it the news of the store and of the pools, and does what it says.
//! Pools answer to a session, so jobs have one without a client ([`Ear`]). Sessions and the command line use a
//! [`JobsHandle`], which asks the store itself for whatever can be read.

mod acts;
mod calls;
mod ear;
mod handle;
mod left;
mod routes;
mod sweep;
mod waiters;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Instant,
};

use bytes::Bytes;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use rustc_hash::FxHashMap;
use standin_core::{
    JobId,
    jobs::{Answer, Effect, Event, JobsCore, Now, WallTime},
};
use standin_protocol::{ErrorAnswer, Replay};
use tokio::sync::oneshot;

pub(crate) use self::handle::{JobsHandle, Submission, unknown};
use self::{calls::Calls, ear::Ear, sweep::Sweep, waiters::Waiters};
use crate::{
    accounts::Accounts,
    call::CallAnswer,
    clock,
    config::{JobsSettings, PoolSettings},
    directory::{Directory, DirectoryReader, DirectoryWriter},
    failpoint,
    pools::{NoUserPool, PoolsMessage},
    session::SessionMessage,
    store::{LeasedJob, StoreHandle},
    story::{Found, Query, Stories},
};

/// What the jobs are told.
pub(crate) enum JobsMessage {
    /// What the store has done, or what it found.
    News(Event),
    /// The store has leased a job: this is asked.
    Leased(Box<LeasedJob>),
    /// Pools have answered.
    Answered(Vec<CallAnswer>),
    /// Pools have said what they offer.
    DirectoryChanged,
    /// The owner of a job cannot have a pool of their own.
    NoUserPool(Box<(Arc<str>, NoUserPool)>),
    /// A pool's actor was lost and another has taken its place.
    PoolLost { generation: u64 },
    /// Somebody wants to know when the job has ended.
    Wait {
        job: JobId,
        ended: oneshot::Sender<()>,
    },
    /// Somebody wants to know what happened to tries that no pool had.
    Explain(Box<Query>, RpcReplyPort<Vec<Found>>),
    /// The timer.
    TimePassed { generation: u64 },
    /// It is time to sweep.
    Sweep,
    /// Begin nothing more; answered when nothing runs.
    Stop(RpcReplyPort<()>),
}

/// What the jobs are made from.
#[derive(Clone)]
pub(crate) struct JobsArguments {
    pub(crate) settings: JobsSettings,
    /// Their sizes say how many jobs a pool may have at a time.
    pub(crate) pools: BTreeMap<String, PoolSettings>,
    pub(crate) store: StoreHandle,
    pub(crate) directory: DirectoryWriter,
    /// Names for requests, unique while the service lives.
    pub(crate) last_request: Arc<AtomicU64>,
    /// The highest number of a job. The store says it before anybody submits one.
    pub(crate) last_job: Arc<AtomicI64>,
    /// What users have.
    pub(crate) accounts: Arc<Accounts>,
}

/// The actor.
pub(crate) struct Jobs;

/// What it holds.
pub(crate) struct JobsState {
    core: JobsCore,
    store: StoreHandle,
    pools: ActorRef<PoolsMessage>,
    ear: ActorRef<SessionMessage>,
    directory: DirectoryReader,
    /// The one that the core knows.
    routed: Option<Arc<Directory>>,
    limits: BTreeMap<Arc<str>, usize>,
    calls: Calls,
    /// What was leased, until its attempt is begun.
    leased: FxHashMap<JobId, Box<LeasedJob>>,
    /// Answers, until they are in the store.
    answers: FxHashMap<JobId, Result<Bytes, Bytes>>,
    waiters: Waiters,
    /// Tries that no pool had.
    stories: Stories,
    sweep: Sweep,
    effects: Vec<Effect>,
    armed: Option<Instant>,
    timer: u64,
    stopping: Option<RpcReplyPort<()>>,
}

impl Actor for Jobs {
    type Msg = JobsMessage;
    type State = JobsState;
    type Arguments = (JobsArguments, ActorRef<PoolsMessage>);

    async fn pre_start(
        &self,
        myself: ActorRef<JobsMessage>,
        (arguments, pools): (JobsArguments, ActorRef<PoolsMessage>),
    ) -> Result<JobsState, ActorProcessingErr> {
        let recovered = arguments.store.recover_jobs().await?;
        arguments
            .last_job
            .fetch_max(recovered.last, Ordering::Relaxed);
        let (ear, _) = Actor::spawn_linked(None, Ear, myself.clone(), myself.get_cell()).await?;
        let limits = routes::limits(&arguments);
        let directory = arguments.directory.reader();
        let mut state = JobsState {
            core: JobsCore::new(seed(), now()),
            calls: Calls::new(
                ear.clone(),
                Arc::clone(&arguments.last_request),
                arguments.accounts,
            ),
            sweep: Sweep::new(&arguments.settings),
            store: arguments.store,
            pools,
            ear,
            directory,
            routed: None,
            limits,
            leased: FxHashMap::default(),
            answers: FxHashMap::default(),
            waiters: Waiters::default(),
            stories: Stories::default(),
            effects: Vec::new(),
            armed: None,
            timer: 0,
            stopping: None,
        };
        state.ask_for_directory();
        state.go_on(&myself, recovered);
        state.settle_down(&myself);
        myself.send_interval(sweep::PERIOD, || JobsMessage::Sweep);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<JobsMessage>,
        message: JobsMessage,
        state: &mut JobsState,
    ) -> Result<(), ActorProcessingErr> {
        failpoint::pass("jobs", "");
        state.notice_routes(&myself);
        match message {
            JobsMessage::News(event) => state.news(&myself, event),
            JobsMessage::Leased(leased) => state.was_leased(&myself, leased),
            JobsMessage::Answered(answers) => {
                for answer in answers {
                    state.answered(&myself, answer);
                }
            }
            JobsMessage::DirectoryChanged => state.directory_changed(&myself),
            JobsMessage::NoUserPool(refused) => state.no_user_pool(&myself, *refused),
            JobsMessage::PoolLost { generation } => state.pool_lost(&myself, generation),
            JobsMessage::Wait { job, ended } => state.waiters.add(job, ended),
            JobsMessage::Explain(query, reply) => {
                let _ = reply.send(state.stories.find(&query, std::iter::empty()));
            }
            JobsMessage::TimePassed { generation } => {
                if generation == state.timer {
                    state.armed = None;
                    state.feed(&myself, Event::TimePassed);
                }
            }
            JobsMessage::Sweep => {
                state.waiters.sweep();
                let now = WallTime(clock::earliest_unix_ms());
                state.sweep.post(&state.store, now);
                state.find_lanes(&myself);
            }
            JobsMessage::Stop(reply) => {
                state.stopping = Some(reply);
                state.feed(&myself, Event::Stop);
            }
        }
        state.settle_down(&myself);
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<JobsMessage>,
        event: SupervisionEvent,
        _state: &mut JobsState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => Ok(()),
            SupervisionEvent::ActorTerminated(cell, ..) => {
                Err(format!("the session of the jobs has ended: {cell:?}").into())
            }
            SupervisionEvent::ActorFailed(_, error) => Err(error),
        }
    }
}

impl JobsState {
    fn news(&mut self, myself: &ActorRef<JobsMessage>, event: Event) {
        match &event {
            Event::Settled { job } => {
                self.answers.remove(job);
                self.waiters.tell(*job);
            }
            Event::CancelRequested(job) => self.waiters.tell(*job),
            _ => {}
        }
        self.feed(myself, event);
    }

    fn was_leased(&mut self, myself: &ActorRef<JobsMessage>, leased: Box<LeasedJob>) {
        let (job, lease) = (leased.name.id, leased.lease);
        self.leased.insert(job, leased);
        self.feed(myself, Event::Leased { job, lease });
        // If it is not to run, nobody needs to know what it asks.
        self.leased.remove(&job);
    }

    fn answered(&mut self, myself: &ActorRef<JobsMessage>, answer: CallAnswer) {
        let Some((job, attempt, replay)) = self.calls.answered(answer.origin) else {
            return;
        };
        let event = Event::Answered {
            job,
            attempt,
            answer: answer_of(&answer.result, replay),
        };
        self.answers.insert(job, answer.result);
        self.feed(myself, event);
    }

    /// One event through the core, and its effects into acts.
    fn feed(&mut self, myself: &ActorRef<JobsMessage>, event: Event) {
        let mut effects = std::mem::take(&mut self.effects);
        self.core.handle(now(), event, &mut effects);
        for effect in effects.drain(..) {
            self.act(myself, effect);
        }
        self.effects = effects;
    }

    /// The end of every message.
    fn settle_down(&mut self, myself: &ActorRef<JobsMessage>) {
        self.calls.submit();
        self.arm(myself);
        if self.core.running() == 0
            && let Some(reply) = self.stopping.take()
        {
            let _ = reply.send(());
        }
    }

    fn arm(&mut self, myself: &ActorRef<JobsMessage>) {
        let Some(wanted) = self.core.next_wakeup() else {
            return;
        };
        if self.armed.is_some_and(|armed| armed <= wanted) {
            return;
        }
        self.armed = Some(wanted);
        self.timer += 1;
        let (generation, jobs) = (self.timer, myself.clone());
        tokio::spawn(async move {
            tokio::time::sleep_until(wanted.into()).await;
            let _ = jobs.cast(JobsMessage::TimePassed { generation });
        });
    }
}

fn answer_of(result: &Result<Bytes, Bytes>, replay: Replay) -> Answer {
    match result {
        Ok(_) => Answer::Done,
        Err(error) => Answer::failed(&ErrorAnswer::decode(error), replay),
    }
}

/// This moment on both clocks.
fn now() -> Now {
    Now {
        steady: clock::now(),
        wall: WallTime(clock::unix_ms()),
    }
}

/// A seed for jitter.
fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}
