//! The parent of the pools: starts them, keeps the directory of methods, and replaces a pool's actor that was lost.

mod lost;
mod per_user;
mod stopped;

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use bytes::Bytes;
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use standin_core::access::PoolAccess;
use standin_protocol::MethodManifest;

use self::per_user::Template;
pub(crate) use self::{
    per_user::{NoUserPool, ask, user_pool},
    stopped::StoppedPools,
};
use crate::{
    child,
    config::{PoolSettings, Scope},
    directory::{Directory, DirectoryWriter, PoolHandle, Route, Unlearned},
    failpoint,
    pool::{Pool, PoolArguments, PoolMessage},
    session::SessionMessage,
    sessions::SessionsMessage,
    store::StoreHandle,
    trouble::Trouble,
    worker::WorkerEnvironment,
};

/// What the parent of the pools is told and asked.
pub(crate) enum PoolsMessage {
    /// A pool's workers have said what they offer.
    Learned {
        pool: Arc<str>,
        generation: u64,
        methods: Vec<MethodManifest>,
    },
    /// A pool cannot start its workers, or has been stopped before one has said what it offers.
    Troubled { pool: Arc<str>, trouble: Trouble },
    /// A session has a request that no pool is known for yet; whose it is, if not of several users.
    TellWhenSettled(ActorRef<SessionMessage>, Option<Arc<str>>),
    /// Somebody needs the pool of a user.
    UserPool {
        pool: Arc<str>,
        user: Arc<str>,
        reply: RpcReplyPort<Result<Arc<PoolHandle>, NoUserPool>>,
    },
    /// A pool's actor could not begin.
    NotBegun { actor: ActorId, why: String },
    /// A pool that nobody needed has ended itself.
    Retired { generation: u64 },
    /// Where the sessions are, to tell them of a lost pool.
    Sessions(ActorRef<SessionsMessage>),
    /// The pools there are.
    List(RpcReplyPort<Vec<Arc<PoolHandle>>>),
    /// Finish by then; answered when every pool has ended.
    Stop {
        deadline: Instant,
        reply: RpcReplyPort<()>,
    },
}

/// What it is made from.
#[derive(Clone)]
pub(crate) struct PoolsArguments {
    pub(crate) settings: BTreeMap<String, PoolSettings>,
    pub(crate) environment: Arc<WorkerEnvironment>,
    pub(crate) store: StoreHandle,
    pub(crate) directory: DirectoryWriter,
    pub(crate) stopped: StoppedPools,
}

/// The actor.
pub(crate) struct Pools;

struct Entry {
    handle: Arc<PoolHandle>,
    settings: PoolSettings,
    /// `None`: not known yet.
    methods: Option<Vec<MethodManifest>>,
    trouble: Option<Trouble>,
    /// The pool of the configuration that it is one user's own of, and the user.
    owner: Option<Owner>,
}

/// A pool of the configuration and the user who has one of their own.
type Owner = (Arc<str>, Arc<str>);

impl Entry {
    fn template(&self) -> Option<&Arc<str>> {
        self.owner.as_ref().map(|(template, _)| template)
    }
}

/// What it holds.
pub(crate) struct PoolsState {
    pools: Vec<Entry>,
    /// Pools that each user has of their own.
    templates: Vec<Template>,
    /// The actors of pools that end, because their users had no need of them.
    retiring: Vec<ActorId>,
    environment: Arc<WorkerEnvironment>,
    store: StoreHandle,
    directory: DirectoryWriter,
    stopped: StoppedPools,
    sessions: Option<ActorRef<SessionsMessage>>,
    waiting: Vec<ActorRef<SessionMessage>>,
    last_generation: u64,
    /// Since it was told to stop: until when, and who waits for it.
    stopping: Option<(Instant, RpcReplyPort<()>)>,
    /// When actors of pools were lost lately.
    losses: Vec<Instant>,
}

impl Actor for Pools {
    type Msg = PoolsMessage;
    type State = PoolsState;
    type Arguments = PoolsArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<PoolsMessage>,
        arguments: PoolsArguments,
    ) -> Result<PoolsState, ActorProcessingErr> {
        let PoolsArguments {
            settings,
            environment,
            store,
            directory,
            stopped,
        } = arguments;
        let mut state = PoolsState {
            pools: Vec::new(),
            templates: Vec::new(),
            retiring: Vec::new(),
            environment,
            store,
            directory,
            stopped,
            sessions: None,
            waiting: Vec::new(),
            last_generation: 0,
            stopping: None,
            losses: Vec::new(),
        };
        for (name, settings) in settings {
            let name: Arc<str> = name.into();
            if settings.scope == Scope::User {
                state.templates.push(Template::new(name, settings));
                continue;
            }
            let access = Arc::new(settings.access());
            let handle = state.start(&myself, &name, &settings, access, None);
            state.pools.push(Entry {
                handle,
                settings,
                methods: None,
                trouble: None,
                owner: None,
            });
        }
        state.publish();
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<PoolsMessage>,
        message: PoolsMessage,
        state: &mut PoolsState,
    ) -> Result<(), ActorProcessingErr> {
        failpoint::pass("pools", "");
        match message {
            PoolsMessage::Learned {
                pool,
                generation,
                methods,
            } => {
                let entry = state
                    .pools
                    .iter_mut()
                    .find(|entry| entry.handle.name == pool);
                if let Some(entry) = entry.filter(|entry| entry.handle.generation == generation) {
                    let template = entry.template().cloned();
                    entry.trouble = None;
                    if let Some(template) = template {
                        entry.methods = Some(methods.clone());
                        state.learned_for_all(&template, &methods);
                    } else {
                        entry.methods = Some(methods);
                    }
                    state.publish();
                }
            }
            PoolsMessage::Troubled { pool, trouble } => {
                if let Some(entry) = state
                    .pools
                    .iter_mut()
                    .find(|entry| entry.handle.name == pool)
                {
                    entry.trouble = Some(trouble);
                    state.publish();
                }
            }
            PoolsMessage::TellWhenSettled(session, user) => {
                state.tell_when_settled(session, user.as_deref());
            }
            PoolsMessage::UserPool { pool, user, reply } => {
                let _ = reply.send(state.user_pool(&myself, &pool, &user));
            }
            PoolsMessage::Retired { generation } => state.retired(generation),
            PoolsMessage::NotBegun { actor, why } => state.failed(&myself, actor, &why)?,
            PoolsMessage::Sessions(sessions) => state.sessions = Some(sessions),
            PoolsMessage::List(reply) => {
                let _ = reply.send(
                    state
                        .pools
                        .iter()
                        .map(|entry| Arc::clone(&entry.handle))
                        .collect(),
                );
            }
            PoolsMessage::Stop { deadline, reply } => {
                for entry in &state.pools {
                    let _ = entry.handle.actor.cast(PoolMessage::Stop { deadline });
                }
                state.stopping = Some((deadline, reply));
                state.finish_stop(&myself);
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<PoolsMessage>,
        event: SupervisionEvent,
        state: &mut PoolsState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => Ok(()),
            SupervisionEvent::ActorTerminated(cell, ..) => {
                state
                    .pools
                    .retain(|entry| entry.handle.actor.get_id() != cell.get_id());
                state.retiring.retain(|ended| *ended != cell.get_id());
                state.finish_stop(&myself);
                Ok(())
            }
            SupervisionEvent::ActorFailed(cell, error) => {
                state.failed(&myself, cell.get_id(), &error)
            }
        }
    }
}

impl PoolsState {
    fn start(
        &mut self,
        myself: &ActorRef<PoolsMessage>,
        name: &Arc<str>,
        settings: &PoolSettings,
        access: Arc<PoolAccess>,
        owner: Option<&Owner>,
    ) -> Arc<PoolHandle> {
        self.last_generation += 1;
        let generation = self.last_generation;
        let arguments = PoolArguments {
            name: Arc::clone(name),
            generation,
            settings: settings.clone(),
            user: owner.map(|(_, user)| Arc::clone(user)),
            seed: seed(),
            environment: Arc::clone(&self.environment),
            store: self.store.clone(),
            stopped: self.stopped.clone(),
            pools: myself.clone(),
        };
        let pools = myself.clone();
        let actor = child::start(Pool, arguments, myself.get_cell(), move |actor, why| {
            let _ = pools.cast(PoolsMessage::NotBegun { actor, why });
        });
        Arc::new(PoolHandle {
            name: Arc::clone(name),
            generation,
            access,
            template: owner.map(|(template, _)| Arc::clone(template)),
            user: owner.map(|(_, user)| Arc::clone(user)),
            call_timeout: settings.timeouts.call.0,
            queue_wait: settings.queue.wait.0,
            start_timeout: settings.timeouts.start.0,
            stop_timeout: settings.timeouts.stop.0,
            actor,
        })
    }

    /// Tells every reader what is offered where. The first pool that offers a method has it.
    fn publish(&mut self) {
        let mut directory = Directory::default();
        for entry in &self.pools {
            let pool = &entry.handle;
            directory.pools.push(Arc::clone(pool));
            let Some(methods) = &entry.methods else {
                directory.unlearned.push(Unlearned {
                    user: entry.owner.as_ref().map(|(_, user)| Arc::clone(user)),
                    access: Arc::clone(&pool.access),
                    trouble: entry.trouble.clone(),
                });
                continue;
            };
            for manifest in methods {
                let name = Bytes::copy_from_slice(manifest.name.as_bytes());
                let routes = match &entry.owner {
                    Some((_, user)) => directory.routes_of.entry(Arc::clone(user)).or_default(),
                    None => &mut directory.routes,
                };
                if let Some(other) = routes.get(&name) {
                    tracing::warn!(
                        method = manifest.name, pool = %pool.name, taken_by = %other.pool.name,
                        "a method is offered by two pools; the first one has it"
                    );
                    continue;
                }
                let route = Route {
                    pool: Arc::clone(pool),
                    name: name.clone(),
                    manifest: manifest.clone(),
                };
                routes.insert(name, Arc::new(route));
            }
        }
        directory.per_user = self.per_user().into_iter().map(Arc::new).collect();
        self.directory.publish(directory);
        for session in self.waiting.drain(..) {
            let _ = session.cast(SessionMessage::DirectoryChanged);
        }
    }

    fn tell_when_settled(&mut self, session: ActorRef<SessionMessage>, user: Option<&str>) {
        let is_met = |entry: &&Entry| match (&entry.owner, user) {
            (Some((_, owner)), Some(user)) => **owner == *user,
            _ => true,
        };
        let mut met = self.pools.iter().filter(is_met);
        let settled = met.all(|entry| entry.methods.is_some() || entry.trouble.is_some());
        if settled {
            let _ = session.cast(SessionMessage::DirectoryChanged);
        } else {
            self.waiting.push(session);
        }
    }

    fn finish_stop(&mut self, myself: &ActorRef<PoolsMessage>) {
        if self.pools.is_empty()
            && self.retiring.is_empty()
            && let Some((_, reply)) = self.stopping.take()
        {
            let _ = reply.send(());
            myself.stop(None);
        }
    }
}

/// A seed for jitter.
fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}
