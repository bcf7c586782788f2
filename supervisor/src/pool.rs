//! One pool: the actor that translates between [`PoolCore`](standin_core::pool::PoolCore) and the world.
//!
//! It owns the core, the links to its workers' pipes and one timer. It decides nothing: a message becomes an event,
//! each effect becomes one act. It never awaits inside a handler. Its children are the worker actors.

mod acts;
mod callbacks;
mod from_worker;
mod link;
mod orders;
mod recording;
mod records;
mod words;

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use standin_core::{
    AttemptId, Cause, RequestId, WorkerId,
    pool::{Effect, Event, PoolCore, Submission},
};
use standin_protocol::{Message, MethodManifest, WorkerHello};
use standin_transport::MessageWriter;
use tokio::sync::OwnedSemaphorePermit;

use self::{
    acts::Outbox,
    link::Link,
    orders::{Orders, StartReply, StopReply},
    records::Records,
};
pub(crate) use self::{callbacks::Asker, recording::OnRecord};
use crate::{
    call::Call,
    clock,
    config::PoolSettings,
    failpoint,
    pools::{PoolsMessage, StoppedPools},
    process::Process,
    status::PoolStatus,
    store::{Fingerprint, Refusal, StoreHandle},
    story::{Found, Query, Stories, Story, What},
    timer::Timer,
    worker::{WorkerEnvironment, WorkerMessage},
};

/// What a pool is told and asked.
pub(crate) enum PoolMessage {
    /// Sessions ask for work.
    Submit(Vec<Arc<Call>>),
    /// A client takes a request back.
    Cancel(RequestId),
    /// A client is gone.
    Abandon(Vec<RequestId>),
    /// A worker's process runs.
    WorkerSpawned {
        worker: WorkerId,
        process: Arc<Process>,
    },
    /// A worker reported for work.
    WorkerReady {
        worker: WorkerId,
        hello: Box<WorkerHello>,
        writer: MessageWriter,
    },
    /// A worker sent these.
    FromWorker {
        worker: WorkerId,
        messages: Vec<Message>,
        /// Given back when they have been handled.
        credit: OwnedSemaphorePermit,
    },
    /// A worker has the answer to a question that it asked a client.
    ClientAnswered {
        worker: WorkerId,
        attempt: AttemptId,
    },
    /// A worker sent what no worker may send.
    ProtocolViolated { worker: WorkerId, what: String },
    /// A worker's process is dead, and all it said has been read.
    WorkerExited {
        worker: WorkerId,
        cause: Cause,
        last_lines: Vec<String>,
    },
    /// The store has what it was told, or refused it.
    OnRecord {
        news: OnRecord,
        result: Result<(), Refusal>,
    },
    /// The timer.
    TimePassed { generation: u64 },
    /// Somebody wants a worker; answered when one is ready or could not be started.
    Start(StartReply),
    /// Another program is in the place of the workers'; answered when a new one is ready or could not be started.
    Reload(StartReply),
    /// End every worker until somebody wants one; answered when the last one has ended.
    StopByOrder(StopReply),
    /// A request that the actor before this one had has ended.
    Remember(Box<Story>),
    /// What happened to requests; the newest first.
    Explain(Box<Query>, RpcReplyPort<Vec<Found>>),
    /// How the pool stands.
    Describe(RpcReplyPort<PoolStatus>),
    /// The pids of its workers, for the monitor.
    Pids(RpcReplyPort<Vec<(WorkerId, u32)>>),
    /// Memory of its workers in bytes, and whether the machine is starved.
    Measured {
        memory: Vec<(WorkerId, u64)>,
        starved: bool,
    },
    /// Another user needs a pool: end, if nobody has needed this one lately.
    MakeRoom,
    /// Finish by then and end.
    Stop { deadline: Instant },
}

/// What a pool is made from.
pub(crate) struct PoolArguments {
    pub(crate) name: Arc<str>,
    pub(crate) generation: u64,
    pub(crate) settings: PoolSettings,
    /// Whose it is, if it is one user's own.
    pub(crate) user: Option<Arc<str>>,
    pub(crate) seed: u64,
    pub(crate) environment: Arc<WorkerEnvironment>,
    pub(crate) store: StoreHandle,
    pub(crate) stopped: StoppedPools,
    pub(crate) pools: ActorRef<PoolsMessage>,
}

/// The pool actor.
pub(crate) struct Pool;

/// What the pool actor holds.
pub(crate) struct PoolState {
    name: Arc<str>,
    generation: u64,
    settings: PoolSettings,
    /// Whose it is, if it is one user's own.
    user: Option<Arc<str>>,
    /// It has ended itself: what comes now belongs to another pool, and whoever sends it hears of that.
    has_retired: bool,
    environment: Arc<WorkerEnvironment>,
    store: StoreHandle,
    stopped: StoppedPools,
    pools: ActorRef<PoolsMessage>,
    core: PoolCore<Arc<Call>>,
    links: Vec<Option<Link>>,
    timer: Timer,
    outbox: Outbox,
    records: Records,
    stories: Stories,
    /// The moment of the event at hand.
    now: Instant,
    /// Kept between events, so that a busy pool does not allocate.
    effects: Vec<Effect<Arc<Call>>>,
    orders: Orders,
    /// What the workers offer, as the newest of them said.
    methods: Vec<MethodManifest>,
}

impl Actor for Pool {
    type Msg = PoolMessage;
    type State = PoolState;
    type Arguments = PoolArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<PoolMessage>,
        arguments: PoolArguments,
    ) -> Result<PoolState, ActorProcessingErr> {
        failpoint::pass("pool_begins", &arguments.name);
        let core_settings = arguments.settings.for_core();
        let slots = core_settings.slots() as usize;
        let mut state = PoolState {
            core: PoolCore::new(core_settings, fingerprint, arguments.seed, clock::now()),
            links: (0..slots).map(|_| None).collect(),
            timer: Timer::default(),
            outbox: Outbox::default(),
            records: Records::default(),
            stories: Stories::new(arguments.settings.explained_max),
            now: clock::now(),
            effects: Vec::new(),
            orders: Orders::default(),
            methods: Vec::new(),
            name: arguments.name,
            generation: arguments.generation,
            settings: arguments.settings,
            user: arguments.user,
            has_retired: false,
            environment: arguments.environment,
            store: arguments.store,
            stopped: arguments.stopped,
            pools: arguments.pools,
        };
        let first = if state.stopped.contains(&state.name) {
            // It was, when the one before it failed.
            Event::PauseRequested
        } else {
            // The first look starts the first workers, and one where none is kept: what it offers is to be learned.
            Event::StartRequested
        };
        state.handle(&myself, first, None);
        state.settle(&myself);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<PoolMessage>,
        message: PoolMessage,
        state: &mut PoolState,
    ) -> Result<(), ActorProcessingErr> {
        failpoint::pass("pool", &state.name);
        match message {
            // The news that the pool has ended brings them back to life.
            PoolMessage::Submit(_) if state.has_retired => {}
            PoolMessage::Submit(calls) => calls
                .into_iter()
                .for_each(|call| state.submit(&myself, call)),
            PoolMessage::Cancel(request) => state.cancel(&myself, request),
            PoolMessage::Abandon(requests) => {
                for request in requests {
                    state.handle(&myself, Event::Abandon(request), None);
                }
            }
            PoolMessage::WorkerSpawned { worker, process } => state.worker_spawned(worker, process),
            PoolMessage::WorkerReady {
                worker,
                hello,
                writer,
            } => {
                state.worker_ready(&myself, worker, *hello, writer);
            }
            PoolMessage::FromWorker {
                worker,
                messages,
                credit,
            } => {
                for message in messages {
                    state.worker_said(&myself, worker, message);
                }
                drop(credit);
            }
            PoolMessage::ProtocolViolated { worker, what } => {
                state.protocol_violated(&myself, worker, &what);
            }
            PoolMessage::WorkerExited {
                worker,
                cause,
                last_lines,
            } => {
                state.worker_exited(&myself, worker, cause, last_lines);
            }
            PoolMessage::ClientAnswered { worker, attempt } => {
                state.handle(&myself, Event::ClientAnswered { worker, attempt }, None);
            }
            PoolMessage::OnRecord { news, result } => state.on_record(&myself, news, result),
            PoolMessage::TimePassed { generation } => {
                if state.timer.fired(generation) {
                    state.handle(&myself, Event::TimePassed, None);
                }
            }
            PoolMessage::Start(reply) => state.start_requested(&myself, reply),
            PoolMessage::Reload(reply) => state.reload_requested(&myself, reply),
            PoolMessage::StopByOrder(reply) => state.stop_ordered(&myself, reply),
            PoolMessage::Remember(story) => state.stories.keep(*story, &[]),
            PoolMessage::Explain(query, reply) => {
                let _ = reply.send(state.stories.find(&query, state.core.payloads()));
            }
            PoolMessage::Describe(reply) => {
                let _ = reply.send(state.describe());
            }
            PoolMessage::Pids(reply) => {
                let _ = reply.send(state.pids());
            }
            PoolMessage::Measured { memory, starved } => state.measured(&myself, memory, starved),
            PoolMessage::MakeRoom => state.handle(&myself, Event::RoomWanted, None),
            PoolMessage::Stop { deadline } => {
                failpoint::pass("pool_stop", &state.name);
                state.handle(&myself, Event::Stop { deadline }, None);
            }
        }
        state.settle(&myself);
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<PoolMessage>,
        event: SupervisionEvent,
        state: &mut PoolState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
            // A worker actor ends by itself only after it has reported its process dead.
            SupervisionEvent::ActorTerminated(..) => {}
            SupervisionEvent::ActorFailed(cell, error) => {
                tracing::error!(pool = %state.name, %error, "a worker actor failed; its process is ended");
                state.worker_actor_failed(&myself, cell.get_id());
            }
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        myself: ActorRef<PoolMessage>,
        _state: &mut PoolState,
    ) -> Result<(), ActorProcessingErr> {
        // By now the core has said that no worker is left; this is for a stop from above in the middle of things.
        let limit = std::time::Duration::from_secs(2);
        myself
            .get_cell()
            .stop_children_and_wait(None, Some(limit))
            .await;
        Ok(())
    }
}

fn fingerprint(call: &Arc<Call>) -> standin_core::Fingerprint {
    Fingerprint::of(&call.method, &call.params).into()
}

impl PoolState {
    fn submit(&mut self, myself: &ActorRef<PoolMessage>, call: Arc<Call>) {
        let submission = Submission {
            request: call.id,
            session: call.caller.session,
            user: call.caller.account.number(),
            replay: call.replay,
            deadline: call.deadline,
            attempt_timeout: call.attempt_timeout,
            size: call.params.len(),
            payload: call,
        };
        self.handle(myself, Event::Submit(submission), None);
    }

    fn cancel(&mut self, myself: &ActorRef<PoolMessage>, request: RequestId) {
        if let Some(call) = self.core.payload(request) {
            call.notes.add(clock::now(), What::TakenBack);
        }
        self.handle(myself, Event::Cancel(request), None);
    }

    /// One event through the core, and its effects into acts. `answer` is the worker's answer at hand, for the
    /// effect that delivers it.
    fn handle(
        &mut self,
        myself: &ActorRef<PoolMessage>,
        event: Event<Arc<Call>>,
        mut answer: Option<Result<Bytes, Bytes>>,
    ) {
        self.now = clock::now();
        let mut effects = std::mem::take(&mut self.effects);
        self.core.handle(self.now, event, &mut effects);
        for effect in effects.drain(..) {
            self.act(myself, effect, &mut answer);
        }
        self.effects = effects;
    }

    /// The end of every message: answers go out together, and the timer is set.
    fn settle(&mut self, myself: &ActorRef<PoolMessage>) {
        self.outbox.flush();
        self.timer
            .arm(myself, self.core.next_wakeup(), |generation| {
                PoolMessage::TimePassed { generation }
            });
    }

    /// Notes what happens to nearly every call, where anything is noted.
    fn note(&self, call: &Call, at: Instant, what: What) {
        if self.stories.are_kept() {
            call.notes.add(at, what);
        }
    }

    fn link(&mut self, worker: WorkerId) -> Option<&mut Link> {
        let link = self.links.get_mut(worker.slot.0 as usize)?.as_mut()?;
        (link.worker == worker).then_some(link)
    }

    /// Tells a worker's actor; one that is gone has nothing left to be told.
    fn tell_worker(&mut self, worker: WorkerId, message: WorkerMessage) {
        if let Some(link) = self.link(worker) {
            let _ = link.actor.cast(message);
        }
    }
}
