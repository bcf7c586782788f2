//! What a dead run of the service has left alive, found by the mark in its environment, which descendants inherit.
//!
//! The jobs of a killed service end by themselves, but not at once, and no handle of them is left that could be waited
//! for: whoever held one would keep the job alive. So the next start looks for the processes. That also finds those who
//! were never in a job: started with another process as their parent, a process is in that one's.
//!
//! Never acts on a number alone: a process is held by the handle by which its environment is read, and by which it is
//! ended and waited for. As long as it is held, its number is nobody else's.
//!
//! **Limit:** what shows is the environment that a process has now. One that took the variable out of its own, and whoever
//! it starts then, ends with its job and is not waited for.

use std::{
    os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle},
    time::{Duration, Instant},
};

use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};
use windows_sys::Win32::{
    Foundation::WAIT_OBJECT_0,
    System::Threading::{
        OpenProcess, PROCESS_QUERY_INFORMATION, PROCESS_SYNCHRONIZE, PROCESS_TERMINATE,
        PROCESS_VM_READ, TerminateProcess, WaitForSingleObject,
    },
};

use super::{
    super::looks::{LOOKS_MAX, Look, Sweep, instance_mark, until_clean},
    job::ENDED_BY_US,
    peek,
};
use crate::clock;

/// How long those who were told to end are waited for before the next look.
const DEATH_LIMIT: Duration = Duration::from_millis(100);

/// How long all those together are waited for whose environment cannot be read, in one sweep.
const MUTE_LIMIT: Duration = Duration::from_millis(500);

/// Ends everything that a run of the service has started, within about a second. False if something may be left.
pub(in super::super) fn sweep(instance: &str) -> bool {
    end_all(&[instance.to_owned()], Some(LOOKS_MAX)).is_clean
}

/// Ends everything that runs of the service have started, however long it takes.
pub(in super::super) fn sweep_until_clean(instances: &[String]) -> usize {
    end_all(instances, None).ended
}

fn end_all(instances: &[String], looks_max: Option<u32>) -> Sweep {
    let marks = instances.iter().map(|it| instance_mark(it));
    let marks = marks.map(|mark| mark.encode_utf16().collect());
    let wanted = Wanted {
        marks: marks.collect(),
        mute_until: clock::now() + MUTE_LIMIT,
    };
    until_clean(looks_max, || wanted.end())
}

/// Who is to be ended.
struct Wanted {
    marks: Vec<Vec<u16>>,
    mute_until: Instant,
}

impl Wanted {
    /// One look at all processes. What we may not read and end is somebody else's.
    fn end(&self) -> Look {
        let own = std::process::id();
        let pids = all();
        let (mut ended, mut mute) = (Vec::new(), Vec::new());
        for process in pids.iter().filter(|pid| **pid != own).filter_map(held) {
            if is_dead(&process, Duration::ZERO) {
                continue;
            }
            match peek::environment(&process) {
                Ok(block) if self.includes(&block) => {
                    // It refuses if the process is ending already, which is as well.
                    // SAFETY: the handle is open.
                    unsafe { TerminateProcess(process.as_raw_handle(), ENDED_BY_US) };
                    ended.push(process);
                }
                Ok(_) => {}
                Err(_) => mute.push(process),
            }
        }
        wait_for(&ended, clock::now() + DEATH_LIMIT);
        // The memory of these is gone or not there yet. The first are dying, and have no thread left that could run
        // anything, but may hold files; the others show it in the next look. There may be strangers who never do, so
        // this has an end.
        wait_for(&mute, self.mute_until);
        Look {
            ended: ended.len(),
            // Without us it was no list of all processes.
            is_clean: ended.is_empty() && pids.contains(&own),
        }
    }

    fn includes(&self, block: &[u16]) -> bool {
        let mut entries = block.split(|unit| *unit == 0);
        entries.any(|entry| self.marks.iter().any(|mark| mark == entry))
    }
}

fn wait_for(processes: &[OwnedHandle], until: Instant) {
    for process in processes {
        is_dead(process, until.saturating_duration_since(clock::now()));
    }
}

/// Whether the process is dead, or dies within that time.
fn is_dead(process: &OwnedHandle, within: Duration) -> bool {
    let within = u32::try_from(within.as_millis()).expect("a short time");
    // SAFETY: the handle is open.
    unsafe { WaitForSingleObject(process.as_raw_handle(), within) == WAIT_OBJECT_0 }
}

/// The numbers of all processes.
fn all() -> Vec<u32> {
    let mut system = System::new().expect("Windows is supported");
    let nothing = ProcessRefreshKind::nothing();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, nothing);
    system.processes().keys().map(|pid| pid.as_u32()).collect()
}

fn held(pid: &u32) -> Option<OwnedHandle> {
    let look = PROCESS_QUERY_INFORMATION | PROCESS_VM_READ;
    let end = PROCESS_TERMINATE | PROCESS_SYNCHRONIZE;
    // SAFETY: nothing is pointed to.
    let process = unsafe { OpenProcess(look | end, 0, *pid) };
    // SAFETY: it was just opened and belongs to nobody else.
    (!process.is_null()).then(|| unsafe { OwnedHandle::from_raw_handle(process) })
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader, Read, Write, stdin, stdout},
        process::{Child, Command, Stdio},
        thread,
    };

    use super::*;

    /// Set for the process that the tests start.
    const PLAY: &str = "STANDIN_TEST_SHOWS_NOTHING";

    /// This is no test: it is a process whose environment nobody finds, until its input ends.
    #[test]
    fn plays_one_who_shows_nothing() {
        if std::env::var_os(PLAY).is_none() {
            return;
        }
        let own = held(&std::process::id()).unwrap();
        let place = peek::environment_pointer(&own).unwrap().address;
        // SAFETY: there the system has the pointer, and whoever looks for a variable from here on is told that there are
        // none, or ends with us.
        unsafe { std::ptr::with_exposed_provenance_mut::<usize>(place).write(0) };
        stdout().write_all(b"nothing left\n").unwrap();
        stdin().read_to_end(&mut Vec::new()).unwrap();
    }

    fn one_who_shows_nothing() -> (Child, impl Sized) {
        let name = "process::windows::strays::tests::plays_one_who_shows_nothing";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact", "--nocapture"])
            .env(PLAY, "")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        said.find(|line| line.as_ref().unwrap() == "nothing left");
        (child, said)
    }

    fn for_nobody(mute_until: Instant) -> Wanted {
        let marks = vec!["STANDIN_TEST_NOBODY=has this".encode_utf16().collect()];
        Wanted { marks, mute_until }
    }

    #[test]
    fn whose_environment_cannot_be_read_is_given_time_to_end() {
        let (mut child, _said) = one_who_shows_nothing();
        let input = child.stdin.take().unwrap();
        let wanted = for_nobody(clock::now() + Duration::from_secs(120));
        let (look, ended) = thread::scope(|scope| {
            scope.spawn(move || {
                pause();
                drop(input);
            });
            (wanted.end(), child.try_wait().unwrap())
        });
        assert!(ended.is_some(), "it was not waited for");
        assert!(look.is_clean && look.ended == 0);
    }

    #[test]
    fn whose_environment_can_never_be_read_is_left_alone_after_a_while() {
        let (mut child, _said) = one_who_shows_nothing();
        let look = for_nobody(clock::now()).end();
        let ended = child.try_wait().unwrap();
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(look.is_clean && look.ended == 0);
        assert_eq!(ended, None);
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "whoever does not wait is to be done before this is over"
    )]
    fn pause() {
        thread::sleep(Duration::from_secs(1));
    }
}
