//! What the launcher does to itself before it becomes the command.

use std::{ffi::OsString, io, os::fd::BorrowedFd, os::unix::process::CommandExt, process::Command};

use super::other_user;
use rustix::{
    io::FdFlags,
    process::{Resource, Rlimit, Signal},
};

/// The service's process number, by which the launcher sees whether the service died in between.
pub(super) const PARENT_VARIABLE: &str = "STANDIN_PARENT";

/// When memory runs out the system should end a worker, which is replaced, and not the service. Half of the scale: a
/// worker is chosen before anything that uses up to half of the machine's memory more.
const OOM_SCORE: &str = "500";

/// Replaces this process by the command; what comes back is why not.
pub(in super::super) fn become_command(program: &OsString, arguments: &[OsString]) -> io::Error {
    // Good to have and no reason not to start.
    let _ = std::fs::write("/proc/self/oom_score_adj", OOM_SCORE);
    let _ = rustix::process::setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    );
    close_others_on_exec();
    let mut command = Command::new(program);
    command.args(arguments).env_remove(PARENT_VARIABLE);
    // Whoever becomes somebody else is no longer tied, so that comes last.
    match other_user::become_it(&mut command).and_then(|()| tie_to_parent()) {
        Ok(()) => command.exec(),
        Err(error) => error,
    }
}

fn tie_to_parent() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // The service may have died before the signal was armed. Somebody who tries the launcher by hand names no parent.
    let Some(parent) = std::env::var_os(PARENT_VARIABLE) else {
        return Ok(());
    };
    let actual = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().to_string());
    match actual {
        Some(actual) if parent == *actual => Ok(()),
        _ => Err(io::Error::other("the service has ended")),
    }
}

/// Handles that somebody left open in the service's parent are none of a worker's business.
fn close_others_on_exec() {
    let Ok(handles) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    let numbers = handles
        .flatten()
        .filter_map(|handle| handle.file_name().to_str()?.parse::<i32>().ok());
    for number in numbers.filter(|number| *number > 2) {
        // SAFETY: the number was read from the table of open handles by the only thread there is.
        let handle = unsafe { BorrowedFd::borrow_raw(number) };
        let _ = rustix::io::fcntl_setfd(handle, FdFlags::CLOEXEC);
    }
}
