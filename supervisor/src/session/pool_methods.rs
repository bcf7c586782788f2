//! `pool.*`: what an administrator orders of a pool. Each is answered by a task of its own, since the pool is asked.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use ractor::{ActorRef, RpcReplyPort};
use standin_core::session::Admission;
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, MethodManifest, value};
use tokio::task::JoinSet;

use super::{
    SessionMessage, SessionState,
    own_methods::{find, missing, tell_answer},
    per_user::Place,
};
use crate::{directory::PoolHandle, pool::PoolMessage, pools::PoolsMessage};

/// The methods, with a sentence for each.
pub(super) const POOL_METHODS: [(&str, &str); 3] = [
    (
        "pool.start",
        "Starts a worker of {pool} and answers when it is ready. For administrators.",
    ),
    (
        "pool.reload",
        "Replaces the workers of {pool} one by one, if a new one starts, and answers when it has. For administrators.",
    ),
    (
        "pool.stop",
        "Ends the workers of {pool} until pool.start, and answers when the last one has ended. For administrators.",
    ),
];

/// An answer is given up this much later than the pool's own limits say.
const GRACE: Duration = Duration::from_secs(5);

type Arguments = [(Bytes, Bytes)];

impl SessionState {
    /// Answers one of [`POOL_METHODS`]. `None`: there is none of that name.
    pub(super) fn order(
        &mut self,
        myself: &ActorRef<SessionMessage>,
        msgid: u64,
        method: &[u8],
        arguments: &Arguments,
    ) -> Option<Result<(), ErrorAnswer>> {
        let (name, _) = POOL_METHODS
            .into_iter()
            .find(|(name, _)| name.as_bytes() == method)?;
        let pool = self.pool_of_order(name, arguments);
        Some(pool.and_then(|pool| match name {
            "pool.start" => self.start_pool(myself, msgid, &pool),
            "pool.reload" => self.reload_pool(myself, msgid, &pool),
            _ => self.stop_pool(myself, msgid, &pool),
        }))
    }

    /// The name of the pool that an order is for. Only who may give one hears more than that.
    fn pool_of_order(&self, method: &str, arguments: &Arguments) -> Result<String, ErrorAnswer> {
        let caller = &self.caller;
        if !caller.is_administrator() {
            let what = method.trim_start_matches("pool.");
            let why = format!(
                "Only an administrator, or the user who runs the service, may {what} a pool."
            );
            return Err(ErrorAnswer::new(ErrorCode::AccessDenied, why));
        }
        let pool = find(arguments, "pool").and_then(value::read_bytes);
        let pool = pool.ok_or_else(|| missing(method, "pool", "the name of a pool"))?;
        let pool = String::from_utf8_lossy(&pool).into_owned();
        tracing::info!(
            session = %caller.session, user = %caller.user, pid = caller.whereabouts.pid(),
            terminal_session = caller.whereabouts.terminal_session(), pool, "{method} was asked for"
        );
        Ok(pool)
    }

    fn place(&mut self, pool: &str) -> Result<Place, ErrorAnswer> {
        self.place_of_pool(pool).ok_or_else(|| {
            let why = format!("There is no pool \"{pool}\" here.");
            ErrorAnswer::new(ErrorCode::InvalidParams, why)
        })
    }

    fn start_pool(
        &mut self,
        myself: &ActorRef<SessionMessage>,
        msgid: u64,
        pool: &str,
    ) -> Result<(), ErrorAnswer> {
        let (place, pools) = (self.place(pool)?, self.environment.pools.clone());
        self.answer_order(myself, msgid, async move {
            let pool = place.reach(&pools).await?;
            told_methods(&ask_to_start(&pools, &pool, PoolMessage::Start).await?)
        });
        Ok(())
    }

    fn reload_pool(
        &mut self,
        myself: &ActorRef<SessionMessage>,
        msgid: u64,
        pool: &str,
    ) -> Result<(), ErrorAnswer> {
        let pools = match self.place(pool)? {
            Place::There(pool) => vec![pool],
            // Whoever has one has the old program.
            Place::Own { pool, .. } => self.pools_of_users(&pool),
        };
        let parent = self.environment.pools.clone();
        self.answer_order(myself, msgid, async move {
            let mut reloads = JoinSet::new();
            for pool in pools {
                let parent = parent.clone();
                reloads
                    .spawn(async move { ask_to_start(&parent, &pool, PoolMessage::Reload).await });
            }
            let mut methods = Vec::new();
            while let Some(reloaded) = reloads.join_next().await {
                methods = reloaded.map_err(|error| {
                    ErrorAnswer::new(ErrorCode::Internal, format!("The reload failed: {error}."))
                })??;
            }
            told_methods(&methods)
        });
        Ok(())
    }

    fn stop_pool(
        &mut self,
        myself: &ActorRef<SessionMessage>,
        msgid: u64,
        pool: &str,
    ) -> Result<(), ErrorAnswer> {
        let Place::There(pool) = self.place(pool)? else {
            let why = format!(
                "Each user has a pool \"{pool}\" of their own. Say whose is meant, such as {pool}@1000; standin.status lists them."
            );
            return Err(ErrorAnswer::new(ErrorCode::InvalidParams, why));
        };
        let pools = self.environment.pools.clone();
        self.answer_order(myself, msgid, async move {
            let limit = pool.call_timeout + pool.stop_timeout + GRACE;
            let asked = ask(&pools, &pool, PoolMessage::StopByOrder, limit).await;
            asked.unwrap_or_else(|| {
                let why = format!(
                    "\"{}\" takes nothing more, but some of its processes are still finishing what they have.",
                    pool.name
                );
                Err(ErrorAnswer::new(ErrorCode::DeadlineExceeded, why))
            })?;
            Ok(protocol::encode(&BTreeMap::from([("stopped", &*pool.name)])))
        });
        Ok(())
    }

    /// The pools that users have of their own, of one of the configuration.
    fn pools_of_users(&mut self, template: &str) -> Vec<Arc<PoolHandle>> {
        let pools = self.directory.get().pools.iter();
        let of_it = |pool: &&Arc<PoolHandle>| pool.template.as_deref() == Some(template);
        pools.filter(of_it).cloned().collect()
    }

    fn answer_order(
        &mut self,
        myself: &ActorRef<SessionMessage>,
        msgid: u64,
        order: impl Future<Output = Result<Bytes, ErrorAnswer>> + Send + 'static,
    ) {
        debug_assert_eq!(self.core.admit_own(msgid), Admission::New);
        self.core.open_own(msgid);
        let myself = myself.clone();
        tokio::spawn(async move {
            let result = order.await.map_err(|error| error.encode());
            tell_answer(&myself, msgid, result);
        });
    }
}

/// Asks a pool for something that is done when a worker is ready.
async fn ask_to_start(
    pools: &ActorRef<PoolsMessage>,
    pool: &Arc<PoolHandle>,
    order: impl Fn(RpcReplyPort<Result<Vec<MethodManifest>, ErrorAnswer>>) -> PoolMessage,
) -> Result<Vec<MethodManifest>, ErrorAnswer> {
    let asked = ask(pools, pool, order, pool.start_timeout + GRACE).await;
    asked.unwrap_or_else(|| {
        let why = format!("No process of \"{}\" was ready in time.", pool.name);
        Err(ErrorAnswer::new(ErrorCode::StartFailed, why))
    })
}

/// Gives a pool an order. If its actor fails before it has answered, the one in its place is given the same. `None`: no
/// answer came in time.
async fn ask<T: Send + 'static>(
    pools: &ActorRef<PoolsMessage>,
    pool: &Arc<PoolHandle>,
    order: impl Fn(RpcReplyPort<T>) -> PoolMessage,
    limit: Duration,
) -> Option<T> {
    let answered = async {
        let mut pool = Arc::clone(pool);
        loop {
            let (reply, answer) = ractor::concurrency::oneshot();
            let _ = pool.actor.cast(order(reply.into()));
            match answer.await {
                Ok(answer) => return Some(answer),
                Err(_) => pool = next(pools, &pool).await?,
            }
        }
    };
    tokio::time::timeout(limit, answered).await.ok().flatten()
}

/// The pool whose actor has taken the place of another's, once it has. `None`: none will.
async fn next(pools: &ActorRef<PoolsMessage>, lost: &PoolHandle) -> Option<Arc<PoolHandle>> {
    const LIMIT_MS: u64 = 2000;
    /// The parent hears of a failure a moment after everybody else.
    const PAUSE: Duration = Duration::from_millis(10);
    loop {
        let listed = ractor::call_t!(pools, PoolsMessage::List, LIMIT_MS).ok()?;
        let of_the_name = listed.into_iter().find(|pool| pool.name == lost.name)?;
        if of_the_name.generation != lost.generation {
            return Some(of_the_name);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn told_methods(methods: &[MethodManifest]) -> Result<Bytes, ErrorAnswer> {
    let names: Vec<_> = methods.iter().map(|method| &method.name).collect();
    Ok(protocol::encode(&BTreeMap::from([("methods", names)])))
}
