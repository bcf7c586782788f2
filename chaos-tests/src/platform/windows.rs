//! What the suite does to processes and pipes on Windows.

#[path = "windows/census.rs"]
mod census;
#[path = "windows/stream.rs"]
mod stream;

use std::{
    ffi::c_void,
    os::windows::{
        io::{AsRawHandle, FromRawHandle, OwnedHandle},
        process::CommandExt,
    },
    process::{Child, Command, ExitStatus},
    time::Duration,
};

use standin_client::{Endpoint, blocking::Client};
use windows_sys::Win32::{
    Foundation::{STATUS_ACCESS_VIOLATION, STATUS_CONTROL_C_EXIT},
    System::{
        Console::{CTRL_BREAK_EVENT, GenerateConsoleCtrlEvent},
        Performance::{QueryPerformanceCounter, QueryPerformanceFrequency},
        Threading::{
            CREATE_BREAKAWAY_FROM_JOB, CREATE_NEW_PROCESS_GROUP, DETACHED_PROCESS, OpenProcess,
            PROCESS_ACCESS_RIGHTS, PROCESS_SUSPEND_RESUME, PROCESS_TERMINATE, TerminateProcess,
        },
    },
};

pub use self::{
    census::is_gone,
    stream::{Stream, connect},
};
pub(crate) use self::{
    census::{children, marked, memory_peak, open_files, zombies},
    stream::close,
};

/// Processes that the service keeps beside its workers: none, the jobs do a guardian's work.
pub const GUARDIANS: usize = 0;

/// Files that the service leaves on purpose: none, a pipe is no file.
pub const FILES_KEPT: &[&str] = &[];

/// Whether a process ended as [`Child::kill`] ends one, and not by itself with another code.
pub(crate) fn was_killed(ended: ExitStatus) -> bool {
    ended.code() == Some(1)
}

/// How the service tells the death of a worker that aborted.
pub const ABORTED: &str = "crashed with an abort or an overrun buffer (0xc0000409)";

/// How the service tells the death of a worker that [`kill`] has ended: nobody can tell it from an exit.
pub const KILLED: &str = ENDED_WITH_1;

/// How the service tells the death of a worker that ended by itself with exit code 1: nobody can tell it from a kill.
pub const ENDED_WITH_1: &str = "ended with exit code 1, by itself or killed from outside";

#[link(name = "ntdll")]
unsafe extern "system" {
    fn NtSuspendProcess(process: *mut c_void) -> i32;
    fn NtResumeProcess(process: *mut c_void) -> i32;
}

/// A process, if it is still there.
fn opened(pid: u32, rights: PROCESS_ACCESS_RIGHTS) -> Option<OwnedHandle> {
    // SAFETY: nothing is pointed to.
    let process = unsafe { OpenProcess(rights, 0, pid) };
    // SAFETY: it was just opened and belongs to nobody else.
    (!process.is_null()).then(|| unsafe { OwnedHandle::from_raw_handle(process) })
}

fn terminate(pid: u32, code: u32) {
    // It may be gone by now.
    if let Some(process) = opened(pid, PROCESS_TERMINATE) {
        // SAFETY: the handle is open.
        unsafe { TerminateProcess(process.as_raw_handle(), code) };
    }
}

/// As the task manager and `taskkill /f` end a process.
pub fn kill(pid: u32) {
    terminate(pid, 1);
}

/// As if it had touched memory that is not its own.
pub fn crash(pid: u32) {
    terminate(pid, STATUS_ACCESS_VIOLATION.cast_unsigned());
}

/// As a process ends that was told so by Ctrl-C.
pub fn ask_to_end(pid: u32) {
    terminate(pid, STATUS_CONTROL_C_EXIT.cast_unsigned());
}

/// It does nothing more until [`thaw`].
pub fn freeze(pid: u32) {
    if let Some(process) = opened(pid, PROCESS_SUSPEND_RESUME) {
        // SAFETY: the handle is open.
        unsafe { NtSuspendProcess(process.as_raw_handle()) };
    }
}

/// It goes on.
pub fn thaw(pid: u32) {
    if let Some(process) = opened(pid, PROCESS_SUSPEND_RESUME) {
        // SAFETY: the handle is open.
        unsafe { NtResumeProcess(process.as_raw_handle()) };
    }
}

/// Before the service is started: a group of its own, which alone is told when it is to stop.
pub(crate) fn prepare(service: &mut Command) {
    service.creation_flags(CREATE_NEW_PROCESS_GROUP);
}

/// Asks the service to stop: by Ctrl-Break, and where there is no console to send it through, as under Wine without a
/// terminal, by the way that the service has for tests.
pub(crate) fn ask_to_stop(service: &Child, endpoint: &Endpoint) {
    // SAFETY: nothing is pointed to.
    if unsafe { GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, service.id()) } == 0 {
        let ask = || {
            let client = Client::connect(endpoint, Duration::from_secs(20)).expect("it lives");
            client.call("standin.failpoint", &serde_json::json!({ "place": "stop" }))
        };
        // The caller may be inside a runtime, where a blocking client cannot be.
        let asked = std::thread::scope(|scope| scope.spawn(ask).join());
        let asked = asked.expect("it does not panic");
        assert_eq!(asked.ok(), Some(true), "failpoints are compiled in");
    }
}

/// Nanoseconds of the clock that all processes of the machine share.
pub(crate) fn monotonic_ns() -> u64 {
    let (mut ticks, mut per_second) = (0, 0);
    // SAFETY: the pointers are to live values.
    unsafe {
        QueryPerformanceCounter(&raw mut ticks);
        QueryPerformanceFrequency(&raw mut per_second);
    }
    (i128::from(ticks) * 1_000_000_000 / i128::from(per_second)) as u64
}

fn linger(flags: u32) -> std::io::Result<Child> {
    let program = std::env::current_exe().expect("the system tells");
    let mut command = Command::new(program);
    command.arg("linger").creation_flags(flags).spawn()
}

/// Starts a process that stays for minutes.
pub(crate) fn leave_a_child_behind() -> Child {
    linger(0).expect("it can be started")
}

/// Starts one that leaves whatever it is allowed to leave.
pub(crate) fn leave_an_escaped_child_behind() -> Child {
    let apart = DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP;
    let child = linger(apart | CREATE_BREAKAWAY_FROM_JOB).or_else(|_| linger(apart));
    child.expect("it can be started")
}
