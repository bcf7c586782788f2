//! Pools that each user has of their own: asked for when a request needs one that is not there.

use std::{sync::Arc, time::Instant};

use ractor::ActorRef;
use standin_protocol::{ErrorAnswer, Request};

use super::{SessionMessage, SessionState, intake::too_many};
use crate::{
    call::{Call, CallAnswer},
    directory::{PerUser, PoolHandle},
    pools::{self, NoUserPool, PoolsMessage},
};

/// What the session waits for.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Pools that ended just as they were given calls, which wait for others in their place.
    homeless: Vec<u64>,
    /// The pool that cannot be had, and why, while those are answered who wait for it.
    refused: Option<(Arc<str>, NoUserPool)>,
}

impl SessionState {
    /// A request waits until its user has a pool of their own.
    pub(super) fn wait_for_user_pool(
        &mut self,
        pool: &PerUser,
        request: Request,
        since: Option<Instant>,
    ) {
        if let Some(error) = self.refused_pool(&pool.name) {
            return self.turn_away(&request, error);
        }
        if self.core.open_calls() + self.unlocated.len() >= self.environment.requests_max {
            return self.turn_away(&request, too_many());
        }
        if self.wait(request, since) {
            self.ask_for_pool(&pool.name);
        }
    }

    fn ask_for_pool(&self, pool: &Arc<str>) {
        let session = self.caller.actor.clone();
        pools::ask(&self.environment.pools, pool, &self.caller.user, session);
    }

    /// The answer for whoever needs that pool, if it is known that it cannot be had.
    pub(super) fn refused_pool(&self, pool: &str) -> Option<ErrorAnswer> {
        let (refused, why) = self.wanted.refused.as_ref()?;
        (**refused == *pool).then(|| why.answer(pool))
    }

    /// The user cannot have that pool now.
    pub(super) fn no_user_pool(
        &mut self,
        myself: &ActorRef<SessionMessage>,
        refused: (Arc<str>, NoUserPool),
    ) {
        self.wanted.refused = Some(refused);
        self.directory_changed(myself);
        self.wanted.refused = None;
    }

    /// Those who wait for a pool may have one now.
    pub(super) fn directory_changed(&mut self, myself: &ActorRef<SessionMessage>) {
        for generation in std::mem::take(&mut self.wanted.homeless) {
            self.pool_lost(myself, generation);
        }
        self.locate_again(myself);
    }

    /// A call whose pool has ended before it began with it waits for the next one of the user, or is answered. False: its
    /// pool was none of that kind.
    pub(super) fn wait_for_next_pool(
        &mut self,
        myself: &ActorRef<SessionMessage>,
        call: &Arc<Call>,
    ) -> bool {
        let Some(pool) = call.pool.template.clone() else {
            return false;
        };
        if let Some(error) = self.refused_pool(&pool) {
            let answer = CallAnswer {
                origin: call.origin,
                result: Err(error.encode()),
            };
            self.answered(myself, answer);
            return true;
        }
        let generation = call.pool.generation;
        if !self.wanted.homeless.contains(&generation) {
            self.wanted.homeless.push(generation);
            self.ask_for_pool(&pool);
        }
        true
    }

    /// Whether a call waits for the next pool of its user, so that no pool has it.
    pub(super) fn is_homeless(&self, call: &Call) -> bool {
        self.wanted.homeless.contains(&call.pool.generation)
    }

    /// Whether what somebody asks of the methods as a whole has to wait for a pool of the user's own, which then is asked
    /// for.
    pub(super) fn methods_need_user_pool(&mut self) -> Option<Arc<PerUser>> {
        let directory = Arc::clone(self.directory.get());
        let pool = directory.unlearned_of(self.seeker())?;
        let is_refused = self.refused_pool(&pool.name).is_some();
        (!is_refused).then(|| Arc::clone(pool))
    }
}

/// Where a pool that somebody names is to be had.
pub(super) enum Place {
    There(Arc<PoolHandle>),
    /// It is one of those that each user has of their own: this user's is meant, and made if there is none.
    Own {
        pool: Arc<str>,
        user: Arc<str>,
    },
}

impl Place {
    pub(super) async fn reach(
        self,
        pools: &ActorRef<PoolsMessage>,
    ) -> Result<Arc<PoolHandle>, ErrorAnswer> {
        let (pool, user) = match self {
            Place::There(pool) => return Ok(pool),
            Place::Own { pool, user } => (pool, user),
        };
        let made = pools::user_pool(pools, &pool, user).await;
        made.map_err(|why| why.answer(&pool))
    }
}

impl SessionState {
    pub(super) fn place_of_pool(&mut self, name: &str) -> Option<Place> {
        let user = Arc::clone(&self.caller.user);
        let directory = self.directory.get();
        if let Some(pool) = directory.pool(name) {
            return Some(Place::There(Arc::clone(pool)));
        }
        let mut pools = directory.per_user.iter();
        let pool = pools.find(|pool| *pool.name == *name)?;
        let pool = Arc::clone(&pool.name);
        Some(Place::Own { pool, user })
    }
}
