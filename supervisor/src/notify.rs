//! What the service manager is told: that the service serves, that it is stopping, and that it is alive.
//!
//! Whoever starts the service says how it is told; here is when. systemd is told by its notify socket, Windows' service
//! control manager by the service's status. A service that was started by hand has nobody to tell.

use std::{sync::Arc, time::Duration};

use ractor::ActorRef;

use crate::root::RootMessage;

/// The news there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// Clients are served from now on.
    Ready,
    /// No new clients any more; the rest is finished.
    Stopping,
    /// The runtime runs and the root of the tree answers.
    Alive,
}

/// Who is told.
#[derive(Clone)]
pub(crate) struct Manager {
    tell: Arc<dyn Fn(News) + Send + Sync>,
    /// How often it wants to hear that the service is alive.
    alive_every: Option<Duration>,
}

impl Manager {
    /// One that is told by `tell`.
    #[cfg_attr(
        not(windows),
        expect(dead_code, reason = "elsewhere the environment names the manager")
    )]
    pub(crate) fn new(
        alive_every: Option<Duration>,
        tell: impl Fn(News) + Send + Sync + 'static,
    ) -> Self {
        Self {
            tell: Arc::new(tell),
            alive_every,
        }
    }

    /// The one that the environment names; without one nobody is told. The variables stay as they are: they name this
    /// process, and systemd hears nobody else (`NotifyAccess=main`).
    #[cfg(target_os = "linux")]
    pub(crate) fn of_environment() -> Self {
        use sd_notify::NotifyState;
        let tell = |news| {
            let state = match news {
                News::Ready => NotifyState::Ready,
                News::Stopping => NotifyState::Stopping,
                News::Alive => NotifyState::Watchdog,
            };
            if let Err(error) = sd_notify::notify(&[state]) {
                tracing::warn!(%error, ?news, "the service manager cannot be told");
            }
        };
        Self {
            tell: Arc::new(tell),
            alive_every: sd_notify::watchdog_enabled().map(|limit| limit / 2),
        }
    }

    /// Nobody.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn of_environment() -> Self {
        Self {
            tell: Arc::new(|_| {}),
            alive_every: None,
        }
    }

    pub(crate) fn tell(&self, news: News) {
        (self.tell)(news);
    }

    /// Says that the service is alive for as long as it is: the root is asked each time, and its silence is passed on.
    pub(crate) async fn keep_alive(self, root: ActorRef<RootMessage>) {
        let Some(every) = self.alive_every.filter(|every| !every.is_zero()) else {
            return;
        };
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let limit_ms = every.as_millis() as u64;
            match ractor::call_t!(root, RootMessage::Alive, limit_ms) {
                Ok(()) => self.tell(News::Alive),
                Err(error) => tracing::error!(%error, "the root of the service does not answer"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use ractor::{Actor, ActorProcessingErr};

    use super::*;

    /// A root that answers, or one that keeps its silence.
    struct Stub;

    impl Actor for Stub {
        type Msg = RootMessage;
        type State = (bool, Vec<ractor::RpcReplyPort<()>>);
        type Arguments = bool;

        async fn pre_start(
            &self,
            _myself: ActorRef<RootMessage>,
            answers: bool,
        ) -> Result<Self::State, ActorProcessingErr> {
            Ok((answers, Vec::new()))
        }

        async fn handle(
            &self,
            _myself: ActorRef<RootMessage>,
            message: RootMessage,
            (answers, kept): &mut Self::State,
        ) -> Result<(), ActorProcessingErr> {
            match message {
                RootMessage::Alive(reply) if *answers => {
                    let _ = reply.send(());
                }
                RootMessage::Alive(reply) => kept.push(reply),
                RootMessage::Stop { .. } => {}
            }
            Ok(())
        }
    }

    async fn told_in_ten_seconds(answers: bool) -> usize {
        let (root, ended) = Actor::spawn(None, Stub, answers).await.expect("it starts");
        let told = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&told);
        let manager = Manager {
            tell: Arc::new(move |news| {
                assert_eq!(news, News::Alive);
                counter.fetch_add(1, Ordering::Relaxed);
            }),
            alive_every: Some(Duration::from_secs(1)),
        };
        let keeping = manager.keep_alive(root.clone());
        let _ = tokio::time::timeout(Duration::from_secs(10), keeping).await;
        root.stop(None);
        ended.await.expect("it ends");
        told.load(Ordering::Relaxed)
    }

    #[tokio::test(start_paused = true)]
    async fn the_watchdog_is_fed_while_the_root_answers_and_not_when_it_is_silent() {
        assert!(told_in_ten_seconds(true).await >= 9);
        assert_eq!(told_in_ten_seconds(false).await, 0);
    }
}
