//! Unix: process groups, a pidfd to wait on, and the mark in the environment for those who left the group.

mod groups;
mod guardian;
mod launcher;
mod memory;
mod orphans;
mod other_user;
mod pipe;
mod strays;
mod table;

pub(super) use self::{
    guardian::{guard, keep_guard},
    launcher::become_command,
    memory::watch_memory,
    pipe::Pipe,
    strays::{sweep, sweep_until_clean},
};

use std::{
    io,
    os::{
        fd::OwnedFd,
        unix::process::{CommandExt, ExitStatusExt},
    },
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};
use tokio::io::{Interest, unix::AsyncFd};

use self::launcher::PARENT_VARIABLE;
use super::{Exit, Launch, MARK_VARIABLE};

/// How often a process is looked at that cannot be watched, because the service is out of handles.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// A process that nobody watches yet. Dropped like that it ends, and leaves no zombie.
#[derive(Debug)]
pub(super) struct Newborn {
    /// Taken only by [`Newborn::into_parts`], which consumes it.
    parts: Option<(Tree, Child)>,
}

impl Newborn {
    /// Its stdout and stderr. Needs a runtime.
    pub(super) fn pipes(&mut self) -> io::Result<(Pipe, Pipe)> {
        let (_, child) = self
            .parts
            .as_mut()
            .expect("only the end of its life takes them");
        let stdout = child.stdout.take().expect("it was piped");
        let stderr = child.stderr.take().expect("it was piped");
        Ok((Pipe::new(stdout.into())?, Pipe::new(stderr.into())?))
    }

    pub(super) fn into_parts(mut self) -> (Tree, Child) {
        self.parts
            .take()
            .expect("only the end of its life takes them")
    }
}

impl Drop for Newborn {
    fn drop(&mut self) {
        if let Some((tree, mut child)) = self.parts.take() {
            tree.kill();
            groups::ended(tree.pid());
            let _ = orphans::wait_for_own(&mut child);
        }
    }
}

/// A process and its descendants.
#[derive(Debug)]
pub(super) struct Tree {
    pid: Pid,
    mark: String,
    life: Mutex<Life>,
}

/// Kills and the reaping exclude each other.
#[derive(Debug, Default)]
struct Life {
    killed_by_us: bool,
    /// Once true, the number may belong to somebody else.
    reaped: bool,
}

impl Tree {
    pub(super) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    pub(super) fn kill(&self) {
        let mut life = self.life();
        if !life.reaped {
            life.killed_by_us = true;
            // Gone already is what is wanted.
            let _ = rustix::process::kill_process_group(self.pid, Signal::KILL);
            let _ = rustix::process::kill_process(self.pid, Signal::KILL);
        }
    }

    pub(super) fn includes(&self, pid: u32) -> bool {
        if self.life().reaped {
            return false;
        }
        let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
            return false;
        };
        pid == self.pid || rustix::process::getpgid(Some(pid)).is_ok_and(|group| group == self.pid)
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().expect("nobody panics while holding it")
    }
}

pub(super) fn may_start_as_others() -> bool {
    rustix::process::geteuid().is_root()
}

pub(super) fn let_through(folder: &Path) -> io::Result<()> {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o711);
    std::fs::set_permissions(folder, mode)
}

/// What is done once, before anything is started.
pub(super) fn prepare() {
    watch_memory();
    orphans::reap_if_first();
}

/// Starts a process in a group of its own, by way of the launcher, which arms the parent-death signal on the
/// process's own side.
pub(super) fn spawn(launcher: &Path, launch: &Launch) -> io::Result<Newborn> {
    let mut command = Command::new(launcher);
    if let Some(user) = launch.run_as {
        other_user::prepare(&mut command, user, launch.folder.is_some());
    }
    command
        .arg0("standin")
        .args(["worker", "launch", "--"])
        .args(&launch.command)
        .envs(launch.environment.iter().map(|(name, value)| (name, value)))
        .env(MARK_VARIABLE, &launch.mark)
        .env(PARENT_VARIABLE, std::process::id().to_string())
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(folder) = &launch.folder {
        command.current_dir(folder);
    }
    let child = orphans::start_own(|| command.spawn())?;
    groups::begun(child.id());
    let pid = Pid::from_child(&child);
    let tree = Tree {
        pid,
        mark: launch.mark.clone(),
        life: Mutex::default(),
    };
    Ok(Newborn {
        parts: Some((tree, child)),
    })
}

/// Waits for the death of the process, ends what is left of its tree, and takes its status.
pub(super) async fn reap(tree: Arc<Tree>, mut child: Child) -> Exit {
    wait_for_death(tree.pid).await;
    let (status, killed_by_us) = {
        let mut life = tree.life();
        // The dead leader still holds its number, so the group cannot be anybody else's.
        let _ = rustix::process::kill_process_group(tree.pid, Signal::KILL);
        groups::ended(tree.pid());
        let status = orphans::wait_for_own(&mut child);
        life.reaped = true;
        (status, life.killed_by_us)
    };
    strays::end_soon(format!("{MARK_VARIABLE}={}", tree.mark));
    match status.map(|status| (status.code(), status.signal())) {
        Ok((Some(code), _)) => Exit::Code(code),
        Ok((_, Some(9))) if killed_by_us => Exit::ByUs,
        Ok((_, Some(9))) if memory::ran_out() => Exit::OutOfMemory,
        Ok((_, Some(signal))) => Exit::Signal(signal),
        _ => Exit::ByUs,
    }
}

async fn wait_for_death(pid: Pid) {
    if let Err(error) = handle_speaks(pid).await {
        tracing::warn!(pid = pid.as_raw_nonzero(), %error, "a process cannot be watched; it is looked at instead");
    }
    // After the handle spoke this is true at once.
    while !is_dead(pid) {
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}

async fn handle_speaks(pid: Pid) -> io::Result<()> {
    let handle = rustix::process::pidfd_open(pid, PidfdFlags::NONBLOCK)?;
    // SAFETY: the handle is owned by what watches it, stays open until that is dropped, and is always the same.
    let watched = unsafe { AsyncFd::<OwnedFd>::register_with_interest(handle, Interest::READABLE) };
    watched.map_err(io::Error::from)?.readable().await.map(drop)
}

fn is_dead(pid: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    !matches!(rustix::process::waitid(WaitId::Pid(pid), options), Ok(None))
}
