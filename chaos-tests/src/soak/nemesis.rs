//! Who kills and stops workers.

use std::{collections::HashMap, time::Duration};

use rand_chacha::rand_core::Rng;
use standin_client::Client;

use super::{SoakOptions, stream};
use crate::{checker, clock, platform};

/// What was done to workers.
#[derive(Default)]
pub(super) struct Kills {
    pub(super) by_signal: HashMap<&'static str, u64>,
    pub(super) killed: checker::Kills,
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
        let busy: Vec<u32> = workers
            .iter()
            .filter(|worker| worker["state"] == "busy")
            .filter_map(|worker| worker["pid"].as_u64()?.try_into().ok())
            .collect();
        if busy.is_empty() {
            continue;
        }
        let victim = busy[(random.next_u64() % busy.len() as u64) as usize];
        let stopped_first = !options.plain && random.next_u64().is_multiple_of(5);
        if stopped_first {
            platform::freeze(victim);
            tokio::time::sleep(Duration::from_millis(random.next_u64() % 50)).await;
        }
        if stopped_first && random.next_u64().is_multiple_of(2) {
            platform::thaw(victim);
            *kills.by_signal.entry("stopped and continued").or_default() += 1;
            continue;
        }
        let from_ns = clock::monotonic_ns();
        platform::kill(victim);
        let done_ns = clock::monotonic_ns();
        let of_the_number = kills.killed.entry(victim).or_default();
        of_the_number.push(checker::Kill { from_ns, done_ns });
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
