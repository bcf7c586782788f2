//! Which pool offers which method. The `Pools` actor writes it; sessions read it on the path of every request, so a
//! reader keeps its own copy and only looks at a version number until something has changed.

use std::sync::{
    Arc, RwLock,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use ractor::ActorRef;
use rustc_hash::{FxHashMap, FxHashSet};
use standin_core::access::PoolAccess;
use standin_protocol::MethodManifest;

use crate::{pool::PoolMessage, trouble::Trouble};

/// Where a pool is reached. The generation tells a pool's actor from the one that replaced it.
#[derive(Debug)]
pub(crate) struct PoolHandle {
    pub(crate) name: Arc<str>,
    pub(crate) generation: u64,
    /// Who may use it.
    pub(crate) access: Arc<PoolAccess>,
    /// The pool of the configuration that this is one user's own of.
    pub(crate) template: Option<Arc<str>>,
    /// That user.
    pub(crate) user: Option<Arc<str>>,
    pub(crate) call_timeout: std::time::Duration,
    pub(crate) queue_wait: std::time::Duration,
    pub(crate) start_timeout: std::time::Duration,
    pub(crate) stop_timeout: std::time::Duration,
    pub(crate) actor: ActorRef<PoolMessage>,
}

/// One method and who offers it.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) pool: Arc<PoolHandle>,
    /// The method's name. A call has this one and not its client's, which would keep the whole message in memory for as
    /// long as the call is remembered.
    pub(crate) name: Bytes,
    pub(crate) manifest: MethodManifest,
}

/// A pool whose methods are not known.
#[derive(Debug, Clone)]
pub(crate) struct Unlearned {
    /// Whose it is, if it is one user's own.
    pub(crate) user: Option<Arc<str>>,
    /// Who may use it.
    pub(crate) access: Arc<PoolAccess>,
    /// Why, if it has been tried and failed; `None`: its first worker is still starting.
    pub(crate) trouble: Option<Trouble>,
}

/// A pool of the configuration of which each user has one of their own.
#[derive(Debug)]
pub(crate) struct PerUser {
    pub(crate) name: Arc<str>,
    pub(crate) access: Arc<PoolAccess>,
    /// `None`: no worker has said so far what it offers.
    methods: Option<FxHashMap<Bytes, MethodManifest>>,
    /// Those who have one.
    users: FxHashSet<Arc<str>>,
}

impl PerUser {
    pub(crate) fn new(
        name: Arc<str>,
        access: Arc<PoolAccess>,
        methods: Option<&[MethodManifest]>,
        users: FxHashSet<Arc<str>>,
    ) -> Self {
        let named = |manifest: &MethodManifest| {
            let name = Bytes::copy_from_slice(manifest.name.as_bytes());
            (name, manifest.clone())
        };
        Self {
            name,
            access,
            methods: methods.map(|methods| methods.iter().map(named).collect()),
            users,
        }
    }

    /// What its workers offer, as far as it is known.
    pub(crate) fn methods(&self) -> impl Iterator<Item = &MethodManifest> {
        self.methods.iter().flat_map(FxHashMap::values)
    }

    pub(crate) fn method(&self, name: &[u8]) -> Option<&MethodManifest> {
        self.methods.as_ref()?.get(name)
    }

    /// Nobody whose name is not known has one.
    fn is_for(&self, seeker: Seeker<'_>) -> bool {
        !seeker.user.is_empty() && seeker.may_use(&self.access)
    }
}

/// The directory at one moment.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    pub(crate) routes: FxHashMap<Bytes, Arc<Route>>,
    /// Those of pools that are one user's own, by the user.
    pub(crate) routes_of: FxHashMap<Arc<str>, FxHashMap<Bytes, Arc<Route>>>,
    pub(crate) per_user: Vec<Arc<PerUser>>,
    pub(crate) pools: Vec<Arc<PoolHandle>>,
    pub(crate) unlearned: Vec<Unlearned>,
}

impl Unlearned {
    /// Whether it could be of use to that user.
    pub(crate) fn is_met_by(&self, user: &str) -> bool {
        self.user.as_ref().is_none_or(|owner| **owner == *user)
    }
}

/// Who looks for a method.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seeker<'a> {
    pub(crate) user: &'a str,
    /// `None`: the user has left something to be done, and the groups were looked at then.
    pub(crate) groups: Option<&'a [String]>,
}

impl Seeker<'_> {
    pub(crate) fn may_use(&self, access: &PoolAccess) -> bool {
        match self.groups {
            Some(groups) => access.permits(self.user, groups),
            None => access.permits_later(self.user),
        }
    }
}

/// Where a method is.
pub(crate) enum Located<'a> {
    /// This pool offers it.
    At(&'a Arc<Route>),
    /// It is, or may be, one of a pool of which the user has none yet.
    NotYet(&'a Arc<PerUser>),
    /// The pool that offers it is not for whoever looks.
    Denied(&'a Arc<str>),
    /// No pool has said so far that it offers it.
    Unknown,
}

impl Directory {
    pub(crate) fn locate(&self, seeker: Seeker<'_>, method: &[u8]) -> Located<'_> {
        match self.routes.get(method) {
            Some(route) if seeker.may_use(&route.pool.access) => Located::At(route),
            Some(route) => Located::Denied(&route.pool.name),
            None => self.locate_own(seeker, method),
        }
    }

    /// Among the pools that users have of their own.
    fn locate_own(&self, seeker: Seeker<'_>, method: &[u8]) -> Located<'_> {
        let own = self.routes_of.get(seeker.user);
        match own.and_then(|own| own.get(method)) {
            Some(route) if seeker.may_use(&route.pool.access) => return Located::At(route),
            Some(route) => return Located::Denied(&route.pool.name),
            None => {}
        }
        for pool in &self.per_user {
            let offers = match &pool.methods {
                Some(methods) if methods.contains_key(method) => true,
                Some(_) => continue,
                None => false,
            };
            match pool.is_for(seeker) {
                true if !pool.users.contains(seeker.user) => return Located::NotYet(pool),
                false if offers => return Located::Denied(&pool.name),
                _ => {}
            }
        }
        Located::Unknown
    }

    /// A pool of which nobody knows what it offers, and of which the user could have one and has none.
    pub(crate) fn unlearned_of(&self, seeker: Seeker<'_>) -> Option<&Arc<PerUser>> {
        let mut pools = self.per_user.iter();
        pools.find(|pool| {
            let is_missing = pool.methods.is_none() && !pool.users.contains(seeker.user);
            is_missing && pool.is_for(seeker)
        })
    }

    /// Whether every pool that this user may meet has either said what it offers or failed to.
    pub(crate) fn is_settled(&self, user: &str) -> bool {
        let mut unlearned = self.unlearned.iter();
        unlearned.all(|pool| pool.trouble.is_some() || !pool.is_met_by(user))
    }

    pub(crate) fn pool(&self, name: &str) -> Option<&Arc<PoolHandle>> {
        self.pools.iter().find(|pool| &*pool.name == name)
    }
}

#[derive(Debug, Default)]
struct Shared {
    version: AtomicU64,
    current: RwLock<Arc<Directory>>,
}

/// The writing end.
#[derive(Debug, Default, Clone)]
pub(crate) struct DirectoryWriter(Arc<Shared>);

impl DirectoryWriter {
    pub(crate) fn publish(&self, directory: Directory) {
        *self
            .0
            .current
            .write()
            .expect("nobody panics while holding it") = Arc::new(directory);
        self.0.version.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn reader(&self) -> DirectoryReader {
        DirectoryReader {
            shared: Arc::clone(&self.0),
            seen: None,
            current: Arc::default(),
        }
    }
}

/// The reading end, one for each session.
#[derive(Debug)]
pub(crate) struct DirectoryReader {
    shared: Arc<Shared>,
    seen: Option<u64>,
    current: Arc<Directory>,
}

impl DirectoryReader {
    /// The directory as it is now. Takes a lock only after a change.
    pub(crate) fn get(&mut self) -> &Arc<Directory> {
        let version = self.shared.version.load(Ordering::Acquire);
        if self.seen != Some(version) {
            self.current = Arc::clone(
                &self
                    .shared
                    .current
                    .read()
                    .expect("nobody panics while holding it"),
            );
            self.seen = Some(version);
        }
        &self.current
    }
}
