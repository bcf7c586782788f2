//! Processes: started from one thread, watched by their handle, ended as whole trees, their output kept.
//!
//! This module knows processes and nothing of pools, requests or pipes; the worker actors use it. What it promises:
//! - death is noticed by the process handle, never by the end of a pipe that a grandchild may hold open;
//! - a kill hits the process that was started and its descendants, never a stranger that got the same number;
//! - no process outlives the service, whatever ends it, and no zombie stays.
//!
//! A process is held by four things at once: its group, the parent-death signal that it arms on its own side
//! ([`launch`]), a mark in its environment by which descendants that left the group are found, and the guardian
//! ([`guard`]), which looks for that mark, and for what is left of the groups, when the service itself is gone. On Windows
//! a job object ends it, and the mark shows the next start whether it has.
//!
//! **Limit:** a descendant that wipes its environment *and* leaves the group is not found. If service and guardian are
//! killed in one blink, one that only wipes its environment is not found either: the next start looks for marks alone.

pub mod guard;
pub mod launch;
mod looks;
mod output;
mod spawner;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use self::unix as platform;
#[cfg(windows)]
use self::windows as platform;

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::sync::watch;

use self::output::Output;
#[cfg(windows)]
#[doc(hidden)]
pub use self::windows::environment_of;
pub use self::{guard::sweep, spawner::Spawner};

/// The variable that marks every process of one run of the service, so that strays are found.
pub const INSTANCE_VARIABLE: &str = "STANDIN_INSTANCE";

/// The variable that marks one worker and all that it starts.
pub const MARK_VARIABLE: &str = "STANDIN_WORKER_MARK";

/// What is to be started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// For the log: pool and slot.
    pub name: String,
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Where it runs; `None`: where the service runs.
    pub folder: Option<PathBuf>,
    /// Added to the environment of the service. [`INSTANCE_VARIABLE`] belongs in here.
    pub environment: Vec<(OsString, OsString)>,
    /// As which user it runs, by number; `None`: as the service. The environment of the service is not given to another
    /// user. Unix only, and for root alone.
    pub run_as: Option<u32>,
    /// Unique; goes into [`MARK_VARIABLE`].
    pub mark: String,
}

/// Why a process could not be started. A command that does not exist is not among these on Unix: there the launcher
/// says so on stderr and ends with code 127, as a shell does.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The system refused.
    #[error("cannot start `{program}`: {source}")]
    Refused {
        /// What was to be started.
        program: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It cannot run where it should.
    #[error("cannot start `{program}`: its folder `{}` cannot be used: {source}", .folder.display())]
    Folder {
        /// What was to be started.
        program: String,
        /// Where it should have run.
        folder: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The spawning thread is gone: the service is stopping.
    #[error("the service is stopping")]
    Stopping,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this exit code.
    Code(i32),
    /// By this signal, or on Windows by this exception.
    Signal(i32),
    /// We ended it.
    ByUs,
    /// With this exit code, which is its own or that of whoever ended it from outside. Windows does not tell which.
    CodeOrKill(i32),
    /// The system killed it because memory ran out.
    OutOfMemory,
}

/// A process that was started. Dropping it ends it.
#[derive(Debug)]
pub struct Process {
    tree: Arc<platform::Tree>,
    exit: watch::Receiver<Option<Exit>>,
    output: Output,
    /// The parent-death signal comes when the spawning thread ends, so that thread outlives what it started.
    _spawner: Spawner,
}

impl Process {
    /// Its number. It belongs to nobody else until the death has been reported.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.tree.pid()
    }

    /// Ends the process and its descendants now. Harmless after its death.
    pub fn kill(&self) {
        self.tree.kill();
    }

    /// Whether another process belongs to this one: it is the same, or of its group.
    #[must_use]
    pub fn includes(&self, pid: u32) -> bool {
        self.tree.includes(pid)
    }

    /// Waits for its death. By then its group has been killed and no zombie is left; descendants that left the group
    /// are being looked for.
    pub async fn wait(&self) -> Exit {
        let mut exit = self.exit.clone();
        let died = exit.wait_for(Option::is_some).await;
        match died.as_deref() {
            Ok(Some(exit)) => *exit,
            // The watcher is gone, which happens only while the runtime ends.
            _ => Exit::ByUs,
        }
    }

    /// The last lines that it printed, stdout and stderr as they came. After its death this waits until all that it
    /// had written is among them, which takes no time: what it wrote is in the pipe already.
    pub async fn last_lines(&self) -> Vec<String> {
        if self.exit.borrow().is_some() {
            self.output.drained(Duration::from_millis(250)).await;
        }
        self.output.last_lines()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether processes can be started as other users than the service's.
#[must_use]
pub fn may_start_as_others() -> bool {
    platform::may_start_as_others()
}

/// Lets processes of other users through a folder, and see nothing in it.
///
/// # Errors
/// The system refuses.
pub fn let_through(folder: &Path) -> io::Result<()> {
    platform::let_through(folder)
}

/// What must be done once, before anything is started: takes the measure of things that are later compared with, and
/// sees to orphans if this is process 1.
pub fn prepare() {
    platform::prepare();
}

/// Looks whether the system has killed something for want of memory. Called about once a second, so that a death can
/// be told from one of long ago.
pub fn watch_memory() {
    platform::watch_memory();
}

/// The executable of this process, in a form that can be started even after the file was replaced by a newer one.
///
/// # Errors
/// The system does not tell which file it is.
pub fn own_program() -> io::Result<PathBuf> {
    let link = Path::new("/proc/self/exe");
    if cfg!(target_os = "linux") && link.exists() {
        return Ok(link.to_owned());
    }
    std::env::current_exe()
}
