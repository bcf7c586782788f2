//! The one timer of an actor whose core says when it wants to be called. An armed timer that is early is left as it is,
//! because a look too many is cheaper than re-arming it for each request.

use std::time::Instant;

use ractor::ActorRef;

use crate::clock;

/// What is armed.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    armed: Option<Instant>,
    /// Timers outlive what they were armed for; one of an older generation is stale.
    generation: u64,
}

impl Timer {
    /// Sees to it that the actor is called at `wanted` or earlier, with `message` of the timer's generation.
    pub(crate) fn arm<M: ractor::Message>(
        &mut self,
        actor: &ActorRef<M>,
        wanted: Option<Instant>,
        message: fn(u64) -> M,
    ) {
        let Some(wanted) = wanted else { return };
        if self.armed.is_some_and(|armed| armed <= wanted) {
            return;
        }
        self.armed = Some(wanted);
        self.generation += 1;
        let generation = self.generation;
        let actor = actor.clone();
        let delay = wanted.saturating_duration_since(clock::now());
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let _ = actor.cast(message(generation));
        });
    }

    /// Whether this is the timer that was armed last.
    pub(crate) fn fired(&mut self, generation: u64) -> bool {
        let current = generation == self.generation;
        if current {
            self.armed = None;
        }
        current
    }
}
