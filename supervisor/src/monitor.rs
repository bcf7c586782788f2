//! The monitor: tells each pool once a second what its workers use and whether the machine is starved.
//!
//! It measures and never decides: the pools know which memory is too much and which lateness to forgive. Asking and
//! looking happen in a task of their own, so that the actor is never deaf.

mod sampler;
mod starvation;

pub use self::{
    sampler::{Machine, Sample, Sampler, Usage},
    starvation::Starvation,
};

use std::{sync::Arc, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use standin_core::WorkerId;

use crate::{clock, directory::PoolHandle, failpoint, pool::PoolMessage, pools::PoolsMessage};

/// Memory grows in seconds, and a starved machine is noticed well before a deadline of the usual ten seconds.
const PERIOD: Duration = Duration::from_secs(1);

/// How long a pool may take to say which workers it has. One that does not answer is looked at the next time.
const LIMIT_MS: u64 = 500;

/// What the monitor is told.
pub(crate) enum MonitorMessage {
    /// It is time.
    Look,
    /// The look is over, and this goes on to the next; `None`: it failed.
    Looked(Option<Box<Sampler>>),
}

/// What the monitor is started with.
pub(crate) struct MonitorArguments {
    pub(crate) pools: ActorRef<PoolsMessage>,
    /// Whether it looks for starvation.
    pub(crate) starvation_guard: bool,
}

/// The monitor actor.
pub(crate) struct Monitor;

/// What the monitor holds.
pub(crate) struct MonitorState {
    pools: ActorRef<PoolsMessage>,
    /// `None`: nobody wants to know.
    starvation: Option<Starvation>,
    /// `None`: a look is under way.
    sampler: Option<Box<Sampler>>,
}

impl Actor for Monitor {
    type Msg = MonitorMessage;
    type State = MonitorState;
    type Arguments = MonitorArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<MonitorMessage>,
        arguments: MonitorArguments,
    ) -> Result<MonitorState, ActorProcessingErr> {
        myself.send_interval(PERIOD, || MonitorMessage::Look);
        Ok(MonitorState {
            pools: arguments.pools,
            starvation: arguments.starvation_guard.then(|| Starvation::new(PERIOD)),
            sampler: Some(Box::new(Sampler::new()?)),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<MonitorMessage>,
        message: MonitorMessage,
        state: &mut MonitorState,
    ) -> Result<(), ActorProcessingErr> {
        failpoint::pass("monitor", "");
        match message {
            // A look that takes longer than the period is waited for.
            MonitorMessage::Look => {
                let starvation = state.starvation.as_mut();
                let starved = starvation.is_some_and(|it| it.tick(clock::now()));
                if let Some(sampler) = state.sampler.take() {
                    tokio::spawn(look(myself, state.pools.clone(), sampler, starved));
                }
            }
            MonitorMessage::Looked(sampler) => {
                state.sampler = Some(sampler.ok_or("a look at the processes failed")?);
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<MonitorMessage>,
        event: SupervisionEvent,
        _state: &mut MonitorState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            // It has no children.
            SupervisionEvent::ActorStarted(_)
            | SupervisionEvent::ActorTerminated(..)
            | SupervisionEvent::ActorFailed(..)
            | SupervisionEvent::ProcessGroupChanged(_) => Ok(()),
        }
    }
}

/// Asks the pools for their workers, looks at them, and tells.
async fn look(
    myself: ActorRef<MonitorMessage>,
    pools: ActorRef<PoolsMessage>,
    mut sampler: Box<Sampler>,
    starved: bool,
) {
    let workers = workers(&pools).await;
    let pids: Vec<u32> = workers
        .iter()
        .flat_map(|(_, workers)| workers)
        .map(|(_, pid)| *pid)
        .collect();
    let looked = tokio::task::spawn_blocking(move || {
        crate::process::watch_memory();
        let sample = sampler.sample(&pids);
        (sampler, sample)
    });
    let Ok((sampler, sample)) = looked.await else {
        let _ = myself.cast(MonitorMessage::Looked(None));
        return;
    };
    for (pool, workers) in workers {
        let memory = workers
            .iter()
            .filter_map(|(worker, pid)| Some((*worker, sample.rss(*pid)?)));
        let measured = PoolMessage::Measured {
            memory: memory.collect(),
            starved,
        };
        let _ = pool.actor.cast(measured);
    }
    let _ = myself.cast(MonitorMessage::Looked(Some(sampler)));
}

async fn workers(pools: &ActorRef<PoolsMessage>) -> Vec<(Arc<PoolHandle>, Vec<(WorkerId, u32)>)> {
    let pools = ractor::call_t!(pools, PoolsMessage::List, LIMIT_MS).unwrap_or_default();
    let mut workers = Vec::with_capacity(pools.len());
    for pool in pools {
        let of_pool = ractor::call_t!(pool.actor, PoolMessage::Pids, LIMIT_MS).unwrap_or_default();
        workers.push((pool, of_pool));
    }
    workers
}
