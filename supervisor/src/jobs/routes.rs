//! Which method belongs to which pool, as the pools say it, and how many jobs each pool may have.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use ractor::ActorRef;
use standin_core::jobs::{Event, MethodRoute, Routes};

use super::{JobsArguments, JobsMessage, JobsState};
use crate::{config::PoolSettings, pools::PoolsMessage};

impl JobsState {
    pub(super) fn notice_routes(&mut self, myself: &ActorRef<JobsMessage>) {
        let directory = self.directory.get();
        if self
            .routed
            .as_ref()
            .is_some_and(|routed| Arc::ptr_eq(routed, directory))
        {
            return;
        }
        let directory = Arc::clone(directory);
        let methods = directory.routes.iter();
        let methods = methods.map(|(method, route)| {
            let (pool, replay) = (Arc::clone(&route.pool.name), route.manifest.replay);
            (method.clone(), MethodRoute { pool, replay })
        });
        // Of a pool that each user has of their own all together have as many jobs as of another one.
        let pools = directory.per_user.iter();
        let of_users = pools.flat_map(|pool| {
            let name = |name: &str| Bytes::copy_from_slice(name.as_bytes());
            let methods = pool.methods();
            methods.map(move |method| {
                let (pool, replay) = (Arc::clone(&pool.name), method.replay);
                (name(&method.name), MethodRoute { pool, replay })
            })
        });
        let methods = of_users.chain(methods);
        let routes = Routes {
            pools: self.limits.clone(),
            methods: methods.collect(),
        };
        self.routed = Some(directory);
        self.feed(myself, Event::RoutesChanged(routes));
    }

    pub(super) fn ask_for_directory(&self) {
        let ask = PoolsMessage::TellWhenSettled(self.ear.clone(), None);
        let _ = self.pools.cast(ask);
    }
}

/// How many jobs each pool may have at a time: never more than half of its workers, so that the others are there for
/// those who wait for an answer. A pool of one worker has one job at a time.
pub(super) fn limits(arguments: &JobsArguments) -> BTreeMap<Arc<str>, usize> {
    let limit = |pool: &PoolSettings| {
        let half = (pool.workers.max as usize / 2).max(1);
        arguments.settings.concurrent.min(half)
    };
    let pools = arguments.pools.iter();
    pools
        .map(|(name, pool)| (Arc::from(name.as_str()), limit(pool)))
        .collect()
}
