//! The keys of calls that run now: the actor between the sessions that claim keys and the store that remembers them.
//!
//! It owns [`KeysCore`], which decides who may run, and decides nothing itself. It knows no call: a session makes it,
//! once it is told that the key is its own. If this actor fails, so does what it knew; then all parts of the service are
//! started again, and the store tells what has happened under each key.

mod claim;
mod sweep;

use std::{sync::Arc, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use standin_core::{
    ClaimId, Fingerprint,
    keys::{Answer, Effect, Event, Found, KeysCore, Verdict},
    session::Origin,
};

pub(crate) use self::claim::KeyClaim;
use self::sweep::Sweeping;
use crate::{
    clock, failpoint, recovery,
    session::{SessionMessage, outcome_unknown},
    store::{Durability, KeyName, RecordName, RecordState, Refusal, StoreHandle, StoredKey, Write},
    timer::Timer,
};

/// What the actor is told.
#[derive(Debug)]
pub(crate) enum KeysMessage {
    /// Something has happened to a key.
    Happened(Event<Arc<KeyName>, Claimant>),
    /// The timer.
    TimePassed { generation: u64 },
}

/// Which call of which session waits for its key.
#[derive(Debug)]
pub(crate) struct Claimant {
    pub(crate) session: ActorRef<SessionMessage>,
    pub(crate) origin: Origin,
}

/// What a session is told about a key that it has claimed.
#[derive(Debug)]
pub(crate) struct KeyNews {
    pub(crate) origin: Origin,
    pub(crate) claim: ClaimId,
    pub(crate) verdict: Verdict,
}

/// Claims that may wait at a time. Each belongs to an open call, of which a session may have a thousand; more than this
/// is no longer waiting but a flood.
const WAITING_MAX: usize = 65_536;

/// What the actor is made from.
#[derive(Debug, Clone)]
pub(crate) struct KeysArguments {
    pub(crate) store: StoreHandle,
    /// How long the answer to a call with a key is kept.
    pub(crate) retention: Duration,
}

/// The actor.
pub(crate) struct Keys;

/// What it holds.
pub(crate) struct KeysState {
    core: KeysCore<Arc<KeyName>, Claimant>,
    store: StoreHandle,
    timer: Timer,
    /// Kept between events.
    effects: Vec<Effect<Arc<KeyName>, Claimant>>,
    /// It ends with the actor.
    _sweeping: Sweeping,
}

impl Actor for Keys {
    type Msg = KeysMessage;
    type State = KeysState;
    type Arguments = KeysArguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<KeysMessage>,
        arguments: KeysArguments,
    ) -> Result<KeysState, ActorProcessingErr> {
        let KeysArguments { store, retention } = arguments;
        Ok(KeysState {
            _sweeping: sweep::start(store.clone(), retention),
            core: KeysCore::new(WAITING_MAX),
            store,
            timer: Timer::default(),
            effects: Vec::new(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<KeysMessage>,
        message: KeysMessage,
        state: &mut KeysState,
    ) -> Result<(), ActorProcessingErr> {
        failpoint::pass("keys", "");
        match message {
            KeysMessage::Happened(event) => state.handle(&myself, event),
            KeysMessage::TimePassed { generation } => {
                if state.timer.fired(generation) {
                    state.handle(&myself, Event::TimePassed);
                }
            }
        }
        let message = |generation| KeysMessage::TimePassed { generation };
        state.timer.arm(&myself, state.core.next_wakeup(), message);
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<KeysMessage>,
        event: SupervisionEvent,
        _state: &mut KeysState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            // It has no children.
            SupervisionEvent::ActorStarted(_)
            | SupervisionEvent::ActorTerminated(..)
            | SupervisionEvent::ActorFailed(..)
            | SupervisionEvent::ProcessGroupChanged(_) => Ok(()),
        }
    }
}

impl KeysState {
    fn handle(&mut self, myself: &ActorRef<KeysMessage>, event: Event<Arc<KeyName>, Claimant>) {
        let mut effects = std::mem::take(&mut self.effects);
        self.core.handle(clock::now(), event, &mut effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::LookUp(key) => self.look_up(myself, key),
                Effect::Tell {
                    claim,
                    claimant,
                    verdict,
                    ..
                } => tell(claim, &claimant, verdict),
                Effect::RecordUnknown {
                    key,
                    fingerprint,
                    answer,
                } => self.record_unknown(myself, key, fingerprint, answer),
            }
        }
        self.effects = effects;
    }

    fn look_up(&self, myself: &ActorRef<KeysMessage>, key: Arc<KeyName>) {
        let (keys, name) = (myself.clone(), Arc::clone(&key));
        self.store.look_up_key(name, move |stored| {
            let found = found(&key.method, stored);
            let _ = keys.cast(KeysMessage::Happened(Event::LookedUp { key, found }));
        });
    }

    fn record_unknown(
        &self,
        myself: &ActorRef<KeysMessage>,
        key: Arc<KeyName>,
        fingerprint: Fingerprint,
        answer: Answer,
    ) {
        recovery::outcome_unknown();
        tracing::warn!(
            user = %key.user, method = %String::from_utf8_lossy(&key.method),
            "nobody knows how a call with a key has ended; it is not made again"
        );
        let write = Write::Completion {
            name: RecordName::Key(Arc::clone(&key)),
            fingerprint: fingerprint.into(),
            result: answer.clone(),
        };
        let myself = myself.clone();
        // If it cannot be recorded, whoever asks next finds the same as was found now.
        self.store.write(write, Durability::Power, move |_| {
            let _ = myself.cast(KeysMessage::Happened(Event::UnknownRecorded {
                key,
                answer,
            }));
        });
    }
}

fn tell(claim: ClaimId, claimant: &Claimant, verdict: Verdict) {
    let news = KeyNews {
        origin: claimant.origin,
        claim,
        verdict,
    };
    // If the session is gone, its claim tells so itself.
    let _ = claimant.session.cast(SessionMessage::Key(Box::new(news)));
}

fn found(method: &[u8], stored: Result<Option<StoredKey>, Refusal>) -> Found {
    let stored = match stored {
        Ok(None) => return Found::Nothing,
        Ok(Some(stored)) => stored,
        Err(refusal) => {
            tracing::warn!(%refusal, "a key could not be looked up");
            return Found::Unreadable;
        }
    };
    let fingerprint = stored.fingerprint.into();
    match stored.state {
        RecordState::Intent | RecordState::Granted => Found::Unfinished {
            fingerprint,
            answer: Err(outcome_unknown(method, stored.evidence).encode()),
        },
        RecordState::Done(answer) => Found::Done {
            fingerprint,
            answer,
        },
        RecordState::Expired => Found::Expired { fingerprint },
    }
}
