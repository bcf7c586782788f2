//! Nothing outlives the service, however it ends. The service here is this test's own executable, started again.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use super::{SweepAtEnd, shell, with_variable};
use crate::helpers::{end, eventually, exit_of, has_said, spawner, unique};
use rustix::process::{Pid, Signal, kill_process};
use standin::process::{self, Exit, INSTANCE_VARIABLE, guard::Guard};

/// Set for the process that plays the service.
const PLAY: &str = "STANDIN_TEST_PLAYS_THE_SERVICE";

/// A worker with a child in its group, one in a session of its own, and one that nobody is the parent of.
const FAMILY: &str = "sleep 600 & setsid sleep 600 & setsid sh -c 'setsid sleep 600 & exit 0' & wait %3; echo ready; wait";

/// This is no test: it is the service for the tests below, which start this executable with [`PLAY`] set.
#[tokio::test]
async fn plays_the_service() {
    let Ok(instance) = std::env::var(PLAY) else {
        return;
    };
    let guard = Guard::with_program(program(), &instance).await.unwrap();
    let spawner = spawner();
    let mut workers = Vec::new();
    for _ in 0..3 {
        let mut launch = shell(FAMILY);
        launch.environment = vec![(INSTANCE_VARIABLE.into(), instance.clone().into())];
        workers.push(spawner.spawn(launch).await.unwrap());
    }
    for worker in &workers {
        has_said(worker, "ready").await;
    }
    println!("guard {}", guard.pid().unwrap());
    std::future::pending().await
}

fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_standin"))
}

/// Starts a service and waits until its workers run; gives its guardian's pid too.
fn start_service(instance: &str) -> (Child, u32) {
    let mut service = Command::new(std::env::current_exe().unwrap())
        .args([
            "linux::guardian::plays_the_service",
            "--exact",
            "--nocapture",
        ])
        .env(PLAY, instance)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(service.stdout.take().unwrap()).lines();
    let guard = said.map_while(Result::ok).find_map(|line| {
        let number = line.split("guard ").nth(1)?;
        number.trim().parse().ok()
    });
    (service, guard.expect("the service gets ready"))
}

fn of_instance(instance: &str) -> Vec<u32> {
    with_variable(&format!("{INSTANCE_VARIABLE}={instance}"))
}

fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| !rest.starts_with(" Z"))
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

#[tokio::test]
async fn a_killed_service_leaves_nobody_behind_who_left_the_group() {
    let instance = unique();
    let _sweep = SweepAtEnd(instance.clone());
    let (mut service, guard) = start_service(&instance);
    eventually("three workers with three descendants each", async || {
        of_instance(&instance).len() == 12
    })
    .await;
    service.kill().unwrap();
    service.wait().unwrap();
    eventually("nobody is left", async || of_instance(&instance).is_empty()).await;
    eventually("the guardian has ended", async || !lives(guard)).await;
}

#[tokio::test]
async fn a_service_killed_while_its_guardian_is_stopped_leaves_nothing_behind_later() {
    let instance = unique();
    let _sweep = SweepAtEnd(instance.clone());
    let (mut service, guard) = start_service(&instance);
    signal(guard, Signal::STOP);
    service.kill().unwrap();
    service.wait().unwrap();
    signal(guard, Signal::CONT);
    eventually("nobody is left", async || of_instance(&instance).is_empty()).await;
}

#[tokio::test]
async fn without_a_guardian_the_workers_themselves_still_end_with_the_service() {
    let instance = unique();
    let _sweep = SweepAtEnd(instance.clone());
    let (mut service, guard) = start_service(&instance);
    // Killed in one go, so that no new guardian is started in between.
    signal(service.id(), Signal::STOP);
    signal(guard, Signal::KILL);
    service.kill().unwrap();
    service.wait().unwrap();
    let is_worker = |pid: &u32| {
        let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        command.contains("echo ready")
    };
    eventually("no worker is left", async || {
        !of_instance(&instance).iter().any(is_worker)
    })
    .await;
    process::sweep(&instance);
    eventually("nobody is left", async || of_instance(&instance).is_empty()).await;
}

#[tokio::test]
async fn a_guardian_that_is_killed_is_replaced() {
    let guard = Guard::with_program(program(), &unique()).await.unwrap();
    let first = guard.pid().unwrap();
    signal(first, Signal::KILL);
    eventually("there is another", async || {
        guard.pid().is_some_and(|pid| pid != first)
    })
    .await;
    assert!(!lives(first));
    let second = guard.pid().unwrap();
    guard.stop().await;
    assert!(!lives(second), "it ends when it is no longer wanted");
}

#[tokio::test]
async fn a_guardian_is_deaf_to_the_signals_that_mean_the_service() {
    let guard = Guard::with_program(program(), &unique()).await.unwrap();
    let pid = guard.pid().unwrap();
    let wanted = [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM];
    let bits = wanted
        .iter()
        .fold(0u64, |bits, signal| bits | 1 << (signal.as_raw() - 1));
    eventually("it has handlers for them", async || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        caught.is_some_and(|mask| mask & bits == bits)
    })
    .await;
    for kind in wanted {
        signal(pid, kind);
    }
    // The end of the pipe, which it does hear, comes after the signals.
    assert_eq!(guard.pid(), Some(pid));
    guard.stop().await;
    assert!(!lives(pid), "it ends when it is no longer wanted");
}

#[tokio::test]
async fn a_sweep_ends_what_a_run_has_started_and_nothing_else() {
    let spawner = spawner();
    let (own, other) = (shell(FAMILY), shell(FAMILY));
    let (instance, other_instance) = (own.mark.clone(), other.mark.clone());
    let _sweeps = [instance.clone(), other_instance.clone()].map(SweepAtEnd);
    let guard = Guard::with_program(program(), &instance).await.unwrap();
    let own = spawner.spawn(own).await.unwrap();
    let other = spawner.spawn(other).await.unwrap();
    has_said(&own, "ready").await;
    has_said(&other, "ready").await;
    eventually("they run", async || of_instance(&other_instance).len() == 4).await;
    process::sweep(&instance);
    assert_eq!(of_instance(&instance), Vec::<u32>::new());
    assert_eq!(exit_of(&own).await, Exit::Signal(9));
    assert_eq!(of_instance(&other_instance).len(), 4);
    assert!(
        lives(guard.pid().unwrap()),
        "the guardian does not carry the mark"
    );
    guard.stop().await;
    end(other).await;
}
