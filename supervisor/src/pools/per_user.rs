//! Pools of which each user has one of their own: they come into being when a user first asks for one, and end when that
//! user has had no need of it for a while.

use std::sync::Arc;

use ractor::ActorRef;
use standin_core::access::PoolAccess;
use standin_protocol::{ErrorAnswer, ErrorCode, MethodManifest};

use super::{Entry, PoolsMessage, PoolsState};
use crate::{
    config::PoolSettings,
    directory::{PerUser, PoolHandle},
    pool::PoolMessage,
    session::SessionMessage,
    sessions::SessionsMessage,
};

/// One of the configuration.
pub(super) struct Template {
    pub(super) name: Arc<str>,
    pub(super) settings: PoolSettings,
    pub(super) access: Arc<PoolAccess>,
    /// What the last worker of anybody said. `None`: there was none yet.
    pub(super) methods: Option<Vec<MethodManifest>>,
}

impl Template {
    pub(super) fn new(name: Arc<str>, settings: PoolSettings) -> Self {
        Self {
            access: Arc::new(settings.access()),
            name,
            settings,
            methods: None,
        }
    }
}

/// Why a user has no pool.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NoUserPool {
    /// As many users as may be have one.
    TooMany { limit: usize },
    /// The service is stopping.
    Stopping,
}

/// When a pool has made room.
const RETRY_AFTER_MS: u64 = 1000;

impl NoUserPool {
    /// The answer to a call for want of that pool.
    pub(crate) fn answer(self, pool: &str) -> ErrorAnswer {
        match self {
            NoUserPool::TooMany { limit } => {
                let why = format!(
                    "{limit} users have processes of \"{pool}\" already, and no more may have. The call was not executed. \
                     Please try again in a moment."
                );
                ErrorAnswer::new(ErrorCode::Overloaded, why).with_retry_after_ms(RETRY_AFTER_MS)
            }
            NoUserPool::Stopping => {
                let why = "Standin is stopping. The call was not executed.";
                ErrorAnswer::new(ErrorCode::ShuttingDown, why)
            }
        }
    }
}

/// Asks for a user's own pool. The session hears that the directory has changed, or why there is no such pool.
pub(crate) fn ask(
    pools: &ActorRef<PoolsMessage>,
    pool: &Arc<str>,
    user: &Arc<str>,
    session: ActorRef<SessionMessage>,
) {
    let (pools, pool, user) = (pools.clone(), Arc::clone(pool), Arc::clone(user));
    tokio::spawn(async move {
        let news = match user_pool(&pools, &pool, user).await {
            Ok(_) => SessionMessage::DirectoryChanged,
            Err(why) => SessionMessage::NoUserPool(Box::new((pool, why))),
        };
        let _ = session.cast(news);
    });
}

/// The pool of a user, which is made if there is none.
pub(crate) async fn user_pool(
    pools: &ActorRef<PoolsMessage>,
    pool: &Arc<str>,
    user: Arc<str>,
) -> Result<Arc<PoolHandle>, NoUserPool> {
    const LIMIT_MS: u64 = 10_000;
    let pool = Arc::clone(pool);
    let ask = |reply| PoolsMessage::UserPool { pool, user, reply };
    match ractor::call_t!(pools, ask, LIMIT_MS) {
        Ok(answer) => answer,
        // It is restarted with everything else, or the service is stopping.
        Err(_) => Err(NoUserPool::Stopping),
    }
}

/// What a user's own pool is called.
fn name_of(pool: &str, user: &str) -> Arc<str> {
    format!("{pool}@{user}").into()
}

impl PoolsState {
    /// The pool of a user, which is made if there is none.
    pub(super) fn user_pool(
        &mut self,
        myself: &ActorRef<PoolsMessage>,
        pool: &str,
        user: &Arc<str>,
    ) -> Result<Arc<PoolHandle>, NoUserPool> {
        let name = name_of(pool, user);
        if let Some(entry) = self.pools.iter().find(|entry| entry.handle.name == name) {
            return Ok(Arc::clone(&entry.handle));
        }
        let mut templates = self.templates.iter();
        let template = templates.find(|template| *template.name == *pool);
        let template = template.filter(|_| self.stopping.is_none());
        let template = template.ok_or(NoUserPool::Stopping)?;
        let is_of_it = |entry: &&Entry| entry.template() == Some(&template.name);
        let limit = template.settings.users_max;
        if self.pools.iter().filter(is_of_it).count() >= limit {
            for entry in self.pools.iter().filter(is_of_it) {
                let _ = entry.handle.actor.cast(PoolMessage::MakeRoom);
            }
            tracing::warn!(pool, %user, limit, "a user gets no processes: as many users as may be have some");
            return Err(NoUserPool::TooMany { limit });
        }
        let settings = template.settings.clone();
        let (access, methods) = (Arc::clone(&template.access), template.methods.clone());
        let owner = Some((Arc::clone(&template.name), Arc::clone(user)));
        let handle = self.start(myself, &name, &settings, access, owner.as_ref());
        tracing::info!(pool, %user, "a user has processes of their own from now on");
        self.pools.push(Entry {
            handle: Arc::clone(&handle),
            settings,
            methods,
            trouble: None,
            owner,
        });
        self.publish();
        Ok(handle)
    }

    /// A pool has ended itself, and takes nothing more. Whatever has been sent to it since is sent to another.
    pub(super) fn retired(&mut self, generation: u64) {
        let of_it = |entry: &Entry| entry.handle.generation == generation;
        let Some(index) = self.pools.iter().position(of_it) else {
            return;
        };
        let entry = self.pools.remove(index);
        tracing::info!(pool = %entry.handle.name, "a user's processes are ended, since the user had no need of them for a while");
        self.retiring.push(entry.handle.actor.get_id());
        self.publish();
        if let Some(sessions) = &self.sessions {
            let _ = sessions.cast(SessionsMessage::PoolLost { generation });
        }
    }

    /// What the workers of one user offer, those of the others will as well.
    pub(super) fn learned_for_all(&mut self, template: &str, methods: &[MethodManifest]) {
        let mut templates = self.templates.iter_mut();
        if let Some(template) = templates.find(|known| *known.name == *template) {
            template.methods = Some(methods.to_vec());
        }
    }

    /// The pools of the configuration that each user has of their own, for the directory.
    pub(super) fn per_user(&self) -> Vec<PerUser> {
        let one = |template: &Template| {
            let users = self.pools.iter().filter_map(|entry| {
                let (of, user) = entry.owner.as_ref()?;
                (*of == template.name).then(|| Arc::clone(user))
            });
            PerUser::new(
                Arc::clone(&template.name),
                Arc::clone(&template.access),
                template.methods.as_deref(),
                users.collect(),
            )
        };
        self.templates.iter().map(one).collect()
    }
}
