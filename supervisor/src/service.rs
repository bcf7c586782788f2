//! The service as a whole: from settings to a running tree, and back to nothing.

mod kept;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, AtomicU64},
    },
    time::{Duration, Instant},
};

use ractor::{Actor, ActorRef};
use standin_core::session::MemoryLimits;
use standin_protocol::Limits;
use standin_transport::{Access, Endpoint, EndpointError, ListenError, Listener};

use self::kept::Kept;
use crate::{
    accounts::Accounts,
    clock,
    config::Settings,
    directory::DirectoryWriter,
    jobs::JobsArguments,
    keys::KeysArguments,
    notify::{Manager, News},
    pool::PoolMessage,
    pools::{PoolsArguments, PoolsMessage, StoppedPools},
    process::{self, Spawner},
    recovery,
    root::{Parts, Root, RootArguments, RootMessage},
    session::SessionEnvironment,
    sessions::SessionsMessage,
    state::{Keeper, StateError},
    status::{QuotaStatus, RequestTotals, ServiceStatus, UserStatus},
    store::{JobCounts, Store, StoreError},
    worker::{WorkerEnvironment, random_hex},
};

/// Why there is no service, or no longer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// The endpoint of the settings is none.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The endpoint cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// There is no folder to keep the state in.
    #[error(transparent)]
    State(#[from] StateError),
    /// What is kept there cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder for the workers' sockets cannot be made.
    #[error("cannot make the folder `{}` for the workers' sockets", .folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The thread that starts processes cannot be started.
    #[error("cannot start the thread that starts processes")]
    Spawner(#[source] io::Error),
    /// Workers are to run as others, and only root may start them so.
    #[error(
        "the pool `{pool}` has run_as_user, and this service is not run by root\n(hint: install it with `standin service install --user root`, or leave run_as_user false)"
    )]
    NotRoot {
        /// The first one.
        pool: String,
    },
    /// A part could not start.
    #[error("a part of the service could not start: {0}")]
    Start(#[source] ractor::SpawnErr),
    /// The tree fell.
    #[error("a part of the service failed and could not be mended; see the log")]
    Fallen,
}

/// What status tells of this run.
static RUN: OnceLock<Run> = OnceLock::new();

struct Run {
    began: Instant,
    endpoint: String,
    state: String,
}

/// The longest that the end of the tree may take beyond the limit for calls.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// Serves until `stop` is done, then stops within the limit of the settings. `hurry` ends the waiting. `manager` is told
/// how it goes; `keeper` is who starts the service, unless its socket was handed over, which only the machine does.
pub(crate) async fn serve(
    settings: Settings,
    keeper: Keeper,
    manager: Manager,
    stop: impl Future<Output = ()>,
    hurry: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    process::prepare();
    check_run_as(&settings)?;
    let handed_over = Listener::from_activation()?;
    let (bound, beside, keeper) = match handed_over {
        Some(listener) => (listener, runtime_folder(), Keeper::Machine),
        None => (bind(&settings)?, None, keeper),
    };
    let endpoint = bound.endpoint().clone();
    let wanted = &settings.endpoint.path;
    if !wanted.is_empty() && Path::new(wanted) != endpoint.as_path() {
        tracing::warn!(
            "the settings say {wanted}, but the service manager's socket is {endpoint}; install the service again"
        );
    }
    let instance = random_hex();
    // Whoever connects from now on waits until what earlier runs have left is cleared away.
    let mut stop = std::pin::pin!(stop);
    let kept = tokio::select! {
        kept = Kept::open(&settings, &endpoint, keeper, &instance) => kept?,
        () = &mut stop => {
            // That may take minutes. Whatever is cut off there is as after a kill, which the next start expects.
            tracing::info!("standin was told to stop before it had started");
            return Ok(());
        }
    };
    let around = beside.clone();
    let folder = WorkersFolder::make(&endpoint, beside, kept.folder.path())?;
    if settings.pools.values().any(|pool| pool.run_as_user) {
        folder.open_to_workers(around.as_deref())?;
    }
    let guard = tokio::spawn(process::guard::keep(instance.clone()));
    let limits = Limits {
        message_size_max: settings.endpoint.message_size_max.0 as usize,
        ..Limits::default()
    };
    let environment = Arc::new(WorkerEnvironment {
        spawner: Spawner::start().map_err(ServeError::Spawner)?,
        folder: folder.0.clone(),
        instance: instance.clone(),
        limits,
    });
    let _ = RUN.set(Run {
        began: clock::now(),
        endpoint: endpoint.to_string(),
        state: kept.folder.path().display().to_string(),
    });
    let (root, ended) = start(&settings, bound, environment, &kept.store, limits).await?;
    tracing::info!(
        pid = std::process::id(),
        "standin {} is ready on {endpoint}",
        env!("CARGO_PKG_VERSION")
    );
    manager.tell(News::Ready);
    let alive = tokio::spawn(manager.clone().keep_alive(root.clone()));
    let result = tokio::select! {
        () = stop => {
            manager.tell(News::Stopping);
            end(&root, settings.service.stop.0, hurry).await;
            Ok(())
        }
        _ = ended => Err(ServeError::Fallen),
    };
    // By now every worker has ended; this is for what workers left behind.
    let swept = instance.clone();
    let sweep = tokio::task::spawn_blocking(move || process::guard::sweep(&swept));
    let is_clean = sweep.await.unwrap_or(false);
    kept.close(&instance, is_clean).await;
    guard.abort();
    alive.abort();
    tracing::info!("standin has stopped");
    result
}

/// Whether the service may start workers as those whom the settings name.
fn check_run_as(settings: &Settings) -> Result<(), ServeError> {
    let mut pools = settings.pools.iter();
    let pool = pools.find(|(_, pool)| pool.run_as_user);
    match pool.filter(|_| !process::may_start_as_others()) {
        Some((pool, _)) => Err(ServeError::NotRoot { pool: pool.clone() }),
        None => Ok(()),
    }
}

/// The endpoint of the settings, claimed.
fn bind(settings: &Settings) -> Result<Listener, ServeError> {
    let endpoint = settings.endpoint()?;
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let (group, descriptor) = (&settings.endpoint.group, &settings.endpoint.descriptor);
    let access = Access::new(settings.endpoint.mode.0, given(group));
    let access = access.with_descriptor(given(descriptor));
    Ok(Listener::bind(&endpoint, &access)?)
}

/// The folder that systemd has made for this run (`RuntimeDirectory=`). Beside a socket that was handed over there is
/// nothing of ours.
fn runtime_folder() -> Option<PathBuf> {
    let folders = std::env::var("RUNTIME_DIRECTORY").ok()?;
    let first = folders.split(':').next()?;
    Some(PathBuf::from(first)).filter(|folder| !folder.as_os_str().is_empty())
}

async fn start(
    settings: &Settings,
    bound: Listener,
    environment: Arc<WorkerEnvironment>,
    store: &Store,
    limits: Limits,
) -> Result<(ActorRef<RootMessage>, tokio::task::JoinHandle<()>), ServeError> {
    let directory = DirectoryWriter::default();
    let requests_max = settings.endpoint.session_requests_max;
    let for_sessions = directory.clone();
    let owner = standin_transport::own_user();
    let linger = settings.sessions.linger.0;
    let memory = MemoryLimits {
        answers_max: settings.sessions.answers_max,
        bytes_max: settings.sessions.answers_bytes_max.0 as usize,
    };
    let last_request = Arc::new(AtomicU64::new(requests_before(store.earlier_runs())));
    let store = store.handle();
    let last_session = Arc::new(AtomicU64::new(0));
    let groups_matter = settings
        .pools
        .values()
        .any(|pool| pool.access().asks_for_groups());
    let accounts = Arc::new(Accounts::new(settings.quotas.for_core()));
    let jobs = JobsArguments {
        settings: settings.jobs.clone(),
        pools: settings.pools.clone(),
        store: store.clone(),
        directory: directory.clone(),
        last_request: Arc::clone(&last_request),
        last_job: Arc::new(AtomicI64::new(0)),
        accounts: Arc::clone(&accounts),
    };
    let parts = Parts {
        bound: Some(Arc::new(bound)),
        pools: PoolsArguments {
            settings: settings.pools.clone(),
            environment,
            store: store.clone(),
            directory,
            stopped: StoppedPools::default(),
        },
        keys: KeysArguments {
            store: store.clone(),
            retention: settings.keys.retention.0,
        },
        jobs,
        sessions_max: settings.endpoint.sessions_max,
        waiting_max: settings.sessions.waiting_max,
        linger,
        starvation_guard: settings.service.starvation_guard,
        session_environment: Box::new(move |pools, keys, jobs| SessionEnvironment {
            directory: for_sessions.clone(),
            pools,
            keys,
            store: store.clone(),
            jobs,
            limits,
            requests_max,
            linger,
            memory,
            last_request: Arc::clone(&last_request),
            last_session: Arc::clone(&last_session),
            owner: owner.clone(),
            accounts: Arc::clone(&accounts),
            groups_matter,
        }),
    };
    Actor::spawn(None, Root, RootArguments { parts })
        .await
        .map_err(ServeError::Start)
}

/// Requests that each run of the service has numbers for: two days of 50 000 calls a second. Decimal, so that one sees
/// from a number which run it is of.
const REQUESTS_OF_A_RUN: u64 = 10_000_000_000;

/// Where the numbers of this run begin. A number stands in errors that are kept for months, and must not lead to the
/// story of another call when the service has been started again.
fn requests_before(earlier_runs: u64) -> u64 {
    earlier_runs.saturating_mul(REQUESTS_OF_A_RUN)
}

/// Stops the tree and waits for it: dropping a runtime under a living tree makes parents start children in vain.
async fn end(root: &ActorRef<RootMessage>, limit: Duration, hurry: impl Future<Output = ()>) {
    tracing::info!(limit_ms = limit.as_millis() as u64, "standin is stopping");
    let stop = |reply| RootMessage::Stop { limit, reply };
    let limit_ms = (limit + STOP_GRACE).as_millis() as u64;
    tokio::select! {
        _ = async { ractor::call_t!(root, stop, limit_ms) } => {}
        () = hurry => tracing::warn!("asked a second time: stopping at once"),
    }
    let _ = root.stop_and_wait(None, Some(STOP_GRACE)).await;
}

/// The folder of the workers' sockets, for as long as the service lives.
struct WorkersFolder(PathBuf);

impl WorkersFolder {
    /// In `base`, else beside the endpoint, or where neither can be written to, in the state folder.
    fn make(endpoint: &Endpoint, base: Option<PathBuf>, state: &Path) -> Result<Self, ServeError> {
        let base = base
            .or_else(|| endpoint.as_path().parent().map(PathBuf::from))
            .unwrap_or_default();
        Self::make_in(&base, endpoint).or_else(|_| Self::make_in(state, endpoint))
    }

    /// Others than the service may reach their own socket in it, by its name; nobody else can list it. The folder around it
    /// is the service's as well, if systemd has made it for this run.
    fn open_to_workers(&self, around: Option<&Path>) -> Result<(), ServeError> {
        let mut folders = around.into_iter().chain([self.0.as_path()]);
        folders.try_for_each(|folder| {
            process::let_through(folder).map_err(|source| ServeError::Folder {
                folder: folder.to_owned(),
                source,
            })
        })
    }

    fn make_in(base: &Path, endpoint: &Endpoint) -> Result<Self, ServeError> {
        // The endpoint is ours by now, so what is in a folder of its name was left by a service that was killed.
        let name = endpoint.as_path().file_name().unwrap_or_default();
        let folder = base.join(format!("{}.workers", name.to_string_lossy()));
        if cfg!(unix) {
            let _ = std::fs::remove_dir_all(&folder);
            let made = std::fs::create_dir_all(&folder);
            made.map_err(|source| ServeError::Folder {
                folder: folder.clone(),
                source,
            })?;
        }
        Ok(Self(folder))
    }
}

impl Drop for WorkersFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// How everything stands. Pools that do not answer in time are left out.
pub(crate) async fn status(
    pools: &ActorRef<PoolsMessage>,
    sessions: &ActorRef<SessionsMessage>,
    hidden: &[Arc<str>],
    quotas: QuotaStatus,
    users: Vec<UserStatus>,
    jobs: Option<JobCounts>,
) -> Result<ServiceStatus, String> {
    const LIMIT_MS: u64 = 2000;
    let slow = || "The service does not answer itself; see its log.".to_owned();
    let handles = ractor::call_t!(pools, PoolsMessage::List, LIMIT_MS).map_err(|_| slow())?;
    let (sessions, sessions_waiting) =
        ractor::call_t!(sessions, SessionsMessage::Count, LIMIT_MS).map_err(|_| slow())?;
    let mut pools = Vec::new();
    // What a pool is at is for those who may use it, and for administrators.
    for pool in handles.iter().filter(|pool| !hidden.contains(&pool.name)) {
        if let Ok(status) = ractor::call_t!(pool.actor, PoolMessage::Describe, LIMIT_MS) {
            pools.push(status);
        }
    }
    let run = RUN.get();
    let text = |text: fn(&Run) -> &String| run.map_or_else(String::new, |run| text(run).clone());
    Ok(ServiceStatus {
        server: "standin".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        uptime_ms: run.map_or(0, |run| (clock::now() - run.began).as_millis() as u64),
        endpoint: text(|run| &run.endpoint),
        state: text(|run| &run.state),
        sessions,
        sessions_waiting,
        quotas,
        users,
        requests: RequestTotals::of(&pools),
        recovery: recovery::status(),
        jobs,
        pools,
    })
}
