//! The settings as the service uses them, with their defaults. Text is turned into them elsewhere.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::Serialize;
use standin_core::access::PoolAccess;
use standin_transport::{Endpoint, EndpointError};

use super::units::{Bytes, Mode, Span};

/// All settings of the service.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Settings {
    pub(crate) endpoint: EndpointSettings,
    pub(crate) sessions: SessionsSettings,
    pub(crate) quotas: QuotasSettings,
    pub(crate) keys: KeysSettings,
    pub(crate) jobs: JobsSettings,
    pub(crate) state: StateSettings,
    pub(crate) log: LogSettings,
    pub(crate) service: ServiceSettings,
    pub(crate) pools: BTreeMap<String, PoolSettings>,
}

impl Default for Settings {
    /// What holds without a file: Standin's own pool, and the usual places.
    fn default() -> Self {
        Self {
            endpoint: EndpointSettings::default(),
            sessions: SessionsSettings::default(),
            quotas: QuotasSettings::default(),
            keys: KeysSettings::default(),
            jobs: JobsSettings::default(),
            state: StateSettings::default(),
            log: LogSettings::default(),
            service: ServiceSettings::default(),
            pools: BTreeMap::from([(Self::BUILTIN_POOL.to_owned(), PoolSettings::default())]),
        }
    }
}

impl Settings {
    /// The pool that is there without any configuration.
    pub(crate) const BUILTIN_POOL: &str = "builtin";

    /// Where the service listens: what is set, else the usual place of whoever runs it.
    pub(crate) fn endpoint(&self) -> Result<Endpoint, EndpointError> {
        match self.endpoint.path.as_str() {
            "" => Ok(Endpoint::default_for_user()),
            path => Endpoint::parse(path),
        }
    }
}

/// Where clients come in, and what they may do there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct EndpointSettings {
    /// Empty: the place that is usual for the user who runs the service.
    pub(crate) path: String,
    pub(crate) mode: Mode,
    pub(crate) group: String,
    /// Empty: the one that group comes to. Windows only.
    pub(crate) descriptor: String,
    pub(crate) sessions_max: usize,
    pub(crate) session_requests_max: usize,
    pub(crate) message_size_max: Bytes,
}

impl Default for EndpointSettings {
    fn default() -> Self {
        Self {
            path: String::new(),
            mode: Mode(0o600),
            group: String::new(),
            descriptor: String::new(),
            sessions_max: 20_000,
            session_requests_max: 1024,
            message_size_max: Bytes(16 << 20),
        }
    }
}

/// What outlives a connection.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct SessionsSettings {
    /// How long a session waits for its client to come back.
    pub(crate) linger: Span,
    /// Sessions without a client and with nothing to lose that are kept at a time.
    pub(crate) waiting_max: usize,
    /// Answers that one session keeps for a client that has not acknowledged them.
    pub(crate) answers_max: usize,
    /// Bytes of these answers.
    pub(crate) answers_bytes_max: Bytes,
}

impl Default for SessionsSettings {
    fn default() -> Self {
        Self {
            linger: Span(Duration::from_secs(60)),
            waiting_max: 1000,
            answers_max: 1024,
            answers_bytes_max: Bytes(64 << 20),
        }
    }
}

/// What one user may have at a time, all programs together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct QuotasSettings {
    /// Connections.
    pub(crate) sessions: usize,
    /// Unanswered calls.
    pub(crate) requests: usize,
    /// Bytes of their parameters, and of answers that are kept.
    pub(crate) bytes: Bytes,
}

impl Default for QuotasSettings {
    fn default() -> Self {
        Self {
            sessions: 5000,
            requests: 20_000,
            bytes: Bytes(1 << 30),
        }
    }
}

impl QuotasSettings {
    /// The part that the decisions need, which is all of it.
    pub(crate) fn for_core(&self) -> standin_core::quota::QuotaLimits {
        standin_core::quota::QuotaLimits {
            sessions_max: self.sessions,
            requests_max: self.requests,
            bytes_max: self.bytes.0 as usize,
        }
    }
}

/// Calls with an idempotency key.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct KeysSettings {
    /// How long the answer to one is kept, at least.
    pub(crate) retention: Span,
}

impl Default for KeysSettings {
    fn default() -> Self {
        Self {
            retention: Span(Duration::from_secs(30 * 24 * 3600)),
        }
    }
}

/// What is done in the background.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct JobsSettings {
    /// Jobs that one pool works on at a time, and never more than half of its workers.
    pub(crate) concurrent: usize,
    /// How long jobs that are done or cancelled are kept, with their results.
    pub(crate) keep: Span,
    /// How long jobs are kept that are dead, or wait for a person to decide.
    pub(crate) keep_failed: Span,
}

impl Default for JobsSettings {
    fn default() -> Self {
        let days = |days: u64| Span(Duration::from_secs(days * 24 * 3600));
        Self {
            concurrent: 4,
            keep: days(7),
            keep_failed: days(90),
        }
    }
}

/// Where the service keeps what must outlive it.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(crate) struct StateSettings {
    /// Empty: the place that is usual for the user who runs the service.
    pub(crate) dir: PathBuf,
}

/// What is logged, and how. The log goes to standard error.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct LogSettings {
    pub(crate) level: String,
    pub(crate) format: LogFormat,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            level: "info".into(),
            format: LogFormat::Text,
        }
    }
}

/// The shape of a line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// The service itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ServiceSettings {
    /// How long running calls may take to finish when the service is stopped.
    pub(crate) stop: Span,
    /// Threads that move messages. One is fastest until it is full.
    pub(crate) threads: usize,
    /// Whether nobody is killed for being late while the machine is starved.
    pub(crate) starvation_guard: bool,
}

impl Default for ServiceSettings {
    fn default() -> Self {
        Self {
            stop: Span(Duration::from_secs(10)),
            threads: 1,
            starvation_guard: true,
        }
    }
}

/// One pool.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct PoolSettings {
    pub(crate) enabled: bool,
    /// The program and its arguments. Empty, for the pool `builtin` only: Standin's own worker.
    pub(crate) command: Vec<String>,
    pub(crate) folder: PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) workers: Workers,
    pub(crate) scope: Scope,
    /// With a pool for each user: so many users at a time.
    pub(crate) users_max: usize,
    /// With a pool for each user: its workers run as that user. For a service of root.
    pub(crate) run_as_user: bool,
    /// Who may use it, by name or by what the system calls them; both empty: everybody.
    pub(crate) users: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) timeouts: Timeouts,
    pub(crate) recycle: Recycle,
    pub(crate) queue: Queue,
    pub(crate) concurrency_max: u32,
    /// Ended calls of which it is known what happened to them.
    pub(crate) explained_max: usize,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            command: Vec::new(),
            folder: PathBuf::new(),
            environment: BTreeMap::new(),
            workers: Workers::default(),
            scope: Scope::Shared,
            users_max: 100,
            run_as_user: false,
            users: Vec::new(),
            groups: Vec::new(),
            timeouts: Timeouts::default(),
            recycle: Recycle::default(),
            queue: Queue::default(),
            concurrency_max: 64,
            explained_max: 1000,
        }
    }
}

/// How many workers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Workers {
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) spare: u32,
    pub(crate) idle: Span,
}

impl Default for Workers {
    fn default() -> Self {
        Self {
            min: 1,
            max: 4,
            spare: 1,
            idle: Span(Duration::from_secs(300)),
        }
    }
}

/// Who shares a pool's workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    /// Everybody.
    Shared,
    /// Each user has workers of their own.
    User,
    /// Each session has a worker of its own. Understood, and refused until it is there.
    Session,
}

/// How long things may take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Timeouts {
    pub(crate) start: Span,
    pub(crate) call: Span,
    pub(crate) stop: Span,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = |seconds| Span(Duration::from_secs(seconds));
        Self {
            start: seconds(10),
            call: seconds(30),
            stop: seconds(5),
        }
    }
}

/// When a worker is replaced though nothing is wrong with it; 0 is never.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(crate) struct Recycle {
    pub(crate) requests: u64,
    pub(crate) age: Span,
    pub(crate) rss: Bytes,
}

/// What may wait.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Queue {
    pub(crate) max: usize,
    pub(crate) wait: Span,
    pub(crate) bytes: Bytes,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            max: 1000,
            wait: Span(Duration::from_secs(30)),
            bytes: Bytes(256 << 20),
        }
    }
}

impl PoolSettings {
    /// Who may use the pool. A name that the machine does not know is nobody; reading the file has complained of it.
    pub(crate) fn access(&self) -> PoolAccess {
        let known = |names: &[String], id: fn(&str) -> Option<String>| {
            let ids = names
                .iter()
                .map(|name| id(name).unwrap_or_else(|| name.clone()));
            ids.collect()
        };
        PoolAccess::new(
            known(&self.users, standin_transport::user_id),
            known(&self.groups, standin_transport::group_id),
        )
    }

    /// The part that the decisions need.
    pub(crate) fn for_core(&self) -> standin_core::pool::PoolSettings {
        standin_core::pool::PoolSettings {
            workers_min: self.workers.min,
            workers_max: self.workers.max,
            spare: self.workers.spare,
            idle: self.workers.idle.0,
            start_timeout: self.timeouts.start.0,
            call_timeout: self.timeouts.call.0,
            stop_timeout: self.timeouts.stop.0,
            queue_max: self.queue.max,
            queue_wait: self.queue.wait.0,
            queue_bytes_max: self.queue.bytes.0 as usize,
            recycle_requests: (self.recycle.requests > 0).then_some(self.recycle.requests),
            recycle_age: (!self.recycle.age.0.is_zero()).then_some(self.recycle.age.0),
            recycle_rss: (self.recycle.rss.0 > 0).then_some(self.recycle.rss.0),
            unused_max: (self.scope == Scope::User).then_some(self.workers.idle.0),
            concurrency_max: self.concurrency_max,
        }
    }
}
