//! Which processes there are, and what they hold.

use std::{os::windows::io::AsRawHandle, path::Path};

use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessesToUpdate, System};
use windows_sys::{
    Wdk::System::SystemInformation::{NtQuerySystemInformation, SYSTEM_INFORMATION_CLASS},
    Win32::{
        Foundation::{STATUS_INFO_LENGTH_MISMATCH, WAIT_TIMEOUT},
        System::{
            ProcessStatus::{K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS},
            Threading::{
                PROCESS_QUERY_INFORMATION, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE,
                PROCESS_VM_READ, WaitForSingleObject,
            },
        },
    },
};

use super::opened;

fn processes() -> System {
    let mut system = System::new().expect("the system tells");
    let names = ProcessRefreshKind::nothing();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, names);
    system
}

/// Those that have not ended. The consoles that the system itself gives to processes without a window, and takes away a
/// moment after them, are left out.
fn alive(system: &System) -> impl Iterator<Item = &Process> {
    let all = system.processes().values();
    all.filter(|process| process.name() != "conhost.exe" && !is_gone(process.pid().as_u32()))
}

/// Processes that have this variable with this value in their environment.
pub(crate) fn marked(name: &str, value: &Path) -> Vec<u32> {
    let mark = format!("{name}={}", value.display());
    let mark: Vec<_> = mark.encode_utf16().collect();
    let system = processes();
    alive(&system)
        .map(|process| process.pid().as_u32())
        .filter(|pid| has(*pid, &mark))
        .collect()
}

/// Whether a process has that entry in its environment.
fn has(pid: u32, entry: &[u16]) -> bool {
    let Some(process) = opened(pid, PROCESS_QUERY_INFORMATION | PROCESS_VM_READ) else {
        return false;
    };
    // As the service does it. Other ways (`VirtualQueryEx`) have it told by that process itself under Wine, and whoever
    // asks one that is killed while it tells waits for ever.
    let block = standin::process::environment_of(&process);
    block.is_ok_and(|block| block.split(|unit| *unit == 0).any(|one| one == entry))
}

/// The children of a process.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let system = processes();
    alive(&system)
        .filter(|process| process.parent() == Some(Pid::from_u32(parent)))
        .map(|process| process.pid().as_u32())
        .collect()
}

/// Dead children that a process has not taken notice of. There are none here: what a dead process leaves is a handle, and
/// those are counted.
pub(crate) fn zombies(_parent: u32) -> usize {
    0
}

/// Whether there is no such process any more, be it that somebody still holds a handle of it.
pub fn is_gone(pid: u32) -> bool {
    opened(pid, PROCESS_SYNCHRONIZE).is_none_or(|process| {
        // SAFETY: the handle is open.
        unsafe { WaitForSingleObject(process.as_raw_handle(), 0) != WAIT_TIMEOUT }
    })
}

/// The most memory that a process has had resident so far, in bytes.
pub(crate) fn memory_peak(pid: u32) -> u64 {
    let process = opened(pid, PROCESS_QUERY_LIMITED_INFORMATION).expect("it lives");
    let size = size_of::<PROCESS_MEMORY_COUNTERS>() as u32;
    let mut counters = PROCESS_MEMORY_COUNTERS::default();
    // SAFETY: the handle is open, and the pointer is to a live value of the size told.
    let told = unsafe { K32GetProcessMemoryInfo(process.as_raw_handle(), &raw mut counters, size) };
    assert_ne!(told, 0, "the system tells");
    counters.PeakWorkingSetSize as u64
}

/// SystemExtendedHandleInformation, which the documentation does not tell of.
const ALL_HANDLES: SYSTEM_INFORMATION_CLASS = 64;

/// Words of eight bytes: two stand before the entries, and each entry has five, the second of which is the process.
const HEAD: usize = 2;
const ENTRY: usize = 5;
const OWNER: usize = 1;

/// Handles that a process has open. They are counted in the list of all handles, because Wine does not count them for
/// `GetProcessHandleCount`.
pub(crate) fn open_files(pid: u32) -> usize {
    let mut list = vec![0u64; 1 << 16];
    loop {
        let size = (list.len() * size_of::<u64>()) as u32;
        // SAFETY: the pointer is to as many bytes as told; how many would be needed is not wanted.
        let status = unsafe {
            NtQuerySystemInformation(
                ALL_HANDLES,
                list.as_mut_ptr().cast(),
                size,
                std::ptr::null_mut(),
            )
        };
        if status != STATUS_INFO_LENGTH_MISMATCH {
            assert!(status >= 0, "the system tells, and not {status:#x}");
            break;
        }
        list = vec![0; list.len() * 2];
    }
    let (count, entries) = (list[0] as usize, list[HEAD..].chunks_exact(ENTRY));
    let owners = entries.take(count).map(|entry| entry[OWNER]);
    owners.filter(|owner| *owner == u64::from(pid)).count()
}
