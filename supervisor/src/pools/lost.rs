//! A pool's actor was lost: another takes its place.

use std::{fmt::Display, sync::Arc};

use ractor::{ActorId, ActorProcessingErr, ActorRef};

use super::{PoolsMessage, PoolsState};
use crate::{clock, pool::PoolMessage, sessions::SessionsMessage};

/// Losses of a pool's actor within ten seconds that are mended. More is a fault that mending does not cure.
const LOSSES_MAX: usize = 5;

impl PoolsState {
    /// A pool's actor has failed, or did so before it had begun.
    pub(super) fn failed(
        &mut self,
        myself: &ActorRef<PoolsMessage>,
        actor: ActorId,
        why: &dyn Display,
    ) -> Result<(), ActorProcessingErr> {
        tracing::error!(error = %why, "a pool's actor failed; another takes its place");
        self.retiring.retain(|ended| *ended != actor);
        self.replace(myself, actor)?;
        self.finish_stop(myself);
        Ok(())
    }

    /// A pool's actor is lost with all that it knew. Its workers end with it; the sessions own the requests and
    /// submit what they may again.
    fn replace(
        &mut self,
        myself: &ActorRef<PoolsMessage>,
        lost: ActorId,
    ) -> Result<(), ActorProcessingErr> {
        let index = self
            .pools
            .iter()
            .position(|entry| entry.handle.actor.get_id() == lost);
        let Some(index) = index else { return Ok(()) };
        let now = clock::now();
        self.losses.retain(|at| (now - *at).as_secs() < 10);
        self.losses.push(now);
        if self.losses.len() > LOSSES_MAX {
            return Err("pools fail one after the other".into());
        }
        let old = Arc::clone(&self.pools[index].handle);
        let settings = self.pools[index].settings.clone();
        let (access, owner) = (Arc::clone(&old.access), self.pools[index].owner.clone());
        let handle = self.start(myself, &old.name, &settings, access, owner.as_ref());
        if let Some((deadline, _)) = self.stopping {
            // It only says so to whoever still waits.
            let _ = handle.actor.cast(PoolMessage::Stop { deadline });
        }
        self.pools[index].handle = handle;
        // What it offers is still true; the calls wait in the new pool until its workers are ready.
        self.publish();
        if let Some(sessions) = &self.sessions {
            let _ = sessions.cast(SessionsMessage::PoolLost {
                generation: old.generation,
            });
        }
        Ok(())
    }
}
