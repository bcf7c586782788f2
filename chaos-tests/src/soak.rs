//! The soak: clients call, workers are killed, and in the end everything is added up.

mod calls;
mod floors;
mod jobs;
mod leaks;
mod nemesis;
mod report;
mod service_nemesis;

use std::{
    process::ExitCode,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use clap::Parser;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use standin_client::Client;

use self::{
    calls::{END_LIMIT, Shared, arguments, one_call},
    floors::floors,
    leaks::leaks,
    nemesis::nemesis,
    report::report,
    service_nemesis::kill_service,
};
use crate::{
    checker::{self, Doubts, Faults},
    ledger,
    under_test::UnderTest,
};

/// Sixty clients call while workers are killed, stopped and made to misbehave.
#[derive(Debug, Clone, Parser)]
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
    /// The service itself is killed as well, and its clients go on with the next one.
    #[arg(long)]
    pub supervisor: bool,
    /// The service is killed about this often, in milliseconds; now and then once more while it recovers.
    #[arg(long, default_value_t = 3000)]
    pub kill_supervisor_every_ms: u64,
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
    let mut under_test = UnderTest::start(
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
            let options = options.clone();
            tokio::spawn(async move {
                let client = Client::connect(&endpoint, Duration::from_secs(20))
                    .await
                    .expect("there is room");
                let mut random = stream(options.seed, 1000 + number);
                while !shared.over.load(Ordering::Relaxed) {
                    one_call(&client, &shared, &mut random, &options).await;
                }
            })
        })
        .collect();
    let (kills, deaths) = tokio::join!(
        nemesis(options, &first),
        kill_service(options, &program, &mut under_test)
    );
    shared.over.store(true, Ordering::Relaxed);
    let mut broken = Vec::new();
    for client in clients {
        // When the faults have stopped, everything ends.
        match tokio::time::timeout(END_LIMIT, client).await {
            Ok(Ok(())) => {}
            Ok(Err(failed)) => broken.push(format!("a client failed: {failed}")),
            Err(_) => broken.push("a client did not come to its end".to_owned()),
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
    let acknowledged =
        std::mem::take(&mut *shared.jobs.lock().expect("nobody panics while holding it"));
    broken.extend(jobs::check(&under_test, &records, &acknowledged));
    let ledger = ledger::read(&under_test.ledger());
    let faults = Faults::of(&records, &ledger, &kills.killed, &deaths.kills);
    // One of them is a spare.
    broken.extend(checker::check(
        &records,
        &ledger,
        &faults,
        options.workers + 1,
    ));
    report(options, &records, &ledger, &kills, &faults, &status);
    if options.supervisor {
        let doubts = Doubts::of(&records, &ledger, &faults);
        deaths.report(&records, &doubts, &broken);
    }
    broken.extend(floors(options, &records, &ledger, &kills, &faults, &deaths));
    broken.extend(leaks(&mut under_test, files_before));
    broken.extend(deaths.broken);
    let panics = under_test.panics().into_iter();
    broken.extend(panics.map(|line| format!("the service panicked: {line}")));
    broken
}

fn stream(seed: u64, name: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(name);
    random
}
