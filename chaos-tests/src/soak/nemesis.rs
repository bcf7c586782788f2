//! Who kills and stops workers.

use std::{collections::HashMap, time::Duration};

use rand_chacha::rand_core::Rng;
use rustix::process::{Pid, Signal, kill_process};
use standin_client::Client;

use super::{SoakOptions, stream};
use crate::clock;

/// What was done to workers.
#[derive(Default)]
pub(super) struct Kills {
    pub(super) by_signal: HashMap<&'static str, u64>,
    /// When each process was killed.
    pub(super) killed_ns: HashMap<u32, u64>,
}

/// Kills and stops workers until the time is over.
pub(super) async fn nemesis(options: &SoakOptions, client: &Client) -> Kills {
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
            .killed_ns
            .insert(victim.unsigned_abs(), clock::monotonic_ns());
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
