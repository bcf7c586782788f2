//! The root's children: how they are made, as often as it takes, and how they are ended.

use std::{sync::Arc, time::Duration};

use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort};
use standin_transport as transport;

use super::RootMessage;
use crate::{
    jobs::{Jobs, JobsArguments, JobsHandle, JobsMessage},
    keys::{Keys, KeysArguments, KeysMessage},
    listener::{Listener, ListenerArguments, ListenerMessage},
    monitor::{Monitor, MonitorArguments, MonitorMessage},
    pools::{Pools, PoolsArguments, PoolsMessage},
    process,
    session::SessionEnvironment,
    sessions::{Sessions, SessionsArguments, SessionsMessage},
};

type MakeEnvironment = dyn Fn(ActorRef<PoolsMessage>, ActorRef<KeysMessage>, JobsHandle) -> SessionEnvironment
    + Send
    + Sync;

/// What the children are made from.
pub(crate) struct Parts {
    /// `None`: the service is stopping.
    pub(crate) bound: Option<Arc<transport::Listener>>,
    pub(crate) pools: PoolsArguments,
    pub(crate) keys: KeysArguments,
    pub(crate) jobs: JobsArguments,
    pub(crate) sessions_max: usize,
    /// Sessions without a client that wait for one at a time.
    pub(crate) waiting_max: usize,
    /// How long a session waits for its client.
    pub(crate) linger: Duration,
    /// Whether the machine's starvation is looked for.
    pub(crate) starvation_guard: bool,
    /// Makes the sessions' environment once the pools, the keys and the jobs are there.
    pub(crate) session_environment: Box<MakeEnvironment>,
}

/// The children as they are now.
pub(super) struct Children {
    pub(super) pools: ActorRef<PoolsMessage>,
    pub(super) keys: ActorRef<KeysMessage>,
    pub(super) jobs: ActorRef<JobsMessage>,
    pub(super) sessions: ActorRef<SessionsMessage>,
    pub(super) listener: ActorRef<ListenerMessage>,
    pub(super) monitor: ActorRef<MonitorMessage>,
}

/// How long a child may take to end.
const END_LIMIT: Duration = Duration::from_secs(2);

impl Parts {
    pub(super) async fn start(
        &self,
        root: &ActorRef<RootMessage>,
    ) -> Result<Children, ActorProcessingErr> {
        let cell = root.get_cell();
        let pools = self.pools.clone();
        let (pools, _) = Actor::spawn_linked(None, Pools, pools, cell.clone()).await?;
        let keys = self.keys.clone();
        let (keys, _) = Actor::spawn_linked(None, Keys, keys, cell.clone()).await?;
        let arguments = (self.jobs.clone(), pools.clone());
        let (jobs, _) = Actor::spawn_linked(None, Jobs, arguments, cell.clone()).await?;
        let handle = JobsHandle::new(jobs.clone(), &self.jobs);
        let environment = (self.session_environment)(pools.clone(), keys.clone(), handle);
        let sessions = SessionsArguments {
            environment: Arc::new(environment),
            sessions_max: self.sessions_max,
            waiting_max: self.waiting_max,
        };
        let (sessions, _) = Actor::spawn_linked(None, Sessions, sessions, cell).await?;
        pools.cast(PoolsMessage::Sessions(sessions.clone()))?;
        Ok(Children {
            monitor: self.start_monitor(root, &pools).await?,
            listener: self.start_listener(root, &sessions).await?,
            pools,
            keys,
            jobs,
            sessions,
        })
    }

    pub(super) async fn start_monitor(
        &self,
        root: &ActorRef<RootMessage>,
        pools: &ActorRef<PoolsMessage>,
    ) -> Result<ActorRef<MonitorMessage>, ActorProcessingErr> {
        let arguments = MonitorArguments {
            pools: pools.clone(),
            starvation_guard: self.starvation_guard,
        };
        let (monitor, _) = Actor::spawn_linked(None, Monitor, arguments, root.get_cell()).await?;
        Ok(monitor)
    }

    pub(super) async fn start_listener(
        &self,
        root: &ActorRef<RootMessage>,
        sessions: &ActorRef<SessionsMessage>,
    ) -> Result<ActorRef<ListenerMessage>, ActorProcessingErr> {
        let bound = self.bound.as_ref().ok_or("the service is stopping")?;
        let arguments = ListenerArguments {
            bound: Arc::clone(bound),
            sessions: sessions.clone(),
        };
        let (listener, _) = Actor::spawn_linked(None, Listener, arguments, root.get_cell()).await?;
        Ok(listener)
    }

    /// What the pools answer at their end comes to `reply` once every session has given its client what it owes it:
    /// an answer may still wait for the store, which tells the session, which tells the client.
    pub(super) fn settled(&self, children: &Children, reply: RpcReplyPort<()>) -> RpcReplyPort<()> {
        let (ended, pools_have_ended) = ractor::concurrency::oneshot();
        let (sessions, store) = (children.sessions.clone(), self.pools.store.clone());
        tokio::spawn(async move {
            let _ = pools_have_ended.await;
            for _ in 0..2 {
                let limit_ms = END_LIMIT.as_millis() as u64;
                let _ = ractor::call_t!(sessions, SessionsMessage::Settle, limit_ms);
                let _ = tokio::time::timeout(END_LIMIT, store.settle()).await;
            }
            let _ = reply.send(());
        });
        ended.into()
    }

    /// Ends every process that the lost parts had started, and comes back when they are dead: what they were at is
    /// judged, and perhaps sent again, by those who come after.
    pub(super) async fn end_processes(&self) {
        let instances = [self.pools.environment.instance.clone()];
        let swept =
            tokio::task::spawn_blocking(move || process::guard::sweep_until_clean(&instances));
        let _ = swept.await;
    }
}

impl Children {
    fn cells(&self) -> [ActorCell; 6] {
        [
            self.listener.get_cell(),
            self.sessions.get_cell(),
            self.jobs.get_cell(),
            self.monitor.get_cell(),
            self.pools.get_cell(),
            self.keys.get_cell(),
        ]
    }

    pub(super) fn has(&self, id: ActorId) -> bool {
        self.cells().iter().any(|cell| cell.get_id() == id)
    }

    /// Ends those that have not failed, clients first.
    pub(super) async fn end(&self) {
        for cell in self.cells() {
            let _ = cell.stop_and_wait(None, Some(END_LIMIT)).await;
        }
    }
}
