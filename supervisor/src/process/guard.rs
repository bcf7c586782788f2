//! The guardian: a small process that outlives the service for a moment and ends what it left behind. The
//! parent-death signal reaches only the workers themselves; their children, and those who left the group, are found
//! by the mark in their environment, or are still in the group of a worker.
//!
//! It holds one end of a pipe and the service the other, so it notices any death of the service, `kill -9` included.
//! It does not carry the mark itself, and on Windows there is none: the job objects end with the service.

use std::{io, path::PathBuf, process::ExitCode, time::Duration};

use tokio::{sync::watch, task::JoinHandle};

use super::platform;

/// Whatever keeps the system from starting a process does not pass in less.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The guardian's own side: `standin worker guard INSTANCE`. Its standard input ends when the service does.
#[must_use]
pub fn run(instance: &str) -> ExitCode {
    platform::guard(instance)
}

/// Ends everything that a run of the service has started, and comes back when nothing is left (true) or after about a
/// second. It blocks: call it from a thread that may.
pub fn sweep(instance: &str) -> bool {
    platform::sweep(instance)
}

/// Ends everything that runs of the service have started, and comes back when nothing is left, however long that takes.
/// Gives how many were told to end. It blocks: call it from a thread that may.
pub fn sweep_until_clean(instances: &[String]) -> usize {
    platform::sweep_until_clean(instances)
}

/// Keeps a guardian beside the service until it is given up. [`Guard::start`] is the better one where something can be
/// done about a guardian that cannot be started.
pub async fn keep(instance: String) {
    loop {
        match Guard::start(&instance).await {
            Ok(_guard) => return std::future::pending().await,
            Err(error) => {
                tracing::error!(%error, "the guardian process cannot be started; it is tried again");
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
    }
}

/// Keeps a guardian beside the service, and starts another if somebody ends it. Dropping it tells the guardian that
/// the service is gone.
#[derive(Debug)]
pub struct Guard {
    pid: watch::Receiver<Option<u32>>,
    keeper: JoinHandle<()>,
}

impl Guard {
    /// Starts the guardian of a run. Do it before the first worker is started.
    ///
    /// # Errors
    /// It cannot be started at all.
    pub async fn start(instance: &str) -> io::Result<Guard> {
        Guard::with_program(super::own_program()?, instance).await
    }

    /// As [`Guard::start`], of an executable that understands `worker guard INSTANCE`.
    ///
    /// # Errors
    /// It cannot be started at all.
    pub async fn with_program(program: PathBuf, instance: &str) -> io::Result<Guard> {
        let (pid, keeper) = platform::keep_guard(program, instance.to_owned()).await?;
        Ok(Guard { pid, keeper })
    }

    /// Tells the guardian that the service is gone, and waits until it has swept and ended.
    pub async fn stop(self) {
        drop(self.pid);
        // A panic in there would have been said; here it means that nobody is kept any more.
        let _ = self.keeper.await;
    }

    /// The guardian's process number; `None` while there is none.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        *self.pid.borrow()
    }
}
