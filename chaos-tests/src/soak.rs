//! The soak: clients call, workers are killed, and in the end everything is added up.

use std::{
    collections::HashMap,
    process::ExitCode,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use clap::Parser;
use hdrhistogram::Histogram;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use rustix::process::{Pid, Signal, kill_process};
use standin_client::{CallError, Client};

use crate::{
    checker::{self, Class, Record, Told},
    clock, ledger,
    under_test::{UnderTest, eventually},
};

/// Sixty clients call while workers are killed, stopped and made to misbehave.
#[derive(Debug, Parser)]
#[command(name = "chaos-tests soak")]
pub struct SoakOptions {
    /// How long clients call and workers are killed.
    #[arg(long, default_value_t = 20)]
    pub seconds: u64,
    /// What all choices are drawn from. The same seed gives the same plan.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Clients that call at the same time.
    #[arg(long, default_value_t = 60)]
    pub clients: usize,
    /// Workers of the pool.
    #[arg(long, default_value_t = 4)]
    pub workers: usize,
    /// How long a worker sits on a call, in milliseconds.
    #[arg(long, default_value_t = 5)]
    pub work_ms: u64,
    /// A worker is killed this often, in milliseconds.
    #[arg(long, default_value_t = 200)]
    pub kill_every_ms: u64,
    /// Only idempotent calls and plain kills: what the comparison with other services measured.
    #[arg(long)]
    pub plain: bool,
}

/// How long a call may take. Far more than it needs, so that only a lost call takes it all.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// One call in so many makes its worker misbehave.
const MISBEHAVE_ONE_IN: u64 = 400;

const MISBEHAVIOURS: [&str; 12] = [
    "exit_0",
    "exit_1",
    "abort",
    "garbage",
    "giant",
    "half_message",
    "unknown_attempt",
    "flood",
    "grandchild",
    "escaped_grandchild",
    "byte_by_byte",
    "answer_twice",
];

#[derive(Default)]
struct Shared {
    over: AtomicBool,
    last_id: AtomicU64,
    records: Mutex<Vec<(Record, Instant, Instant)>>,
}

#[derive(Default)]
struct Kills {
    by_signal: HashMap<&'static str, u64>,
    /// When, and which process.
    killed: Vec<(u64, u32)>,
}

/// Runs it and prints what came of it; 1 if a rule was broken.
pub fn run(options: &SoakOptions) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let broken = runtime
        .expect("the system gives a runtime")
        .block_on(soak(options));
    for line in broken.iter().take(20) {
        println!("BROKEN: {line}");
    }
    println!(
        "broken invariants: {} (seed {})",
        broken.len(),
        options.seed
    );
    if broken.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn soak(options: &SoakOptions) -> Vec<String> {
    let program = std::env::current_exe().expect("the system tells");
    let under_test = UnderTest::start(
        &program,
        options.workers,
        "timeouts = { call = '5s', start = '20s' }",
        "",
    );
    let endpoint = under_test.endpoint();
    let shared = Arc::new(Shared::default());
    let first = Client::connect(&endpoint, Duration::from_secs(20))
        .await
        .expect("the service starts");
    first
        .call::<_, u64>("chaos.always", &arguments(0, 0, 0, ""))
        .await
        .expect("the workers start");
    let files_before = under_test.open_files();
    let clients: Vec<_> = (0..options.clients as u64)
        .map(|number| {
            let (endpoint, shared) = (endpoint.clone(), Arc::clone(&shared));
            let (seed, work_ms, plain) = (options.seed, options.work_ms, options.plain);
            tokio::spawn(async move {
                let client = Client::connect(&endpoint, Duration::from_secs(20))
                    .await
                    .expect("there is room");
                let mut random = stream(seed, 1000 + number);
                while !shared.over.load(Ordering::Relaxed) {
                    one_call(&client, &shared, &mut random, work_ms, plain).await;
                }
            })
        })
        .collect();
    let kills = nemesis(options, &first).await;
    shared.over.store(true, Ordering::Relaxed);
    let mut broken = Vec::new();
    for client in clients {
        // When the faults have stopped, everything ends.
        if tokio::time::timeout(CALL_TIMEOUT + Duration::from_secs(10), client)
            .await
            .is_err()
        {
            broken.push("a client did not come to its end".to_owned());
        }
    }
    let status: serde_json::Value = first
        .request("standin.status")
        .send()
        .await
        .expect("the service lives");
    drop(first);
    let records = std::mem::take(
        &mut *shared
            .records
            .lock()
            .expect("nobody panics while holding it"),
    );
    let ledger = ledger::read(&under_test.ledger());
    let only: Vec<Record> = records.iter().map(|(record, ..)| record.clone()).collect();
    broken.extend(checker::check(&only, &ledger));
    report(options, &records, &ledger, &kills, &status);
    broken.extend(leaks(under_test, files_before));
    broken
}

fn stream(seed: u64, name: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(name);
    random
}

fn arguments(id: u64, nonce: u64, work_ms: u64, misbehave: &str) -> serde_json::Value {
    serde_json::json!({ "id": id, "nonce": nonce, "work_ms": work_ms, "misbehave": misbehave })
}

async fn one_call(
    client: &Client,
    shared: &Shared,
    random: &mut ChaCha8Rng,
    work_ms: u64,
    plain: bool,
) {
    let id = shared.last_id.fetch_add(1, Ordering::Relaxed) + 1;
    let nonce = random.next_u64() >> 1;
    let class = match random.next_u64() % 10 {
        _ if plain => Class::Always,
        0..5 => Class::Always,
        5..8 => Class::UntilEffect,
        _ => Class::Never,
    };
    let misbehaves = !plain && random.next_u64().is_multiple_of(MISBEHAVE_ONE_IN);
    let misbehave = if misbehaves {
        MISBEHAVIOURS[(random.next_u64() % MISBEHAVIOURS.len() as u64) as usize]
    } else {
        ""
    };
    let method = match class {
        Class::Always => "chaos.always",
        Class::UntilEffect => "chaos.until_effect",
        Class::Never => "chaos.never",
    };
    let begun = clock::now();
    let call = client
        .request(method)
        .arguments(&arguments(id, nonce, work_ms, misbehave))
        .timeout(CALL_TIMEOUT);
    let told = match call.send::<u64>().await {
        Ok(nonce) => Told::Done { nonce },
        Err(CallError::Service(answer)) => Told::Failed {
            code: answer.code.into_owned(),
            outcome: answer.outcome.name().to_owned(),
        },
        Err(_) => Told::Nothing,
    };
    let record = Record {
        id,
        class,
        nonce,
        misbehaves,
        told,
    };
    let mut records = shared
        .records
        .lock()
        .expect("nobody panics while holding it");
    records.push((record, begun, clock::now()));
}

/// Kills and stops workers until the time is over.
async fn nemesis(options: &SoakOptions, client: &Client) -> Kills {
    let mut random = stream(options.seed, 1);
    let mut kills = Kills::default();
    let end = clock::now() + Duration::from_secs(options.seconds);
    while clock::now() < end {
        tokio::time::sleep(Duration::from_millis(options.kill_every_ms)).await;
        let Ok(status) = client
            .request("standin.status")
            .send::<serde_json::Value>()
            .await
        else {
            continue;
        };
        let workers = status["pools"][0]["workers"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let busy: Vec<i32> = workers
            .iter()
            .filter(|worker| worker["state"] == "busy")
            .filter_map(|worker| worker["pid"].as_i64()?.try_into().ok())
            .collect();
        if busy.is_empty() {
            continue;
        }
        let victim = busy[(random.next_u64() % busy.len() as u64) as usize];
        let Some(pid) = Pid::from_raw(victim) else {
            continue;
        };
        let stopped_first = !options.plain && random.next_u64().is_multiple_of(5);
        if stopped_first {
            let _ = kill_process(pid, Signal::STOP);
            tokio::time::sleep(Duration::from_millis(random.next_u64() % 50)).await;
        }
        if stopped_first && random.next_u64().is_multiple_of(2) {
            let _ = kill_process(pid, Signal::CONT);
            *kills.by_signal.entry("stopped and continued").or_default() += 1;
            continue;
        }
        kills
            .killed
            .push((clock::monotonic_ns(), victim.unsigned_abs()));
        let _ = kill_process(pid, Signal::KILL);
        *kills
            .by_signal
            .entry(if stopped_first {
                "stopped and killed"
            } else {
                "killed"
            })
            .or_default() += 1;
    }
    kills
}

fn percentiles(histogram: &Histogram<u64>) -> String {
    let ms = |us: u64| us as f64 / 1000.0;
    let at = |part| ms(histogram.value_at_quantile(part));
    format!(
        "p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        at(0.5),
        at(0.99),
        ms(histogram.max())
    )
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 120_000_000, 3).expect("the bounds are good")
}

fn report(
    options: &SoakOptions,
    records: &[(Record, Instant, Instant)],
    ledger: &HashMap<u64, Vec<ledger::Entry>>,
    kills: &Kills,
    status: &serde_json::Value,
) {
    let mut answers: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
    let mut latency = histogram();
    for (record, begun, ended) in records {
        let what = match &record.told {
            Told::Done { .. } => "ok".to_owned(),
            Told::Failed { code, outcome } => format!("{code} ({outcome})"),
            Told::Nothing => "nothing".to_owned(),
        };
        *answers
            .entry(format!("{:?}: {what}", record.class))
            .or_default() += 1;
        latency.saturating_record((*ended - *begun).as_micros() as u64);
    }
    // A kill that the client did not notice: the request was begun in the killed process, and was answered all the
    // same. What it cost is the time above the median.
    let killed: std::collections::HashSet<u32> = kills.killed.iter().map(|(_, pid)| *pid).collect();
    let median = latency.value_at_quantile(0.5);
    let mut masked = histogram();
    for (record, begun, ended) in records {
        let Some(entries) = ledger.get(&record.id) else {
            continue;
        };
        let last = entries.last().map(|entry| entry.attempt);
        let was_hit = entries
            .iter()
            .any(|entry| killed.contains(&entry.pid) && Some(entry.attempt) != last);
        if was_hit && !record.misbehaves && matches!(record.told, Told::Done { .. }) {
            masked.saturating_record(
                ((*ended - *begun).as_micros() as u64)
                    .saturating_sub(median)
                    .max(1),
            );
        }
    }
    let mut ends: Vec<Instant> = records.iter().map(|(.., ended)| *ended).collect();
    ends.sort_unstable();
    let gap = ends
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .max()
        .unwrap_or_default();
    let pool = &status["pools"][0];
    println!(
        "{} clients, {} workers that sit {} ms on a call, {} s, seed {}",
        options.clients, options.workers, options.work_ms, options.seconds, options.seed
    );
    println!("faults: {:?}", kills.by_signal);
    println!(
        "requests: {}, replays: {}, deaths: {}, starts: {}",
        records.len(),
        pool["replayed"],
        pool["died"],
        pool["starts"]
    );
    for (what, count) in answers {
        println!("  {count:8}  {what}");
    }
    println!("latency: {}", percentiles(&latency));
    println!(
        "added by a masked kill ({} of them): {}",
        masked.len(),
        percentiles(&masked)
    );
    println!(
        "longest gap without any answer: {:.1} ms",
        gap.as_secs_f64() * 1000.0
    );
}

/// Nothing may be left: no process, no zombie, no handle, no file.
fn leaks(mut under_test: UnderTest, files_before: usize) -> Vec<String> {
    let mut broken = Vec::new();
    clock::pause(300);
    let zombies = under_test.zombies();
    if zombies > 0 {
        broken.push(format!("{zombies} zombies"));
    }
    // Workers come and go; a handful of handles either way is theirs.
    let files = under_test.open_files();
    if files > files_before + 20 {
        broken.push(format!(
            "{files} open handles, {files_before} at the beginning"
        ));
    }
    under_test.signal(Signal::TERM);
    eventually(
        Duration::from_secs(20),
        "the service stops when asked",
        || {
            under_test
                .service
                .try_wait()
                .is_ok_and(|exit| exit.is_some())
        },
    );
    let left = under_test.descendants();
    if !left.is_empty() {
        broken.push(format!("processes were left behind: {left:?}"));
    }
    println!(
        "leaks: {} zombies, {} processes left, {} handles more",
        zombies,
        left.len(),
        files.saturating_sub(files_before)
    );
    broken
}
