//! One call of a client while the service has it: shared by the session that owns it and the pool that works on it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use ractor::ActorRef;
use standin_core::{
    RequestId, SessionId,
    session::{Origin, Stage},
};
use standin_protocol::Replay;

use crate::{directory::PoolHandle, session::SessionMessage};

/// Who asks. One for each session, shared by its calls.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) session: SessionId,
    /// The operating system's name for the user.
    pub(crate) user: String,
    /// Whether the user may change the service.
    pub(crate) is_administrator: bool,
    /// Whether the client asked for progress notifications.
    pub(crate) wants_progress: AtomicBool,
    pub(crate) actor: ActorRef<SessionMessage>,
}

/// What was asked. Nothing in it changes but how far it has come.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: RequestId,
    pub(crate) origin: Origin,
    pub(crate) caller: Arc<Caller>,
    pub(crate) pool: Arc<PoolHandle>,
    pub(crate) method: Bytes,
    pub(crate) params: Bytes,
    pub(crate) replay: Replay,
    pub(crate) deadline: Instant,
    pub(crate) attempt_timeout: Option<Duration>,
    /// A pool that was lost since had given it to a worker.
    pub(crate) begun_before: bool,
    pub(crate) stage: CallStage,
}

/// How far a call has come, kept where it survives the pool's actor.
#[derive(Debug, Default)]
pub(crate) struct CallStage(AtomicU8);

impl CallStage {
    pub(crate) fn reach(&self, stage: Stage) {
        self.0.fetch_max(stage as u8, Ordering::Relaxed);
    }

    /// A replay begins: no worker has it any more.
    pub(crate) fn back_to_waiting(&self) {
        self.0.store(Stage::Waiting as u8, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Stage {
        Stage::from_u8(self.0.load(Ordering::Relaxed))
    }
}

impl Call {
    /// The method's name for a log or a sentence.
    pub(crate) fn method_name(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.method)
    }
}

/// A pool's answer to a call: an encoded result or an encoded error answer.
#[derive(Debug)]
pub(crate) struct CallAnswer {
    pub(crate) origin: Origin,
    pub(crate) result: Result<Bytes, Bytes>,
}
