//! Keys that are old enough lose their answers: a task beside the actor, that ends with it.

use std::time::Duration;

use tokio::task::JoinHandle;

use crate::{
    clock,
    store::{Durability, Refusal, StoreHandle, Write},
    tasks,
};

/// Looked after this often. A key may be kept so much longer than it has to be.
const PAUSE_MAX: Duration = Duration::from_secs(3600);
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// The task, for as long as the actor lives.
#[derive(Debug)]
pub(super) struct Sweeping(JoinHandle<()>);

impl Drop for Sweeping {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sweeps until it is dropped.
pub(super) fn start(store: StoreHandle, retention: Duration) -> Sweeping {
    let pause = (retention / 4).clamp(PAUSE_MIN, PAUSE_MAX);
    let work = async move {
        // What is before it has been swept.
        let mut from = 0;
        loop {
            if let Err(refusal) = sweep(&store, retention, &mut from).await {
                tracing::debug!(%refusal, "old keys are swept another time");
            }
            tokio::time::sleep(pause).await;
        }
    };
    let failed =
        || tracing::error!("old keys are not swept any more until the service is restarted");
    Sweeping(tokio::spawn(tasks::or_when_it_panics(work, failed)))
}

async fn sweep(store: &StoreHandle, retention: Duration, from: &mut i64) -> Result<(), Refusal> {
    let retention = u64::try_from(retention.as_millis()).unwrap_or(u64::MAX);
    while let Some(oldest) = store.oldest_key(*from).await? {
        let now = clock::earliest_unix_ms();
        let before = now.saturating_sub(retention);
        *from = oldest.number;
        if (before..=now).contains(&oldest.at) {
            break;
        }
        let (tell, told) = tokio::sync::oneshot::channel();
        let expire = Write::ExpireKeys {
            from: oldest.number,
            before,
        };
        store.write(expire, Durability::Process, |result| {
            let _ = tell.send(result);
        });
        told.await.unwrap_or(Err(Refusal::Closed))?;
        // One of a clock that is a little ahead is looked at another time.
        if oldest.at > now {
            break;
        }
    }
    Ok(())
}
