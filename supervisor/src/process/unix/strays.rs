//! Descendants that left the group of their worker, found by the mark in their environment, which they inherited; and,
//! for the guardian, those that are still in the group of a worker of a dead service, whatever their environment.
//!
//! Never acts on a number alone: a process is held by a pidfd while its environment and its group are read, and the
//! signal goes to the pidfd. If the number changes hands in between, the signal reaches nobody.

use std::{sync::Mutex, thread};

use rustix::process::{Pid, PidfdFlags, Signal};

use super::{
    super::looks::{LOOKS_MAX, Look, Sweep, instance_mark, until_clean},
    groups::Group,
    table,
};

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

fn end_all(wanted: &Wanted, looks_max: Option<u32>) -> Sweep {
    until_clean(looks_max, || {
        let ended = end_found(wanted);
        let is_clean = ended == 0;
        Look { ended, is_clean }
    })
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
