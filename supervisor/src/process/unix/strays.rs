//! Descendants that left the group of their worker, found by the mark in their environment, which they inherited; and,
//! for the guardian, those that are still in the group of a worker of a dead service, whatever their environment.
//!
//! Never acts on a number alone: a process is held by a pidfd while its environment and its group are read, and the
//! signal goes to the pidfd. If the number changes hands in between, the signal reaches nobody.

use std::{sync::Mutex, thread, time::Duration};

use rustix::process::{Pid, PidfdFlags, Signal};

use super::{super::INSTANCE_VARIABLE, groups::Group, table};

/// Between two looks. Processes may be starting others while they are being ended, and one that is just becoming
/// another program shows no environment for a moment.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// The pause grows up to this while somebody will not die, say in a system call that hangs.
const LOOK_PAUSE_MAX: Duration = Duration::from_secs(1);

/// So many looks in a row must find nothing.
const CLEAN_LOOKS: u32 = 2;

/// With the pauses, about a second.
const LOOKS_MAX: u32 = 10;

/// Marks to be looked for. All that are waiting are looked for at once, so that the death of many workers costs no
/// more than that of one.
#[derive(Debug)]
struct Waiting {
    marks: Vec<String>,
    is_looking: bool,
}

static WAITING: Mutex<Waiting> = Mutex::new(Waiting {
    marks: Vec::new(),
    is_looking: false,
});

/// Ends all that carry the mark, on a thread of its own that lasts as long as there is something to look for.
pub(super) fn end_soon(mark: String) {
    let mut wanted = WAITING.lock().expect("nobody panics while holding it");
    wanted.marks.push(mark);
    if wanted.is_looking {
        return;
    }
    wanted.is_looking = true;
    if let Err(error) = thread::Builder::new()
        .name("strays".into())
        .spawn(look_while_wanted)
    {
        // The mark stays, and the next death tries again.
        wanted.is_looking = false;
        tracing::warn!(%error, "descendants of a dead worker cannot be looked for now");
    }
}

fn look_while_wanted() {
    loop {
        let marks = {
            let mut wanted = WAITING.lock().expect("nobody panics while holding it");
            wanted.is_looking = !wanted.marks.is_empty();
            std::mem::take(&mut wanted.marks)
        };
        if marks.is_empty() {
            return;
        }
        let ended = end_all(&Wanted::marked(marks), Some(LOOKS_MAX)).ended;
        if ended > 0 {
            tracing::info!(
                ended,
                "processes that dead workers had left behind were ended"
            );
        }
    }
}

/// Ends everything that a run of the service has started, within about a second. False if something may be left.
pub(in super::super) fn sweep(instance: &str) -> bool {
    end_all(
        &Wanted::marked(vec![instance_mark(instance)]),
        Some(LOOKS_MAX),
    )
    .is_clean
}

/// Ends everything that runs of the service have started, however long it takes.
pub(in super::super) fn sweep_until_clean(instances: &[String]) -> usize {
    let marks: Vec<String> = instances.iter().map(|it| instance_mark(it)).collect();
    end_all(&Wanted::marked(marks), None).ended
}

/// The same of one run, and everything that is left in these groups.
pub(super) fn sweep_with_groups(instance: &str, groups: Vec<Group>) {
    let marks = vec![instance_mark(instance)];
    end_all(&Wanted { marks, groups }, None);
}

fn instance_mark(instance: &str) -> String {
    format!("{INSTANCE_VARIABLE}={instance}")
}

/// Who is to be ended.
#[derive(Debug)]
struct Wanted {
    marks: Vec<String>,
    groups: Vec<Group>,
}

impl Wanted {
    fn marked(marks: Vec<String>) -> Wanted {
        let groups = Vec::new();
        Wanted { marks, groups }
    }

    fn includes(&self, pid: u32) -> bool {
        has_mark(pid, &self.marks) || self.has_group(pid)
    }

    fn has_group(&self, pid: u32) -> bool {
        // Nobody reads the table for nothing.
        if self.groups.is_empty() {
            return false;
        }
        let stat = table::stat(pid);
        stat.filter(|stat| !stat.is_dead)
            .is_some_and(|stat| self.groups.iter().any(|group| group.includes(stat)))
    }
}

/// What became of looking for them.
struct Sweep {
    /// How many were told to end; one that takes its time is counted again.
    ended: usize,
    is_clean: bool,
}

fn end_all(wanted: &Wanted, looks_max: Option<u32>) -> Sweep {
    let mut ended = 0;
    let mut clean = 0;
    let mut pause = LOOK_PAUSE;
    for look in 1.. {
        let found = end_found(wanted);
        ended += found;
        clean = if found == 0 { clean + 1 } else { 0 };
        if clean == CLEAN_LOOKS || looks_max.is_some_and(|max| look >= max) {
            break;
        }
        if look % (LOOKS_MAX * 3) == 0 {
            tracing::warn!(
                "processes that carry the service's mark do not die; they are waited for"
            );
        }
        if look > 5 {
            pause = (pause * 2).min(LOOK_PAUSE_MAX);
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "there is nothing to wait on: strangers' children give no sign"
        )]
        thread::sleep(pause);
    }
    Sweep {
        ended,
        is_clean: clean == CLEAN_LOOKS,
    }
}

/// One look at all processes; gives how many were told to end.
fn end_found(wanted: &Wanted) -> usize {
    let own = std::process::id();
    let Ok(folders) = std::fs::read_dir("/proc") else {
        return 0;
    };
    let pids = folders
        .flatten()
        .filter_map(|folder| folder.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != own)
        .filter(|pid| end_if_wanted(*pid, wanted))
        .count()
}

fn end_if_wanted(pid: u32, wanted: &Wanted) -> bool {
    // Looked at without a handle first: nearly all are strangers.
    if !wanted.includes(pid) {
        return false;
    }
    let Some(number) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return false;
    };
    let Ok(handle) = rustix::process::pidfd_open(number, PidfdFlags::empty()) else {
        return false;
    };
    wanted.includes(pid) && rustix::process::pidfd_send_signal(&handle, Signal::KILL).is_ok()
}

fn has_mark(pid: u32, marks: &[String]) -> bool {
    let Ok(environment) = std::fs::read(format!("/proc/{pid}/environ")) else {
        return false;
    };
    environment
        .split(|byte| *byte == 0)
        .any(|entry| marks.iter().any(|mark| mark.as_bytes() == entry))
}
