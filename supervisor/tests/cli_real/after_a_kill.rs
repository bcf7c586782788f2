//! What a start does about the processes that a killed service has left behind.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Stdio},
};

use self::platform::Stray;
use crate::helpers::{endpoint_in, standin};

/// A service that ends with the test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(folder: &Path, log: &str) -> Served {
    let mut command = standin(&["serve", "--config"]);
    command.arg(folder.join("standin.toml"));
    command.arg("--endpoint").arg(endpoint_in(folder));
    command.arg("--state").arg(folder.join("state"));
    let log = File::create(folder.join(log)).expect("it can be written");
    let child = command.stderr(log).stdout(Stdio::null()).spawn();
    Served(child.expect("the binary starts"))
}

fn is_answered(folder: &Path) -> bool {
    let mut command = standin(&["call", "standin.ping", "--wait", "30s", "--endpoint"]);
    command.arg(endpoint_in(folder));
    let ran = command.output().expect("the binary starts");
    ran.status.success()
}

/// The process has left what ends its worker's descendants, and only the next start can end it.
#[test]
fn after_a_kill_nobody_is_answered_while_something_of_the_killed_run_is_alive() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let folder = folder.path();
    let settings = platform::settings(folder);
    fs::write(folder.join("standin.toml"), settings).expect("it can be written");
    let mut first = serve(folder, "first.log");
    let mut stray = Stray::of(&first.0, folder);
    platform::kill(&mut first.0);
    assert!(stray.is_alive(), "the test tests something");

    let second = serve(folder, "second.log");
    let is_answered = is_answered(folder);
    let is_alive = stray.is_alive();
    drop(second);
    let log = fs::read_to_string(folder.join("second.log")).expect("it can be read");
    assert!(is_answered, "{log}");
    assert!(!is_alive, "a process of the killed service lives on: {log}");
    for told in [
        "the service was ended without being asked to stop; what it had started is looked for first",
        "processes that it had left behind were ended",
    ] {
        assert!(log.contains(told), "{log}");
    }
}

/// A descendant that has left the group of its worker. The guardian that would end it is killed before the service.
#[cfg(target_os = "linux")]
mod platform {
    use std::{fs, path::Path, process::Child};

    use rustix::process::{Pid, Signal, kill_process};

    use crate::helpers::eventually;

    pub(super) fn settings(folder: &Path) -> String {
        let script = format!(
            "setsid sh -c 'echo $$ > {0}.new; mv {0}.new {0}; exec sleep 600' & exec sleep 600",
            folder.join("pid").display()
        );
        format!("[pools.strays]\ncommand = ['sh', '-c', \"\"\"{script}\"\"\"]\n")
    }

    pub(super) struct Stray(i32);

    impl Stray {
        pub(super) fn of(_service: &Child, folder: &Path) -> Stray {
            let pid = eventually("the process is there", || {
                let said = fs::read_to_string(folder.join("pid")).ok()?;
                said.trim().parse().ok()
            });
            Stray(pid)
        }

        /// Zombies count as dead: they run nothing.
        pub(super) fn is_alive(&mut self) -> bool {
            let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap_or_default();
            let state = stat.rsplit_once(") ").map(|(_, tail)| &tail[..1]);
            state.is_some_and(|state| state != "Z" && state != "X")
        }
    }

    pub(super) fn kill(service: &mut Child) {
        let guardian = eventually("the guardian is there", || {
            child(service.id(), "standin-guard")
        });
        // Held up, the service cannot start another guardian.
        signal(service.id() as i32, Signal::STOP);
        signal(guardian, Signal::KILL);
        service.kill().expect("it runs");
        service.wait().expect("it ends");
    }

    /// A child of that name.
    fn child(parent: u32, name: &str) -> Option<i32> {
        let folders = fs::read_dir("/proc").expect("this is Linux").flatten();
        let is_it = |folder: &Path| {
            let stat = fs::read_to_string(folder.join("stat")).ok()?;
            let (head, tail) = stat.rsplit_once(") ")?;
            let parent_of_it: u32 = tail.split(' ').nth(1)?.parse().ok()?;
            (head.ends_with(&format!("({name}")) && parent_of_it == parent).then_some(())
        };
        let mut found = folders.filter(|folder| is_it(&folder.path()).is_some());
        found.next()?.file_name().to_str()?.parse().ok()
    }

    fn signal(pid: i32, signal: Signal) {
        let pid = Pid::from_raw(pid).expect("a process number");
        // It may be gone, which is as well.
        let _ = kill_process(pid, signal);
    }
}

/// A process outside of every job that carries the mark, as one does that a worker has started with a stranger as its
/// parent.
#[cfg(windows)]
mod platform {
    use std::{
        env, fs,
        path::{Path, PathBuf},
        process::{Child, Stdio},
    };

    use crate::helpers::{endpoint_in, eventually, standin};

    /// Tells the worker below where to say which run it belongs to.
    const TELL: &str = "TEST_TELLS_ITS_RUN";

    const MARK: &str = "STANDIN_INSTANCE";

    /// This is no test: it is the worker, which starts this executable with [`TELL`] set.
    #[test]
    fn plays_a_worker() {
        let Some(file) = env::var_os(TELL).map(PathBuf::from) else {
            return;
        };
        let new = file.with_extension("new");
        fs::write(&new, env::var(MARK).expect("each worker has it")).expect("it can be written");
        fs::rename(new, file).expect("nobody holds it");
        loop {
            std::thread::park();
        }
    }

    pub(super) fn settings(folder: &Path) -> String {
        let program = env::current_exe().expect("the system tells");
        format!(
            "[pools.strays]
command = ['{}', 'after_a_kill::platform::plays_a_worker', '--exact', '--nocapture']
environment = {{ {TELL} = '{}' }}
",
            program.display(),
            folder.join("run").display()
        )
    }

    pub(super) struct Stray(Child);

    impl Stray {
        pub(super) fn of(_service: &Child, folder: &Path) -> Stray {
            let run = eventually("a worker is there", || {
                fs::read_to_string(folder.join("run")).ok()
            });
            // It waits for a service that never comes.
            let mut command = standin(&["call", "standin.ping", "--wait", "600s", "--endpoint"]);
            command
                .arg(endpoint_in(&folder.join("nobody")))
                .env(MARK, run);
            let child = command.stderr(Stdio::null()).spawn();
            Stray(child.expect("the binary starts"))
        }

        pub(super) fn is_alive(&mut self) -> bool {
            self.0.try_wait().expect("it can be asked").is_none()
        }
    }

    impl Drop for Stray {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    pub(super) fn kill(service: &mut Child) {
        service.kill().expect("it runs");
        service.wait().expect("it ends");
    }
}
