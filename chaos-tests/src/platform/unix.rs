//! What the suite does to processes and sockets on Unix.

use std::{
    io,
    net::Shutdown,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, Command, ExitStatus},
};

use rustix::process::{Pid, Signal, kill_process};
use standin_client::Endpoint;

pub use std::os::unix::net::UnixStream as Stream;

/// Processes that the service keeps beside its workers: the guardian.
pub const GUARDIANS: usize = 1;

/// Files that the service leaves on purpose: removing the lock would bring back the race that it is against.
pub const FILES_KEPT: &[&str] = &["s.lock"];

/// How the service tells the death of a worker that aborted.
pub const ABORTED: &str = "crashed with SIGABRT (signal 6)";

/// How the service tells the death of a worker that [`kill`] has ended.
pub const KILLED: &str = "killed from outside with SIGKILL (signal 9)";

/// How the service tells the death of a worker that ended by itself with exit code 1.
pub const ENDED_WITH_1: &str = "ended by itself with exit code 1";

/// Whether a test can be two users, as root can. Where it cannot, that is said, past the test's own output, which nobody
/// sees of a test that passes.
pub fn can_be_others(test: &str) -> bool {
    let can = rustix::process::geteuid().is_root();
    if !can {
        let line = format!("NOT LOOKED AT, since only root can be two users: {test}\n");
        let _ = io::Write::write_all(&mut io::stderr(), line.as_bytes());
    }
    can
}

fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.cast_signed()).expect("a process number");
    // It may be gone by now.
    let _ = kill_process(pid, signal);
}

/// As an administrator kills a process.
pub fn kill(pid: u32) {
    send(pid, Signal::KILL);
}

/// Whether a process ended as [`Child::kill`] ends one, and not by itself.
pub(crate) fn was_killed(ended: ExitStatus) -> bool {
    ended.signal() == Some(Signal::KILL.as_raw())
}

/// As if it had touched memory that is not its own.
pub fn crash(pid: u32) {
    send(pid, Signal::SEGV);
}

/// As a script ends a process that it thinks well of.
pub fn ask_to_end(pid: u32) {
    send(pid, Signal::TERM);
}

/// It does nothing more until [`thaw`].
pub fn freeze(pid: u32) {
    send(pid, Signal::STOP);
}

/// It goes on.
pub fn thaw(pid: u32) {
    send(pid, Signal::CONT);
}

/// Before the service is started.
pub(crate) fn prepare(_service: &mut Command) {}

/// Asks the service to stop.
pub(crate) fn ask_to_stop(service: &Child, _endpoint: &Endpoint) {
    kill_process(Pid::from_child(service), Signal::TERM).expect("the service lives");
}

fn processes() -> impl Iterator<Item = u32> {
    let folders = std::fs::read_dir("/proc").expect("this is Linux").flatten();
    folders.filter_map(|folder| folder.file_name().to_str()?.parse().ok())
}

/// Processes that have this variable with this value in their environment.
pub(crate) fn marked(name: &str, value: &Path) -> Vec<u32> {
    let mark = format!("{name}={}", value.display());
    let is_marked = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut entries = environment.split(|byte| *byte == 0);
        entries.any(|entry| entry == mark.as_bytes())
    };
    processes().filter(is_marked).collect()
}

/// The children of a process, each with the letter of its state.
fn children_with_state(parent: u32) -> Vec<(u32, String)> {
    let parent = parent.to_string();
    let child = |pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name before it may hold anything, brackets and blanks included.
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let state = fields.next()?.to_owned();
        (fields.next() == Some(&parent)).then_some((pid, state))
    };
    processes().filter_map(child).collect()
}

/// The children of a process.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let children = children_with_state(parent);
    children.into_iter().map(|(pid, _)| pid).collect()
}

/// Dead children that a process has not taken notice of.
pub(crate) fn zombies(parent: u32) -> usize {
    let children = children_with_state(parent);
    children.iter().filter(|(_, state)| state == "Z").count()
}

/// Whether there is no such process any more.
pub fn is_gone(pid: u32) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}

/// The most memory that a process has had resident so far, in bytes.
pub(crate) fn memory_peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.expect("the system tells") * 1024
}

/// Files and sockets that a process has open.
pub(crate) fn open_files(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// Nanoseconds of the clock that all processes of the machine share.
pub(crate) fn monotonic_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Connects to an endpoint as a program does that knows nothing of Standin.
///
/// # Errors
/// Nobody listens there.
pub fn connect(endpoint: &Path) -> io::Result<Stream> {
    Stream::connect(endpoint)
}

/// Closes a connection for both ends; the process goes on.
pub(crate) fn close(stream: &mut Stream) {
    let _ = stream.shutdown(Shutdown::Both);
}

/// Starts a process that stays for minutes, and another one below it.
pub(crate) fn leave_a_child_behind() -> Child {
    let child = Command::new("sh").args(["-c", "sleep 300"]).spawn();
    child.expect("there is a shell")
}

/// Starts one that leaves the process group and the session as well.
pub(crate) fn leave_an_escaped_child_behind() -> Child {
    let child = Command::new("setsid").args(["sleep", "300"]).spawn();
    child.expect("there is setsid")
}
