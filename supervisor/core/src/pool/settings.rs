//! What an administrator may set for a pool, and the bounds that nobody sets.

use std::time::Duration;

/// The settings that the decisions of a pool need.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    /// Workers kept even when nothing is asked.
    pub workers_min: u32,
    /// Workers that may serve ordinary requests at a time.
    pub workers_max: u32,
    /// Idle workers kept ready on top, so that a replay needs no cold start.
    pub spare: u32,
    /// An idle worker that is not needed is ended after this.
    pub idle: Duration,
    /// From start to hello.
    pub start_timeout: Duration,
    /// One attempt, unless the method says otherwise.
    pub call_timeout: Duration,
    /// From being asked to end to being killed; also how long a cancelled call may take to notice.
    pub stop_timeout: Duration,
    /// Requests that may wait.
    pub queue_max: usize,
    /// How long one may wait for its first attempt.
    pub queue_wait: Duration,
    /// Bytes of parameters that may wait.
    pub queue_bytes_max: usize,
    /// Retire a worker after so many requests.
    pub recycle_requests: Option<u64>,
    /// Retire a worker of this age.
    pub recycle_age: Option<Duration>,
    /// Retire a worker with this much resident memory, in bytes.
    pub recycle_rss: Option<u64>,
    /// The pool itself ends when nobody has needed it for so long. `None`: it stays.
    pub unused_max: Option<Duration>,
    /// No worker gets more requests at a time, whatever it declares.
    pub concurrency_max: u32,
}

impl PoolSettings {
    /// Workers that there are at a time, but for those that come and go in a reload.
    #[must_use]
    pub fn places(&self) -> u32 {
        self.workers_max + self.spare
    }

    /// Slots of the pool. Half of them are for reloads: so the new workers start while the old ones have their places.
    #[must_use]
    pub fn slots(&self) -> u32 {
        2 * self.places()
    }
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            workers_min: 1,
            workers_max: 4,
            spare: 1,
            idle: Duration::from_secs(300),
            start_timeout: Duration::from_secs(10),
            call_timeout: Duration::from_secs(30),
            stop_timeout: Duration::from_secs(5),
            queue_max: 1000,
            queue_wait: Duration::from_secs(30),
            queue_bytes_max: 256 * 1024 * 1024,
            recycle_requests: None,
            recycle_age: None,
            recycle_rss: None,
            unused_max: None,
            concurrency_max: 64,
        }
    }
}

/// Blamed deaths after which a request is `poisoned`: the first could be chance, the second happened alone in a
/// worker of its own, the third removes all doubt.
pub const BLAMED_DEATHS_MAX: u32 = 3;

/// Deaths by a stranger's hand after which a request runs alone: it might be what provokes them.
pub(super) const UNEXPLAINED_DEATHS_SUSPECT: u32 = 3;

/// Deaths by a stranger's hand after which a request is `poisoned` all the same. No kill storm that was measured hit
/// one request this often; a call that kills its own worker with SIGKILL does.
pub const UNEXPLAINED_DEATHS_MAX: u32 = 20;

/// Before a poisoned request is tried again: long for a loop, short for a person.
pub(super) const POISON_PAUSE: Duration = Duration::from_secs(10);

/// What has ended no worker for this long may have its three tries again.
pub(super) const POISON_FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

/// Poisoned requests that are known at a time. A loop asks the same few.
pub(super) const POISONS_MAX: usize = 32;

/// What a replay needs of the caller's time. With less it would end as one more deadline, and cost another worker its
/// life.
pub(super) const REPLAY_ROOM: Duration = Duration::from_millis(5);

/// Deaths this close together are one incident: a person or a script ended them all.
pub(super) const INCIDENT_WINDOW: Duration = Duration::from_millis(100);

/// A queue that has not been empty for this long asks for another worker.
pub(super) const SCALE_UP_AGE: Duration = Duration::from_millis(20);

/// Workers that may be starting at a time: enough to refill a pool, not enough to stall the machine.
pub(super) const STARTING_MAX: usize = 4;

/// Start failures in a row, with no worker ready, after which a pool is degraded: a configuration mistake should
/// be loud and early.
pub(super) const START_FAILURES_MAX: u32 = 3;

/// Workers in a row that a stranger killed before they were ready, after which a pool is degraded as well: what kills
/// every new process (a limit, a guard, a wrapper) is a mistake too, but a storm of kills must not look like one.
pub(super) const UNEXPLAINED_STARTS_MAX: u32 = 20;

/// The first and the longest pause between two tries of a degraded pool.
pub(super) const PROBE_DELAY: (Duration, Duration) =
    (Duration::from_secs(5), Duration::from_secs(60));

/// The second restart of a slot in a row waits up to this long; each further one up to twice as long.
pub(super) const BACKOFF_FIRST: Duration = Duration::from_millis(100);

/// The longest wait before a restart, while nobody waits and while somebody does.
pub(super) const BACKOFF_MAX: (Duration, Duration) =
    (Duration::from_secs(30), Duration::from_secs(1));

/// The shortest pause that a refused caller is asked for; less would be a loop.
pub(super) const RETRY_AFTER_MIN: Duration = Duration::from_millis(50);

/// A worker that lived this long and served is healthy, and its slot's earlier failures are forgotten.
pub(super) const HEALTHY_AFTER: Duration = Duration::from_secs(60);

/// While the machine is starved, a late worker gets this much longer, again and again.
pub(super) const STARVED_GRACE: Duration = Duration::from_secs(1);

/// A killed worker that is not reported dead after this is killed again.
pub(super) const KILL_AGAIN_AFTER: Duration = Duration::from_secs(2);
