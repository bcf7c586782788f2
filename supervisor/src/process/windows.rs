//! Windows: a job object for each worker's tree, which ends with its last handle, and the mark in the environment, by
//! which the next start sees that it has.

mod command_line;
mod create;
mod environment;
mod exit;
mod job;
mod peek;
mod pipe;
mod program;
mod strays;

pub use self::peek::environment as environment_of;
pub(super) use self::{
    pipe::Pipe,
    strays::{sweep, sweep_until_clean},
};

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::windows::{
        ffi::OsStrExt,
        io::{AsHandle, OwnedHandle},
    },
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{sync::watch, task::JoinHandle};
use windows_sys::Win32::System::Diagnostics::Debug::{
    SEM_FAILCRITICALERRORS, SEM_NOGPFAULTERRORBOX, SEM_NOOPENFILEERRORBOX, SetErrorMode,
};

use self::{create::Plan, environment::Environment, job::Job};
use super::{Exit, Launch, MARK_VARIABLE};

/// A process that nobody watches yet. Dropped like that it ends with its job.
#[derive(Debug)]
pub(super) struct Newborn {
    tree: Tree,
    process: OwnedHandle,
    /// Taken once.
    output: Option<(File, File)>,
}

impl Newborn {
    /// Its stdout and stderr.
    pub(super) fn pipes(&mut self) -> io::Result<(Pipe, Pipe)> {
        let (stdout, stderr) = self.output.take().expect("they are taken once");
        Ok((Pipe::new(stdout)?, Pipe::new(stderr)?))
    }

    pub(super) fn into_parts(self) -> (Tree, OwnedHandle) {
        (self.tree, self.process)
    }
}

/// A process and its descendants: the members of a job.
#[derive(Debug)]
pub(super) struct Tree {
    job: Job,
    pid: u32,
    /// From then on the number may belong to somebody else.
    ended: AtomicBool,
}

impl Tree {
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    pub(super) fn kill(&self) {
        self.job.end();
    }

    pub(super) fn includes(&self, pid: u32) -> bool {
        !self.ended.load(Ordering::Acquire) && (pid == self.pid || self.job.includes(pid))
    }
}

/// Starts a process in a job of its own.
pub(super) fn spawn(_launcher: &Path, launch: &Launch) -> io::Result<Newborn> {
    let (program, arguments) = launch
        .command
        .split_first()
        .ok_or(io::ErrorKind::InvalidInput)?;
    let added = launch.environment.iter();
    let added = added.map(|(name, value)| (name.as_os_str(), value.as_os_str()));
    let mark = (OsStr::new(MARK_VARIABLE), OsStr::new(&launch.mark));
    let environment = Environment::new(added.chain([mark]))?;
    let folder = launch.folder.as_deref();
    let file = program::find(program, folder, environment.get("PATH"))?;
    let (program, command_line) = line(&file, arguments)?;
    let folder = folder.map(program::wide).transpose()?;
    let (input, [stdout, stderr]) = (File::open("NUL")?, [pipe::pair()?, pipe::pair()?]);
    let job = Job::new()?;
    let mut plan = Plan {
        program: &program,
        command_line,
        environment: &environment.block(),
        folder: folder.as_deref(),
        streams: [
            input.as_handle(),
            stdout.theirs.as_handle(),
            stderr.theirs.as_handle(),
        ],
        job: job.as_handle(),
    };
    let (process, pid) = create::create(&mut plan).map_err(in_words)?;
    let ended = AtomicBool::new(false);
    Ok(Newborn {
        tree: Tree { job, pid, ended },
        process,
        output: Some((stdout.ours, stderr.ours)),
    })
}

/// The system's own words for this have a hole where the name of the file should be.
fn in_words(error: io::Error) -> io::Error {
    const BAD_EXE_FORMAT: i32 = 193;
    if error.raw_os_error() != Some(BAD_EXE_FORMAT) {
        return error;
    }
    let what = "it is no program; put the one that runs it in front of it";
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

/// The program and its command line. A batch file is run by the system's command prompt.
fn line(file: &Path, arguments: &[OsString]) -> io::Result<(Vec<u16>, Vec<u16>)> {
    if arguments
        .iter()
        .any(|argument| argument.encode_wide().any(|unit| unit == 0))
    {
        let what = "an argument with a zero in it";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    let program = program::wide(file)?;
    let (name, _zero) = program.split_at(program.len() - 1);
    if program::is_batch_file(file) {
        let line = command_line::for_batch_file(name, arguments)?;
        return Ok((program::wide(&program::command_prompt()?)?, line));
    }
    let line = command_line::for_program(name, arguments);
    Ok((program, line))
}

/// Waits for the death of the process and ends what is left of its tree. Each wait holds a thread of the blocking
/// pool, whose limit of 512 is far above the number of workers of one machine.
pub(super) async fn reap(tree: Arc<Tree>, process: OwnedHandle) -> Exit {
    let code = tokio::task::spawn_blocking(move || exit::wait(&process)).await;
    tree.ended.store(true, Ordering::Release);
    tree.kill();
    // A panic in there would have been said.
    code.map_or(Exit::ByUs, exit::of_code)
}

/// There is no launcher here: the job does its work.
pub(super) fn become_command(_program: &OsString, _arguments: &[OsString]) -> io::Error {
    io::Error::other("workers are started without a launcher on Windows")
}

/// It would take a logon of each user.
pub(super) fn may_start_as_others() -> bool {
    false
}

/// Pipes lie in no folder.
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
pub(super) fn let_through(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// A crash, a missing disk or a missing DLL is told by an exit code. Without this a dialog would wait for somebody to
/// close it, on a desktop that nobody sees. What we start inherits it.
pub(super) fn prepare() {
    let quiet = SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX;
    // SAFETY: nothing is pointed to.
    unsafe {
        let before = SetErrorMode(quiet);
        SetErrorMode(before | quiet);
    }
}

/// A process that runs out of memory here is refused it and crashes; nothing is killed.
pub(super) fn watch_memory() {}

/// The jobs end with the service, so there is nothing to guard.
pub(super) fn guard(_instance: &str) -> ExitCode {
    ExitCode::SUCCESS
}

/// The jobs end with the service, so there is nobody to keep.
#[expect(clippy::unused_async, reason = "Unix has to wait here")]
pub(super) async fn keep_guard(
    _program: PathBuf,
    _instance: String,
) -> io::Result<(watch::Receiver<Option<u32>>, JoinHandle<()>)> {
    Ok((watch::channel(None).1, tokio::spawn(async {})))
}
