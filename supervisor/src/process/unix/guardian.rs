//! The guardian on both of its sides: the small process itself, and the service that keeps one.

use std::{
    io::{self, Read},
    os::{fd::AsFd, unix::process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitCode, Stdio},
    time::Duration,
};

use rustix::process::Pid;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinHandle,
    time::Instant,
};

use super::{
    super::{INSTANCE_VARIABLE, MARK_VARIABLE},
    groups, orphans, strays, wait_for_death,
};

/// A guardian that lives shorter than this was not ended by a person: the next one is given time.
const LIFE_MIN: Duration = Duration::from_secs(1);

/// The guardian's own side.
pub(in super::super) fn guard(instance: &str) -> ExitCode {
    // Told apart in lists of processes, and not met by those who end everything called `standin`.
    let _ = std::fs::write("/proc/self/comm", "standin-guard");
    // When memory runs out this must be the last to go; not everybody may ask for that.
    let _ = std::fs::write("/proc/self/oom_score_adj", "-900");
    // Whoever tells the whole group to end (a terminal, a service manager) means the service. The guardian ends
    // with it and not before. The signals are swallowed as long as the runtime is there.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build();
    let deaf = runtime.as_ref().map(|runtime| {
        let _inside = runtime.enter();
        let kinds = [
            SignalKind::terminate(),
            SignalKind::interrupt(),
            SignalKind::hangup(),
            SignalKind::quit(),
        ];
        kinds.map(signal)
    });
    wait_for_end(&mut io::stdin());
    let groups = io::stdout().as_fd().try_clone_to_owned();
    let groups = groups.map_or_else(|_| Vec::new(), |file| groups::left(&file.into()));
    strays::sweep_with_groups(instance, groups);
    drop(deaf);
    ExitCode::SUCCESS
}

fn wait_for_end(pipe: &mut impl Read) {
    let mut nothing = [0; 64];
    loop {
        match pipe.read(&mut nothing) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// Starts a guardian, and another whenever it ends, until nobody holds the receiver any more.
pub(in super::super) async fn keep_guard(
    program: PathBuf,
    instance: String,
) -> io::Result<(watch::Receiver<Option<u32>>, JoinHandle<()>)> {
    let first = start(&program, &instance)?;
    let (report, pid) = watch::channel(Some(first.0.id()));
    let keeper = tokio::spawn(async move {
        let mut guardian = Some(first);
        loop {
            if let Some((child, input)) = guardian.take() {
                let _ = report.send(Some(child.id()));
                watch_over(child, input, &report).await;
            }
            if report.is_closed() {
                return;
            }
            match start(&program, &instance) {
                Ok(next) => guardian = Some(next),
                Err(error) => {
                    tracing::error!(%error, "the guardian process cannot be started; it is tried again");
                    tokio::time::sleep(LIFE_MIN).await;
                }
            }
        }
    });
    Ok((pid, keeper))
}

/// Comes back when it has ended or is no longer wanted.
async fn watch_over(mut child: Child, input: ChildStdin, report: &watch::Sender<Option<u32>>) {
    let started = Instant::now();
    let pid = Pid::from_child(&child);
    tokio::select! {
        () = wait_for_death(pid) => {
            tracing::warn!(pid = child.id(), "the guardian process was ended; it is started again");
            let _ = orphans::wait_for_own(&mut child);
            let _ = report.send(None);
            if started.elapsed() < LIFE_MIN {
                tokio::time::sleep(LIFE_MIN).await;
            }
        }
        () = report.closed() => {
            drop(input);
            wait_for_death(pid).await;
            let _ = orphans::wait_for_own(&mut child);
        }
    }
}

fn start(program: &Path, instance: &str) -> io::Result<(Child, ChildStdin)> {
    let mut command = Command::new(program);
    command
        .arg0("standin")
        .args(["worker", "guard", instance])
        // It must not find itself, nor be found by the service that this service may be a worker of.
        .env_remove(INSTANCE_VARIABLE)
        .env_remove(MARK_VARIABLE)
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        // No output: it reads there which groups are left.
        .stdout(groups::for_guardian().map_or_else(Stdio::null, Stdio::from))
        .stderr(Stdio::null());
    let mut child = orphans::start_own(|| command.spawn())?;
    let input = child.stdin.take().expect("it was piped");
    Ok((child, input))
}
