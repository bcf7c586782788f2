//! What a start does about the processes that a killed service has left behind.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::helpers::{eventually, standin};

/// A service that ends with the test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(folder: &Path) -> Served {
    let mut command = standin(&["serve", "--config"]);
    command.arg(folder.join("standin.toml"));
    command.arg("--endpoint").arg(folder.join("s"));
    command.arg("--state").arg(folder.join("state"));
    let child = command.stderr(Stdio::null()).spawn();
    Served(child.expect("the binary starts"))
}

fn call(folder: &Path, arguments: &[&str]) -> bool {
    let mut command: Command = standin(arguments);
    command.args(["--wait", "30s", "--endpoint"]);
    command.arg(folder.join("s"));
    let ran = command.output().expect("the binary starts");
    ran.status.success()
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

/// Zombies count as dead: they run nothing.
fn is_alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, tail)| &tail[..1]);
    state.is_some_and(|state| state != "Z" && state != "X")
}

/// The process has left the group of its worker, and the guardian that would end it was killed: only the next start can.
#[test]
fn after_a_kill_nobody_is_answered_while_something_of_the_killed_run_is_alive() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let pid_file = folder.path().join("pid");
    let script = format!(
        "setsid sh -c 'echo $$ > {0}.new; mv {0}.new {0}; exec sleep 600' & exec sleep 600",
        pid_file.display()
    );
    let settings = format!("[pools.strays]\ncommand = ['sh', '-c', \"\"\"{script}\"\"\"]\n");
    fs::write(folder.path().join("standin.toml"), settings).expect("it can be written");
    let mut first = serve(folder.path());
    let stray: i32 = eventually("the process is there", || {
        fs::read_to_string(&pid_file).ok()?.trim().parse().ok()
    });
    let guardian = eventually("the guardian is there", || {
        child(first.0.id(), "standin-guard")
    });
    // Held up, the service cannot start another guardian.
    signal(first.0.id() as i32, Signal::STOP);
    signal(guardian, Signal::KILL);
    first.0.kill().expect("it runs");
    first.0.wait().expect("it ends");
    assert!(is_alive(stray), "the test tests something");

    let second = serve(folder.path());
    let is_answered = call(folder.path(), &["call", "standin.ping"]);
    let is_alive = is_alive(stray);
    drop(second);
    assert!(is_answered);
    assert!(!is_alive, "process {stray} of the killed service lives on");
}
