//! What the next start does about what a killed run has left behind: it looks for the mark, ends who carries it, and
//! goes on when they are dead.

use std::{
    io::{BufRead, BufReader, Lines},
    process::{ChildStdout, Command, Stdio},
};

use standin::process::{self, INSTANCE_VARIABLE, guard};

use crate::{
    helpers::{COMPANY, SCENE, actor, company, end, exit_of, has_said, said, spawner, unique},
    killed_service::{Service, of},
    play::say,
    witness::Witness,
};

/// A service without a guardian. Nobody but the next start ends what it has started outside.
pub(crate) async fn runs_a_worker_and_one_outside(instance: &str) {
    let _outside = start_outside(instance);
    let worker = spawner().spawn(of(instance, "family deep")).await.unwrap();
    has_said(&worker, "family").await;
    say(&format!("{COMPANY}{}", worker.pid()));
    said(&worker).await.iter().for_each(|line| tell(line));
    say("all run");
    std::future::pending().await
}

/// A process in no job, in no group of a worker and without a parent-death signal, with the mark and with descendants.
#[expect(
    clippy::zombie_processes,
    reason = "whom it leaves behind is what this is about"
)]
fn start_outside(instance: &str) -> Lines<BufReader<ChildStdout>> {
    let (program, arguments) = actor();
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::piped());
    command.env(SCENE, "family deep");
    let mut child = command.env(INSTANCE_VARIABLE, instance).spawn().unwrap();
    say(&format!("{COMPANY}{}", child.id()));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for line in &mut lines {
        let line = line.unwrap();
        tell(&line);
        if line == "family" {
            break;
        }
    }
    // Who closed that would end those who have yet to say something.
    lines
}

fn tell(line: &str) {
    if line.starts_with(COMPANY) {
        say(line);
    }
}

#[test]
fn after_a_kill_everything_of_the_killed_run_is_dead_before_the_next_one_goes_on() {
    let mut service = Service::start("unguarded");
    let said = service.says_until("all run");
    let pids = said.iter().filter_map(|line| line.strip_prefix(COMPANY));
    let witnesses = pids.filter_map(|pid| Witness::of(pid.parse().unwrap()));
    let witnesses: Vec<Witness> = witnesses.filter(|one| !one.is_gone()).collect();
    assert_eq!(
        witnesses.len(),
        6,
        "two with a child and a grandchild: {said:?}"
    );
    service.kill();
    let ended = guard::sweep_until_clean(std::slice::from_ref(&service.instance));
    let alive: Vec<&Witness> = witnesses.iter().filter(|it| !it.runs_nothing()).collect();
    assert!(alive.is_empty(), "{alive:?}");
    // The two who wait for nobody. The third ends by itself when its child does, unless it is found before.
    assert!(
        ended >= 2,
        "nobody else ends those outside, and not {ended}"
    );
}

#[tokio::test]
async fn a_sweep_leaves_those_of_another_run_alone() {
    let spawner = spawner();
    let (own, other) = (unique(), unique());
    let [one, another] = [of(&own, "family"), of(&other, "family")];
    let one = spawner.spawn(one).await.unwrap();
    let another = spawner.spawn(another).await.unwrap();
    has_said(&one, "family").await;
    has_said(&another, "family").await;
    let (meant, spared) = (company(&one).await, company(&another).await);
    assert!(process::sweep(&own), "nothing is left");
    assert!(meant.len() == 1 && meant[0].runs_nothing());
    exit_of(&one).await;
    assert!(spared.len() == 1 && !spared[0].is_gone());
    assert!(!Witness::of(another.pid()).unwrap().is_gone());
    end(another).await;
}
