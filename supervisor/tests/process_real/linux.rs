//! What only Linux has.

mod guardian;
mod life;

use standin::process::{Launch, MARK_VARIABLE};

use crate::helpers::launch;

pub(crate) fn shell(script: &str) -> Launch {
    launch(&["sh", "-c", script])
}

/// Ends what a test has started when the test is over, however it ends. A service has its guardian for that.
pub(crate) struct SweepAtEnd(pub(crate) String);

impl Drop for SweepAtEnd {
    fn drop(&mut self) {
        standin::process::sweep(&self.0);
    }
}

/// The living processes of a worker.
pub(crate) fn of_mark(mark: &str) -> Vec<u32> {
    with_variable(&format!("{MARK_VARIABLE}={mark}"))
}

/// The living processes with this entry in their environment.
pub(crate) fn with_variable(entry: &str) -> Vec<u32> {
    let folders = std::fs::read_dir("/proc").unwrap();
    let pids = folders
        .flatten()
        .filter_map(|folder| folder.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|found| found == entry.as_bytes())
    })
    .collect()
}

/// The children of this process that have died and were not reaped. Other tests' children are among them for a moment.
pub(crate) fn zombies() -> Vec<u32> {
    let folders = std::fs::read_dir("/proc").unwrap();
    let pids = folders
        .flatten()
        .filter_map(|folder| folder.file_name().to_str()?.parse().ok());
    pids.filter(|pid| is_zombie(*pid)).collect()
}

/// Whether this is a child of this process that has died and was not reaped.
pub(crate) fn is_zombie(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let of_ours = format!(" Z {} ", std::process::id());
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| rest.starts_with(&of_ours))
}
