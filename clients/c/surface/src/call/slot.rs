//! Where a call stands, and where its end is put by what runs while the program waits.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use standin_client::Outcome;
use tokio::task::AbortHandle;

use crate::{
    code::Code,
    failure::{Answer, Failure},
    view::View,
};

/// How a call ended.
pub(crate) type End = Result<Arc<View>, Failure>;

/// Where a call stands.
#[derive(Debug, Default)]
pub(crate) struct Slot(Mutex<Stage>);

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Unsent,
    /// Where that batch stands.
    InBatch(Arc<Slot>),
    Running(Running),
    Ended(End),
}

/// A call that is on its way.
#[derive(Debug, Clone)]
pub(super) struct Running {
    /// Its number in the session.
    pub(super) msgid: u64,
    /// What waits for its answer; `None`: the thread that sent it.
    pub(super) task: Option<AbortHandle>,
    /// How long its client may be waited for in all before the answer is given up.
    pub(super) give_up_at: Option<Duration>,
}

impl Slot {
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it ended, if it has.
    pub(crate) fn end(&self) -> Option<End> {
        match &*self.stage() {
            Stage::Ended(end) => Some(end.clone()),
            _ => None,
        }
    }

    pub(super) fn running(&self) -> Option<Running> {
        match &*self.stage() {
            Stage::Running(running) => Some(running.clone()),
            _ => None,
        }
    }

    /// Whether it was never started.
    pub(super) fn check_unsent(&self) -> Result<(), Failure> {
        let why = match &*self.stage() {
            Stage::Unsent => return Ok(()),
            Stage::InBatch(_) => "The call is in a batch already.",
            Stage::Running(_) | Stage::Ended(_) => "The call was started already.",
        };
        Err(Failure::new(Code::BadState, why))
    }

    /// Whether there is an end to be waited for.
    pub(super) fn check_sent(&self) -> Result<(), Failure> {
        let why = match &*self.stage() {
            Stage::Unsent => "The call was not started.",
            Stage::InBatch(_) => "The call is in a batch; start and wait for that.",
            Stage::Running(_) | Stage::Ended(_) => return Ok(()),
        };
        Err(Failure::new(Code::BadState, why))
    }

    pub(super) fn put_in_batch(&self, batch: &Arc<Slot>) {
        *self.stage() = Stage::InBatch(Arc::clone(batch));
    }

    /// It is on its way, unless its end was faster.
    pub(super) fn started(&self, running: Running) {
        let mut stage = self.stage();
        if !matches!(*stage, Stage::Ended(_)) {
            *stage = Stage::Running(running);
        }
    }

    /// A task waits for the answer from now on. If it has ended meanwhile there is nothing to wait for.
    pub(super) fn is_waited_for_by(&self, task: AbortHandle) {
        match &mut *self.stage() {
            Stage::Running(running) => running.task = Some(task),
            _ => task.abort(),
        }
    }

    /// It has ended. The first end holds.
    pub(super) fn put_end(&self, end: End) {
        let mut stage = self.stage();
        if !matches!(*stage, Stage::Ended(_)) {
            *stage = Stage::Ended(end);
        }
    }

    /// What is known of its effect; `None`: it was not sent.
    pub(crate) fn known(&self) -> Option<Outcome> {
        let batch = match &*self.stage() {
            Stage::Unsent => return None,
            Stage::Running(_) => return Some(Outcome::Unknown),
            Stage::Ended(Ok(_)) => return Some(Outcome::Executed),
            Stage::Ended(Err(failure)) => return Some(failure.outcome),
            Stage::InBatch(batch) => Arc::clone(batch),
        };
        batch.known()
    }

    /// Whether it went well, if it has ended.
    pub(super) fn outcome(&self) -> Option<Answer> {
        match &*self.stage() {
            Stage::Ended(Ok(_)) => Some(Ok(Code::Ok)),
            Stage::Ended(Err(failure)) => Some(Err(failure.clone())),
            _ => None,
        }
    }
}
