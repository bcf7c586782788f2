//! What administrators order: start, reload, stop. The core decides what comes of it; whoever ordered it is told.

use std::sync::Arc;

use ractor::{ActorRef, RpcReplyPort};
use standin_core::pool::{Event, WorkerState};
use standin_protocol::{ErrorAnswer, ErrorCode, MethodManifest};

use super::{PoolMessage, PoolState, words};
use crate::pools::PoolsMessage;

/// Who hears what the workers offer, once one is ready, or why none is.
pub(crate) type StartReply = RpcReplyPort<Result<Vec<MethodManifest>, ErrorAnswer>>;

/// Who hears that the last worker has ended.
pub(crate) type StopReply = RpcReplyPort<Result<(), ErrorAnswer>>;

/// Those who wait.
#[derive(Debug, Default)]
pub(super) struct Orders {
    start: Vec<StartReply>,
    reload: Vec<StartReply>,
    stop: Vec<StopReply>,
}

impl PoolState {
    pub(super) fn start_requested(&mut self, myself: &ActorRef<PoolMessage>, reply: StartReply) {
        use WorkerState::{Busy, Ready, Suspect};
        if self.core.view().paused {
            tracing::info!(pool = %self.name, "the pool serves again: somebody has started it");
            let why = format!("\"{}\" has been started again meanwhile.", self.name);
            let error = ErrorAnswer::new(ErrorCode::InvalidRequest, why);
            self.answer_stop_waiters(&Err(error));
        }
        self.stopped.remove(&self.name);
        self.handle(myself, Event::StartRequested, None);
        let view = self.core.view();
        let mut states = view.workers.iter().map(|worker| worker.state);
        if states.any(|state| matches!(state, Ready | Busy | Suspect)) {
            let _ = reply.send(Ok(self.methods.clone()));
        } else {
            self.orders.start.push(reply);
        }
    }

    pub(super) fn reload_requested(&mut self, myself: &ActorRef<PoolMessage>, reply: StartReply) {
        let view = self.core.view();
        if view.stopping || view.paused {
            let _ = reply.send(Err(words::not_running(&self.name, view.paused)));
            return;
        }
        tracing::info!(pool = %self.name, "a reload was ordered; one new worker is tried first");
        self.orders.reload.push(reply);
        self.handle(myself, Event::ReloadRequested, None);
    }

    pub(super) fn stop_ordered(&mut self, myself: &ActorRef<PoolMessage>, reply: StopReply) {
        let view = self.core.view();
        if view.stopping {
            let _ = reply.send(Err(words::not_running(&self.name, false)));
            return;
        }
        tracing::info!(pool = %self.name, "the pool is stopped by order, until it is started again");
        self.stopped.add(&self.name);
        let stopped = Err(words::not_running(&self.name, true));
        self.answer_reload_waiters(&stopped);
        self.answer_start_waiters(&stopped);
        if view.paused && view.workers.is_empty() {
            let _ = reply.send(Ok(()));
            return;
        }
        self.orders.stop.push(reply);
        self.handle(myself, Event::PauseRequested, None);
    }

    /// The first new worker of a reload is ready, or has failed.
    pub(super) fn reload_decided(&mut self, begun: bool) {
        if begun {
            tracing::info!(pool = %self.name, "the new workers start: the old ones finish what they have and go");
            self.answer_reload_waiters(&Ok(self.methods.clone()));
            return;
        }
        let trouble = words::start_trouble(
            &self.name,
            self.records.last_death(),
            self.records.last_lines(),
        )
        .sentence;
        tracing::error!(pool = %self.name, %trouble, "the new worker did not start, so the old ones stay");
        let why = format!("{trouble} The processes that were there go on.");
        self.answer_reload_waiters(&Err(words::start_failed(&why)));
    }

    pub(super) fn answer_start_waiters(
        &mut self,
        answer: &Result<Vec<MethodManifest>, ErrorAnswer>,
    ) {
        for waiter in self.orders.start.drain(..) {
            let _ = waiter.send(answer.clone());
        }
    }

    fn answer_reload_waiters(&mut self, answer: &Result<Vec<MethodManifest>, ErrorAnswer>) {
        for waiter in self.orders.reload.drain(..) {
            let _ = waiter.send(answer.clone());
        }
    }

    /// The last worker has ended.
    pub(super) fn paused(&mut self) {
        self.answer_stop_waiters(&Ok(()));
        if self.methods.is_empty() {
            // Nobody has to wait for a worker to say what there is.
            let trouble = words::stopped(&self.name);
            let pool = Arc::clone(&self.name);
            let _ = self.pools.cast(PoolsMessage::Troubled { pool, trouble });
        }
    }

    fn answer_stop_waiters(&mut self, answer: &Result<(), ErrorAnswer>) {
        for waiter in self.orders.stop.drain(..) {
            let _ = waiter.send(answer.clone());
        }
    }
}
