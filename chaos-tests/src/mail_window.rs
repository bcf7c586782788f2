//! How much `until_effect` is worth: mails are sent while their workers, or the whole service, are killed, and it is
//! counted of how many nobody knows whether they went out. If the whole call had to be taken for unsafe, that would be
//! every one that a kill hit.

use std::{
    path::Path,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use serde_json::json;
use standin_client::{CallError, Outcome, blocking::Client};

use crate::{
    clock,
    mail_sink::MailSink,
    platform,
    under_test::{UnderTest, eventually, pool_status},
};

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Victim {
    /// A worker that is at a mail.
    Worker,
    /// The service, while at least one worker is at a mail. All of its workers die with it.
    Service,
}

/// What is asked of a run.
#[derive(Debug, Clone, clap::Parser)]
pub struct MailWindowOptions {
    /// Kills in the middle of a mail.
    #[arg(long, default_value_t = 100)]
    pub kills: u64,
    /// What is killed.
    #[arg(long, value_enum, default_value = "worker")]
    pub kill: Victim,
    /// What the mail server takes for each answer, in milliseconds.
    #[arg(long, default_value_t = 5)]
    pub step_ms: u64,
    /// The seed of the moments of the kills.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// What came of a run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct MailWindow {
    pub mails: u64,
    pub kills: u64,
    /// Mails that were in a worker when it was killed.
    pub hit: u64,
    /// Mails that were said to be sent.
    pub sent: u64,
    /// Mails of which nobody knows.
    pub unknown: u64,
    /// Mails that were said not to be sent. There is time for each, so this is a mail that was lost.
    pub refused: u64,
    /// Mails that were said to be sent and were not, or said not to be and were.
    pub wrong: u64,
    /// Mails that the server got more than once.
    pub doubled: u64,
}

/// More programs than workers, so that no worker is ever idle.
const PROGRAMS: usize = 4;
const WORKERS: usize = 2;

const LIMIT: Duration = Duration::from_secs(60);

/// A mail may be begun in one life of the service after the other, and still be none the further.
const CALL_LIMIT: Duration = Duration::from_secs(3600);

/// Runs and prints.
pub fn run(options: &MailWindowOptions) -> ExitCode {
    let program = std::env::current_exe().expect("the system tells");
    let window = measure(&program, options);
    println!("{window:?}");
    println!(
        "unknown: {} of a thousand mails that a kill hit; without effect.begin it would be 1000",
        window.unknown * 1000 / window.hit.max(1)
    );
    ExitCode::from(u8::from(window.wrong + window.doubled + window.refused > 0))
}

/// Sends mails from several programs until so many kills have hit one.
pub fn measure(program: &Path, options: &MailWindowOptions) -> MailWindow {
    let sink = MailSink::slow(options.step_ms);
    let mut under_test = UnderTest::serve(program, |folder| {
        format!(
            "[pools.mail]\ncommand = ['{}', 'worker', 'builtin']\nconcurrency_max = 1\n\
             environment = {{ CHAOS_LEDGER = '{}' }}\n\
             workers = {{ min = {WORKERS}, max = {WORKERS}, spare = 2 }}\n",
            program.display(),
            folder.join("ledger").display(),
        )
    });
    let observer = under_test.client();
    let clients: Vec<_> = (0..PROGRAMS).map(|_| under_test.client()).collect();
    let (stop, last) = (AtomicBool::new(false), AtomicU64::new(0));
    let window = Mutex::new(MailWindow::default());
    std::thread::scope(|scope| {
        for client in clients {
            scope.spawn(|| {
                let client = client;
                while !stop.load(Ordering::Relaxed) {
                    let number = last.fetch_add(1, Ordering::Relaxed);
                    send(&client, &sink, number, &window);
                }
            });
        }
        let hit = kill(&observer, &mut under_test, program, options);
        stop.store(true, Ordering::Relaxed);
        let mut window = window.lock().expect("nobody panics while holding it");
        (window.kills, window.hit) = (options.kills, hit);
    });
    let panics = under_test.panics();
    assert!(panics.is_empty(), "the service panicked: {panics:?}");
    window.into_inner().expect("nobody panics while holding it")
}

fn send(client: &Client, sink: &MailSink, number: u64, window: &Mutex<MailWindow>) {
    let subject = format!("mail {number}");
    let arguments = json!({
        "server": { "host": "127.0.0.1", "port": sink.address().port(), "tls": "none" },
        "from": "anna@example.org", "to": "ben@example.org",
        "subject": subject, "text": "hello",
    });
    let call = client
        .request("mail.send")
        .arguments(&arguments)
        .timeout(CALL_LIMIT);
    let pending = client.start(call).expect("it is sent");
    let outcome = match client.wait::<serde_json::Value>(pending) {
        Ok(_) => Outcome::Executed,
        Err(CallError::Service(answer)) => answer.outcome,
        Err(error) => panic!("{subject}: {error}"),
    };
    let taken = sink.taken(&subject);
    let mut window = window.lock().expect("nobody panics while holding it");
    window.mails += 1;
    window.sent += u64::from(outcome == Outcome::Executed);
    window.unknown += u64::from(outcome == Outcome::Unknown);
    window.refused += u64::from(outcome == Outcome::NotExecuted);
    window.doubled += u64::from(taken > 1);
    let is_wrong = match outcome {
        Outcome::Executed => taken == 0,
        Outcome::NotExecuted => taken > 0,
        Outcome::Unknown => false,
    };
    window.wrong += u64::from(is_wrong);
}

/// Kills at moments of its own; how many mails were in what was killed.
fn kill(
    observer: &Client,
    under_test: &mut UnderTest,
    program: &Path,
    options: &MailWindowOptions,
) -> u64 {
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    let mut hit = 0;
    for _ in 0..options.kills {
        // A service that has just begun is at the beginning of its mails, too.
        at_a_mail(observer);
        // About the length of a mail, so that every moment of one is hit.
        let pause = options.step_ms * 8;
        clock::pause(1 + random.next_u64() % pause.max(1));
        let busy = at_a_mail(observer);
        match options.kill {
            Victim::Worker => {
                hit += 1;
                platform::kill(busy[random.next_u64() as usize % busy.len()] as u32);
            }
            Victim::Service => {
                hit += busy.len() as u64;
                under_test.kill().expect("it has not ended by itself");
                under_test.start_again(program);
            }
        }
    }
    hit
}

/// The workers that are at a mail, as soon as one is.
fn at_a_mail(observer: &Client) -> Vec<u64> {
    let mut busy = Vec::new();
    eventually(LIMIT, "a worker is at a mail", || {
        let pool = pool_status(observer, "mail");
        let workers = pool["workers"].as_array().expect("a list");
        let at_it = workers.iter().filter(|worker| worker["running"] == 1);
        busy = at_it.filter_map(|worker| worker["pid"].as_u64()).collect();
        !busy.is_empty()
    });
    busy
}
