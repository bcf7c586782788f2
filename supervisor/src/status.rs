//! The answer of `standin.status`, as the service writes it and the command line reads it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use standin_core::{
    pool::{PoolView, SlotView, WorkerState},
    quota::{QuotaLimits, Usage},
};

use crate::{recovery::RecoveryStatus, store::JobCounts};

/// The whole service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ServiceStatus {
    pub(crate) server: String,
    pub(crate) version: String,
    pub(crate) pid: u32,
    pub(crate) uptime_ms: u64,
    pub(crate) endpoint: String,
    /// The folder where it keeps what must outlive it.
    #[serde(default)]
    pub(crate) state: String,
    pub(crate) sessions: usize,
    /// Sessions whose clients are away and may come back.
    #[serde(default)]
    pub(crate) sessions_waiting: usize,
    /// What one user may have at a time.
    #[serde(default)]
    pub(crate) quotas: QuotaStatus,
    /// What users have: all of them for an administrator, for others what they have themselves.
    #[serde(default)]
    pub(crate) users: Vec<UserStatus>,
    pub(crate) requests: RequestTotals,
    /// Only after a run that nobody had asked to end.
    #[serde(default)]
    pub(crate) recovery: Option<RecoveryStatus>,
    /// Missing where they could not be counted.
    #[serde(default)]
    pub(crate) jobs: Option<JobCounts>,
    pub(crate) pools: Vec<PoolStatus>,
}

/// The limits for one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct QuotaStatus {
    pub(crate) sessions: usize,
    pub(crate) requests: usize,
    pub(crate) bytes: usize,
}

impl From<QuotaLimits> for QuotaStatus {
    fn from(limits: QuotaLimits) -> Self {
        Self {
            sessions: limits.sessions_max,
            requests: limits.requests_max,
            bytes: limits.bytes_max,
        }
    }
}

/// What one user has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct UserStatus {
    pub(crate) user: String,
    /// Connections.
    pub(crate) sessions: usize,
    /// Unanswered calls.
    pub(crate) requests: usize,
    /// Bytes of their parameters.
    pub(crate) waiting_bytes: usize,
    /// Bytes of answers that are kept.
    pub(crate) kept_bytes: usize,
    /// What was too much and was refused.
    pub(crate) refused: u64,
}

impl UserStatus {
    pub(crate) fn new(user: &str, usage: Usage) -> Self {
        let Usage {
            sessions,
            requests,
            waiting_bytes,
            kept_bytes,
            refused,
        } = usage;
        Self {
            user: user.to_owned(),
            sessions,
            requests,
            waiting_bytes,
            kept_bytes,
            refused,
        }
    }

    /// Whether there is anything to say of the user.
    pub(crate) fn is_worth_showing(&self) -> bool {
        *self
            != Self {
                user: self.user.clone(),
                ..Self::default()
            }
    }
}

/// What has become of the requests of all pools together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RequestTotals {
    pub(crate) answered: u64,
    pub(crate) replayed: u64,
    pub(crate) refused: u64,
    pub(crate) failed: u64,
}

impl RequestTotals {
    pub(crate) fn of(pools: &[PoolStatus]) -> Self {
        let sum = |counter: fn(&PoolStatus) -> u64| pools.iter().map(counter).sum();
        Self {
            answered: sum(|pool| pool.answered),
            replayed: sum(|pool| pool.replayed),
            refused: sum(|pool| pool.refused),
            failed: sum(|pool| pool.failed),
        }
    }
}

/// One pool.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PoolStatus {
    pub(crate) name: String,
    /// `starting`, `ready`, `reloading`, `degraded`, `stopped` or `stopping`.
    pub(crate) state: String,
    pub(crate) queued: usize,
    pub(crate) running: usize,
    pub(crate) workers: Vec<WorkerStatus>,
    pub(crate) answered: u64,
    pub(crate) answered_after_replay: u64,
    pub(crate) replayed: u64,
    pub(crate) refused: u64,
    pub(crate) failed: u64,
    pub(crate) stale_answers: u64,
    pub(crate) starts: u64,
    pub(crate) died: u64,
    /// The last ones, oldest first.
    pub(crate) deaths: Vec<DeathStatus>,
    pub(crate) restart_in_ms: Option<u64>,
    pub(crate) last_lines: Vec<String>,
}

/// One worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct WorkerStatus {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
    pub(crate) pid: Option<u32>,
    /// `starting`, `ready`, `busy`, `suspect`, `draining` or `stopping`.
    pub(crate) state: String,
    pub(crate) running: usize,
    pub(crate) concurrency: u32,
    pub(crate) requests: u64,
    pub(crate) age_ms: u64,
    pub(crate) rss_bytes: u64,
}

/// One death.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeathStatus {
    pub(crate) at_ms_ago: u64,
    pub(crate) pid: Option<u32>,
    pub(crate) slot: u32,
    pub(crate) cause: String,
    /// Requests that went on in another worker.
    pub(crate) replayed: u32,
    /// Requests that were answered with an error for it.
    pub(crate) lost: u32,
}

impl WorkerStatus {
    pub(crate) fn new(
        view: &SlotView,
        pid: Option<u32>,
        age: Option<Duration>,
        rss_bytes: u64,
    ) -> Self {
        let state = match view.state {
            WorkerState::Starting => "starting",
            WorkerState::Ready => "ready",
            WorkerState::Busy => "busy",
            WorkerState::Suspect => "suspect",
            WorkerState::Draining => "draining",
            WorkerState::Dying => "stopping",
        };
        Self {
            slot: view.worker.slot.0,
            generation: view.worker.generation,
            pid,
            state: state.to_owned(),
            running: view.running,
            concurrency: view.concurrency,
            requests: view.served,
            age_ms: age.unwrap_or_default().as_millis() as u64,
            rss_bytes,
        }
    }
}

impl PoolStatus {
    pub(crate) fn new(
        name: &str,
        view: &PoolView,
        workers: Vec<WorkerStatus>,
        deaths: Vec<DeathStatus>,
        restart_in: Option<Duration>,
        last_lines: Vec<String>,
    ) -> Self {
        let is_at_work =
            |worker: &WorkerStatus| matches!(&*worker.state, "ready" | "busy" | "suspect");
        let state = if view.stopping {
            "stopping"
        } else if view.paused {
            "stopped"
        } else if view.degraded {
            "degraded"
        } else if view.reloading {
            "reloading"
        } else if workers.iter().any(is_at_work) {
            "ready"
        } else {
            "starting"
        };
        let counters = view.counters;
        Self {
            name: name.to_owned(),
            state: state.to_owned(),
            queued: view.queued,
            running: view.running,
            workers,
            answered: counters.answered,
            answered_after_replay: counters.answered_after_replay,
            replayed: counters.replayed,
            refused: counters.refused,
            failed: counters.failed,
            stale_answers: counters.stale_answers,
            starts: counters.starts,
            died: counters.deaths,
            deaths,
            restart_in_ms: restart_in.map(|restart_in| restart_in.as_millis() as u64),
            last_lines,
        }
    }
}
