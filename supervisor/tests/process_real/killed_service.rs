//! Nothing outlives the service, however it ends. The service here is this test's own executable, playing one.

use std::{
    io::{BufRead, BufReader, Lines},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use standin::process::{INSTANCE_VARIABLE, Launch, guard::Guard};

use crate::{
    helpers::{
        COMPANY, SCENE, actor, eventually, eventually_gone, has_said, said, scene, spawner, unique,
    },
    play::say,
    witness::{Witness, left_behind},
};

/// The service's own side.
pub(crate) fn play(with: &str) {
    let (kind, instance) = with.split_once(' ').unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match kind {
        "with_workers" => runtime.block_on(runs_workers(instance)),
        "with_a_bare_child" => runtime.block_on(runs_a_bare_child(instance)),
        "unguarded" => runtime.block_on(crate::next_start::runs_a_worker_and_one_outside(instance)),
        _ => runtime.block_on(starts_workers(instance)),
    }
}

async fn runs_workers(instance: &str) {
    let _guard = Guard::with_program(program(), instance).await.unwrap();
    let spawner = spawner();
    let mut workers = Vec::new();
    for _ in 0..3 {
        workers.push(spawner.spawn(of(instance, "family deep")).await.unwrap());
    }
    for worker in &workers {
        has_said(worker, "family").await;
        say(&format!("{COMPANY}{}", worker.pid()));
        for line in said(worker)
            .await
            .iter()
            .filter(|line| line.starts_with(COMPANY))
        {
            say(line);
        }
    }
    say("all run");
    std::future::pending().await
}

async fn runs_a_bare_child(instance: &str) {
    let _guard = Guard::with_program(program(), instance).await.unwrap();
    let worker = spawner().spawn(of(instance, "bare_child")).await.unwrap();
    has_said(&worker, "family").await;
    said(&worker).await.iter().for_each(|line| say(line));
    std::future::pending().await
}

async fn starts_workers(instance: &str) {
    let _guard = Guard::with_program(program(), instance).await.unwrap();
    let spawner = spawner();
    let mut workers = Vec::new();
    for number in 0..100 {
        say(&format!("starts {number}"));
        workers.push(spawner.spawn(of(instance, "stay")).await.unwrap());
    }
    std::future::pending().await
}

pub(crate) fn of(instance: &str, played: &str) -> Launch {
    let mut launch = scene(played);
    launch
        .environment
        .push((INSTANCE_VARIABLE.into(), instance.into()));
    launch
}

fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_standin"))
}

/// A service that was started, and what it says.
pub(crate) struct Service {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    pub(crate) instance: String,
}

impl Service {
    pub(crate) fn start(kind: &str) -> Service {
        let instance = unique();
        let (program, arguments) = actor();
        let mut process = Command::new(program)
            .args(arguments)
            .env(SCENE, format!("service {kind} {instance}"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Service {
            process,
            lines,
            instance,
        }
    }

    /// What it says before this line.
    pub(crate) fn says_until(&mut self, last: &str) -> Vec<String> {
        let mut said = Vec::new();
        for line in &mut self.lines {
            let line = line.unwrap();
            if line == last {
                return said;
            }
            said.push(line);
        }
        panic!("it ended without saying `{last}`, and said {said:?}");
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn left_behind(&self) -> Vec<u32> {
        left_behind(&self.process, &self.instance)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        standin::process::sweep(&self.instance);
    }
}

#[tokio::test]
async fn a_killed_service_leaves_nothing_behind() {
    let mut service = Service::start("with_workers");
    let said = service.says_until("all run");
    let pids = said.iter().filter_map(|line| line.strip_prefix(COMPANY));
    let witnesses = pids.filter_map(|pid| Witness::of(pid.parse().unwrap()));
    let witnesses: Vec<Witness> = witnesses.filter(|one| !one.is_gone()).collect();
    assert!(
        witnesses.len() >= 9,
        "three workers, each with two: {said:?}"
    );
    // What says later on that none is left would say now that they are there.
    assert!(service.left_behind().len() >= 3, "three workers");
    service.kill();
    eventually_gone("nobody is left", &witnesses).await;
    eventually("no worker is left", async || {
        service.left_behind().is_empty()
    })
    .await;
}

/// It has no mark any more, and is in the group of its worker still.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_killed_service_leaves_no_descendant_that_only_wiped_its_environment() {
    let mut service = Service::start("with_a_bare_child");
    let said = service.says_until("family");
    let pid = said.iter().find_map(|line| line.strip_prefix(COMPANY));
    let child = Witness::of(pid.expect("it has a child").parse().unwrap());
    let child = child.expect("it lives");
    assert!(!child.is_gone());
    service.kill();
    eventually_gone("it is not left", &[child]).await;
}

/// Moments of a start, over a tenth of a second, at which the service is killed.
const MOMENTS: u64 = 20;

/// Killed between any two steps of a start, up to the time that some starts take.
#[tokio::test]
async fn a_service_killed_while_it_starts_workers_leaves_none_half_started() {
    for moment in 0..MOMENTS {
        let mut service = Service::start("that_starts_workers");
        service.says_until(&format!("starts {}", moment % 3));
        pause(Duration::from_millis(moment * 100 / MOMENTS));
        service.kill();
        eventually(
            &format!("no worker is left, killed at moment {moment}"),
            async || service.left_behind().is_empty(),
        )
        .await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the moment of the kill is drawn; nothing is waited for"
)]
fn pause(time: Duration) {
    std::thread::sleep(time);
}
