//! Which pool offers which method. The `Pools` actor writes it; sessions read it on the path of every request, so a
//! reader keeps its own copy and only looks at a version number until something has changed.

use std::sync::{
    Arc, RwLock,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use ractor::ActorRef;
use rustc_hash::FxHashMap;
use standin_core::access::PoolAccess;
use standin_protocol::MethodManifest;

use crate::pool::PoolMessage;

/// Where a pool is reached. The generation tells a pool's actor from the one that replaced it.
#[derive(Debug)]
pub(crate) struct PoolHandle {
    pub(crate) name: Arc<str>,
    pub(crate) generation: u64,
    /// Who may use it.
    pub(crate) access: Arc<PoolAccess>,
    pub(crate) call_timeout: std::time::Duration,
    pub(crate) queue_wait: std::time::Duration,
    pub(crate) start_timeout: std::time::Duration,
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
    /// Who may use it.
    pub(crate) access: Arc<PoolAccess>,
    /// Why, if it has been tried and failed; `None`: its first worker is still starting.
    pub(crate) trouble: Option<String>,
}

/// The directory at one moment.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    pub(crate) routes: FxHashMap<Bytes, Arc<Route>>,
    pub(crate) pools: Vec<Arc<PoolHandle>>,
    pub(crate) unlearned: Vec<Unlearned>,
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
            None => Located::Unknown,
        }
    }

    /// Whether every pool has either said what it offers or failed to.
    pub(crate) fn is_settled(&self) -> bool {
        self.unlearned.iter().all(|pool| pool.trouble.is_some())
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
