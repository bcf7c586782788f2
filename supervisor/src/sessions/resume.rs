//! A client comes back to a session: to its actor, if it lives, or to what the store kept of it.

use ractor::ActorRef;

use super::{Newcomer, SessionsMessage, SessionsState, Welcome};
use crate::{
    recovery,
    session::{Restored, SessionMessage},
    store::{Refusal, SessionToken, StoredSession},
};

/// What the store knows of a session, and who asked.
pub(crate) struct LookedUp {
    newcomer: Box<Newcomer>,
    token: SessionToken,
    stored: Result<Option<StoredSession>, Refusal>,
}

impl SessionsState {
    pub(super) fn resume(
        &mut self,
        myself: &ActorRef<SessionsMessage>,
        newcomer: Box<Newcomer>,
        token: SessionToken,
    ) {
        if self.tokens.contains_key(&token) {
            return self.hand_over(myself, newcomer, token);
        }
        let (store, sessions) = (self.environment.store.clone(), myself.clone());
        tokio::spawn(async move {
            let stored = store.load_session(token).await;
            let found = LookedUp {
                newcomer,
                token,
                stored,
            };
            let _ = sessions.cast(SessionsMessage::LookedUp(Box::new(found)));
        });
    }

    /// Gives the connection to the session that lives.
    fn hand_over(
        &mut self,
        myself: &ActorRef<SessionsMessage>,
        newcomer: Box<Newcomer>,
        token: SessionToken,
    ) {
        let session = self.tokens[&token];
        let known = self
            .sessions
            .get_mut(&session)
            .expect("a token names a session that lives");
        if *known.user != *newcomer.connection.peer().user {
            return self.deny(myself, newcomer, token);
        }
        if newcomer.number < known.epoch {
            tracing::debug!(%session, "a connection that its client has left by now is closed");
            return;
        }
        known.epoch = newcomer.number;
        let was_connected = std::mem::replace(&mut known.is_connected, true);
        self.connected += usize::from(!was_connected);
        self.waiting.over(session);
        let _ = known.actor.cast(SessionMessage::Resumed(newcomer));
    }

    pub(super) fn looked_up(&mut self, myself: &ActorRef<SessionsMessage>, found: LookedUp) {
        let LookedUp {
            newcomer,
            token,
            stored,
        } = found;
        // Somebody else with the same token was faster.
        if self.tokens.contains_key(&token) {
            return self.hand_over(myself, newcomer, token);
        }
        match stored {
            Ok(Some(stored)) if stored.user == newcomer.connection.peer().user => {
                recovery::session_resumed();
                let restored = Restored { token, stored };
                self.open(myself, newcomer, Some(restored));
            }
            Ok(Some(_)) => self.deny(myself, newcomer, token),
            // It has ended, or was never there, or the service is stopping: the client is told in the hello's answer.
            Ok(None) | Err(_) => self.open(myself, newcomer, None),
        }
    }

    fn deny(
        &mut self,
        myself: &ActorRef<SessionsMessage>,
        mut newcomer: Box<Newcomer>,
        token: SessionToken,
    ) {
        let user = &newcomer.connection.peer().user;
        tracing::warn!(?token, %user, "a client asked for the session of another user");
        newcomer.welcome = Welcome::Denied;
        self.open(myself, newcomer, None);
    }
}
