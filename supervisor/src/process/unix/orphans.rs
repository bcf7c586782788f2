//! Processes that the system hands to us although we did not start them: in a container without an init process the
//! service is process 1, every process whose parent has died becomes its child, and stays a zombie until it is reaped.
//!
//! The status of our own children belongs to those who wait for them, so these are told apart by a table.

use std::{
    collections::BTreeSet,
    io,
    process::{Child, ExitStatus},
    sync::{Mutex, MutexGuard},
    thread,
    time::Duration,
};

use rustix::process::{Pid, WaitOptions};

/// Between two looks. A zombie holds a number and nothing else.
const PAUSE: Duration = Duration::from_secs(1);

static OWN: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Starts a child of our own. It is in the table before anybody can see it die.
pub(super) fn start_own(start: impl FnOnce() -> io::Result<Child>) -> io::Result<Child> {
    let mut own = own();
    let child = start()?;
    own.insert(child.id());
    Ok(child)
}

/// Waits for a child of our own.
pub(super) fn wait_for_own(child: &mut Child) -> io::Result<ExitStatus> {
    let status = child.wait();
    own().remove(&child.id());
    status
}

/// Reaps strangers from now on, if this is process 1.
pub(super) fn reap_if_first() {
    if std::process::id() != 1 {
        return;
    }
    if let Err(error) = thread::Builder::new().name("orphans".into()).spawn(reap) {
        tracing::warn!(%error, "orphans cannot be reaped and stay as zombies");
    }
}

fn reap() {
    loop {
        if let Ok(folders) = std::fs::read_dir("/proc") {
            let pids = folders
                .flatten()
                .filter_map(|folder| folder.file_name().to_str()?.parse().ok());
            pids.filter(|pid| is_dead_child(*pid))
                .for_each(reap_stranger);
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the system's sign for it comes for our own children too"
        )]
        thread::sleep(PAUSE);
    }
}

fn is_dead_child(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before it may hold anything, brackets and blanks included.
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| rest.starts_with(" Z 1 "))
}

fn reap_stranger(pid: i32) {
    // Held all the while, so that the number cannot become one of ours.
    let own = own();
    if !own.contains(&pid.unsigned_abs()) {
        let _ = rustix::process::waitpid(Pid::from_raw(pid), WaitOptions::NOHANG);
    }
}

fn own() -> MutexGuard<'static, BTreeSet<u32>> {
    OWN.lock().expect("nobody panics while holding it")
}
