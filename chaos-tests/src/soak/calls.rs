//! What the clients do: one call after the other, of every class.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rand_chacha::{ChaCha8Rng, rand_core::Rng};
use standin_client::{CallError, Client};

use super::{SoakOptions, jobs::Acknowledged};
use crate::{
    checker::{Class, Record, Told},
    clock,
    hostile_worker::{BREAKS_THE_PROTOCOL, ENDS, IS_ODD, LEAVES_OTHERS_BEHIND},
};

/// How long a call may take. Far more than it needs, so that only a lost call takes it all.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a job may take. It comes after those who wait for an answer.
const JOB_TIMEOUT: Duration = Duration::from_secs(120);

/// When the faults have stopped, everything ends within this time.
pub(super) const END_LIMIT: Duration = Duration::from_secs(130);

/// One call in so many makes its worker misbehave.
const MISBEHAVE_ONE_IN: u64 = 400;

/// All that does not wait for a deadline.
const MISBEHAVIOURS: [&[&str]; 4] = [&ENDS, &BREAKS_THE_PROTOCOL, &LEAVES_OTHERS_BEHIND, &IS_ODD];

/// What all clients share.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) over: AtomicBool,
    last_id: AtomicU64,
    /// Jobs that were acknowledged.
    pub(super) jobs: Mutex<Acknowledged>,
    pub(super) records: Mutex<Vec<Record>>,
}

impl Shared {
    fn acknowledged(&self, id: u64, job: String) {
        let mut jobs = self.jobs.lock().expect("nobody panics while holding it");
        jobs.insert(id, job);
    }
}

pub(super) fn arguments(id: u64, nonce: u64, work_ms: u64, misbehave: &str) -> serde_json::Value {
    serde_json::json!({ "id": id, "nonce": nonce, "work_ms": work_ms, "misbehave": misbehave })
}

/// One call of a random class, and what became of it.
pub(super) async fn one_call(
    client: &Client,
    shared: &Shared,
    random: &mut ChaCha8Rng,
    options: &SoakOptions,
) {
    let (work_ms, plain) = (options.work_ms, options.plain);
    let id = shared.last_id.fetch_add(1, Ordering::Relaxed) + 1;
    let nonce = random.next_u64() >> 1;
    let class = match random.next_u64() % 10 {
        _ if plain => Class::Always,
        0..5 => Class::Always,
        5..8 => Class::UntilEffect,
        8 if options.supervisor => match random.next_u64() % 2 {
            0 => Class::Keyed,
            _ => Class::Job,
        },
        _ => Class::Never,
    };
    let misbehave = if !plain && random.next_u64().is_multiple_of(MISBEHAVE_ONE_IN) {
        let all = MISBEHAVIOURS.concat();
        all[(random.next_u64() % all.len() as u64) as usize]
    } else {
        ""
    };
    let method = match class {
        Class::Always => "chaos.always",
        Class::UntilEffect => "chaos.until_effect",
        Class::Never | Class::Keyed | Class::Job => "chaos.never",
    };
    let begun_ns = clock::monotonic_ns();
    let arguments = arguments(id, nonce, work_ms, misbehave);
    let told = if class == Class::Job {
        one_job(client, shared, id, method, &arguments).await
    } else {
        let mut call = client
            .request(method)
            .arguments(&arguments)
            .timeout(CALL_TIMEOUT);
        if class == Class::Keyed {
            call = call.key(format!("key-{id}"));
        }
        told(call.send::<u64>().await)
    };
    let record = Record {
        id,
        class,
        nonce,
        misbehave,
        told,
        begun_ns,
        ended_ns: clock::monotonic_ns(),
    };
    let mut records = shared
        .records
        .lock()
        .expect("nobody panics while holding it");
    records.push(record);
}

/// A call that takes all of its time was lost, whatever is said of it in the end.
fn told(answer: Result<u64, CallError>) -> Told {
    match answer {
        Ok(nonce) => Told::Done { nonce },
        Err(error) => match error.code() {
            Some("deadline_exceeded") => Told::Nothing,
            Some(code) => Told::Failed {
                code: code.to_owned(),
                outcome: error.outcome().name().to_owned(),
            },
            None => Told::Nothing,
        },
    }
}

/// The same as a job: it is submitted, and waited for until it has ended.
async fn one_job(
    client: &Client,
    shared: &Shared,
    id: u64,
    method: &str,
    arguments: &serde_json::Value,
) -> Told {
    let job = serde_json::json!({ "method": method, "params": [arguments] });
    let submit = client.request("job.submit").arguments(&job);
    let submitted = submit.timeout(CALL_TIMEOUT).send::<serde_json::Value>();
    let name = match submitted.await {
        Ok(answer) => answer["job"].as_str().expect("it has a name").to_owned(),
        Err(error) => return told(Err(error)),
    };
    let job = serde_json::json!({ "job": name });
    shared.acknowledged(id, name);
    let wait = client.request("job.wait").arguments(&job);
    let ended = wait.timeout(JOB_TIMEOUT).send::<serde_json::Value>();
    if ended.await.is_err() {
        return Told::Nothing;
    }
    // What its method answered, as if it had been called.
    let result = client.request("job.result").arguments(&job);
    told(result.timeout(CALL_TIMEOUT).send().await)
}
