//! Windows: a job object for each worker's tree, which ends with its last handle. Compiled and reviewed; what is
//! promised for Windows is tested in a later step.

mod job;
mod pipe;

pub(super) use self::pipe::Pipe;

use std::{
    ffi::OsString,
    io,
    os::windows::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    sync::Arc,
};

use tokio::{sync::watch, task::JoinHandle};
use windows_sys::Win32::System::Threading::{CREATE_NO_WINDOW, CREATE_SUSPENDED};

use self::job::Job;
use super::{Exit, Launch, MARK_VARIABLE};

/// A process that nobody watches yet. Dropped like that it ends with its job.
#[derive(Debug)]
pub(super) struct Newborn {
    tree: Tree,
    child: Child,
}

impl Newborn {
    /// Its stdout and stderr.
    pub(super) fn pipes(&mut self) -> io::Result<(Pipe, Pipe)> {
        let stdout = self.child.stdout.take().expect("it was piped");
        let stderr = self.child.stderr.take().expect("it was piped");
        Ok((Pipe::new(stdout)?, Pipe::new(stderr)?))
    }

    pub(super) fn into_parts(self) -> (Tree, Child) {
        (self.tree, self.child)
    }
}

/// A process and its descendants: the members of a job.
#[derive(Debug)]
pub(super) struct Tree {
    job: Job,
    pid: u32,
}

impl Tree {
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    pub(super) fn kill(&self) {
        self.job.end();
    }

    pub(super) fn includes(&self, pid: u32) -> bool {
        pid == self.pid || self.job.includes(pid)
    }
}

/// Starts a process suspended, puts it into its job, and lets it go, so that nothing escapes in between.
pub(super) fn spawn(_launcher: &Path, launch: &Launch) -> io::Result<Newborn> {
    let (program, arguments) = launch
        .command
        .split_first()
        .ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(launch.environment.iter().map(|(name, value)| (name, value)))
        .env(MARK_VARIABLE, &launch.mark)
        .creation_flags(CREATE_SUSPENDED | CREATE_NO_WINDOW)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(folder) = &launch.folder {
        command.current_dir(folder);
    }
    let job = Job::new()?;
    let mut child = command.spawn()?;
    if let Err(error) = job.take_in_and_resume(&child) {
        let _ = child.kill();
        return Err(error);
    }
    let tree = Tree {
        job,
        pid: child.id(),
    };
    Ok(Newborn { tree, child })
}

/// Waits for the death of the process and ends what is left of its tree. Each wait holds a thread of the blocking
/// pool, whose limit of 512 is far above the number of workers of one machine.
pub(super) async fn reap(tree: Arc<Tree>, mut child: Child) -> Exit {
    let status = tokio::task::spawn_blocking(move || child.wait()).await;
    tree.kill();
    match status {
        Ok(Ok(status)) => Exit::Code(status.code().unwrap_or(-1)),
        _ => Exit::Code(-1),
    }
}

/// There is no launcher here: the job does its work.
pub(super) fn become_command(_program: &OsString, _arguments: &[OsString]) -> io::Error {
    io::Error::other("workers are started without a launcher on Windows")
}

/// Nothing is to be done.
pub(super) fn prepare() {}

/// A process that runs out of memory here is refused it and crashes; nothing is killed.
pub(super) fn watch_memory() {}

/// The jobs end what is left.
pub(super) fn sweep(_instance: &str) -> bool {
    true
}

/// The jobs have ended with the runs.
pub(super) fn sweep_until_clean(_instances: &[String]) -> usize {
    0
}

/// The jobs end with the service, so there is nothing to guard.
pub(super) fn guard(_instance: &str) -> ExitCode {
    ExitCode::SUCCESS
}

/// The jobs end with the service, so there is nobody to keep.
#[expect(clippy::unused_async, reason = "Unix has to wait here")]
pub(super) async fn keep_guard(
    _program: PathBuf,
    _instance: String,
) -> io::Result<(watch::Receiver<Option<u32>>, JoinHandle<()>)> {
    Ok((watch::channel(None).1, tokio::spawn(async {})))
}
