//! Effects into acts, one by one.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use ractor::ActorRef;
use standin_core::{
    Cause, SessionId, WorkerId,
    pool::{Effect, Failure},
    session::outcome_after_pool_lost,
};
use standin_protocol::{self as protocol, ErrorAnswer};

use super::{PoolMessage, PoolState, link::Link, recording::Sending, words};
use crate::{
    call::{Call, CallAnswer},
    child, clock, failpoint,
    pools::PoolsMessage,
    session::SessionMessage,
    story::{How, Story, What},
    worker::{self, WorkerMessage},
};

impl PoolState {
    pub(super) fn act(
        &mut self,
        myself: &ActorRef<PoolMessage>,
        effect: Effect<Arc<Call>>,
        answer: &mut Option<Result<Bytes, Bytes>>,
    ) {
        failpoint::pass("pool_effect", &self.name);
        match effect {
            Effect::StartWorker(worker) => self.start_worker(myself, worker),
            Effect::Send {
                worker,
                request,
                attempt,
                number,
                timeout,
            } => {
                let sending = Sending {
                    worker,
                    request,
                    attempt,
                    number,
                    timeout,
                };
                self.send_attempt(myself, sending);
            }
            Effect::CancelAttempt { worker, attempt } => {
                let params = protocol::encode(&[attempt.0]);
                self.send(worker, protocol::notification(b"request.cancel", &params));
            }
            Effect::RecordEffect { worker, attempt } => {
                self.record_effect(myself, worker, attempt);
            }
            Effect::AnswerEffect {
                worker,
                attempt,
                granted,
            } => {
                self.answer_effect(worker, attempt, granted);
            }
            Effect::Drain(worker) => {
                self.send(
                    worker,
                    protocol::notification(b"worker.drain", &EMPTY_ARRAY),
                );
            }
            Effect::Kill { worker, reason } => {
                tracing::info!(pool = %self.name, %worker, ?reason, "killing a worker");
                self.tell_worker(worker, WorkerMessage::Kill);
            }
            Effect::Deliver {
                payload, attempts, ..
            } => {
                let result = answer
                    .take()
                    .expect("an answer is delivered while it is at hand");
                let result = words::passed_on(result);
                self.remember(&payload, how_answered(&result));
                tracing::debug!(
                    request = %payload.id, session = %payload.caller.session, method = %payload.method_name(),
                    attempts, ok = result.is_ok(), "answered"
                );
                self.outbox.add(&payload, result);
            }
            Effect::Fail {
                payload, failure, ..
            } => self.fail(&payload, failure),
            Effect::Replayed {
                request,
                worker,
                cause,
                rule,
            } => {
                self.records.replayed(worker);
                if let Some(call) = self.core.payload(request) {
                    call.stage.back_to_waiting();
                    let replay = Some(rule);
                    call.notes.add(self.now, What::WorkerDied { cause, replay });
                    tracing::info!(
                        request = %request, session = %call.caller.session, %worker, %cause, ?rule,
                        method = %call.method_name(), "the request is replayed"
                    );
                }
            }
            Effect::Abandoned { payload, outcome } => {
                let outcome =
                    outcome_after_pool_lost(payload.replay, payload.begun_before, outcome);
                self.remember(&payload, How::Abandoned { outcome });
                tracing::debug!(
                    request = %payload.id, session = %payload.caller.session, method = %payload.method_name(),
                    outcome = outcome.name(), "nobody waits for the request any more"
                );
            }
            Effect::Incident { deaths } => {
                tracing::warn!(pool = %self.name, deaths, "several workers died at once; nobody's request is blamed");
            }
            Effect::DegradedChanged(degraded) => self.degraded_changed(degraded),
            Effect::ReloadDecided(begun) => self.reload_decided(begun),
            Effect::Reloaded => {
                tracing::info!(pool = %self.name, "the reload is done: no old worker takes anything more");
            }
            Effect::Paused => self.paused(),
            Effect::Retired => {
                self.has_retired = true;
                let generation = self.generation;
                let _ = self.pools.cast(PoolsMessage::Retired { generation });
            }
            Effect::Stopped => {
                tracing::debug!(pool = %self.name, "every worker has ended");
                myself.stop(None);
            }
        }
    }

    fn start_worker(&mut self, myself: &ActorRef<PoolMessage>, id: WorkerId) {
        let arguments = worker::WorkerArguments {
            worker: id,
            name: format!("{}/{}", self.name, id.slot),
            settings: self.settings.clone(),
            user: self.user.clone(),
            environment: Arc::clone(&self.environment),
            pool: myself.clone(),
        };
        let pool = myself.clone();
        let actor = child::start(
            worker::Worker,
            arguments,
            myself.get_cell(),
            move |_, why| {
                let _ = pool.cast(PoolMessage::WorkerExited {
                    worker: id,
                    cause: Cause::NotStarted,
                    last_lines: vec![why],
                });
            },
        );
        self.links[id.slot.0 as usize] = Some(Link::new(id, actor, clock::now()));
    }

    pub(super) fn send(&mut self, worker: WorkerId, frame: protocol::Frame) {
        if let Some(link) = self.link(worker) {
            link.send(frame);
        }
    }

    fn fail(&mut self, call: &Arc<Call>, failure: Failure) {
        let outcome = outcome_after_pool_lost(call.replay, call.begun_before, failure.outcome);
        let failure = Failure { outcome, ..failure };
        let rule = failure.rule;
        if let Some(cause) = failure.cause.filter(|_| rule.follows_a_death()) {
            let replay = None;
            call.notes.add(self.now, What::WorkerDied { cause, replay });
        }
        self.remember(call, How::Failed { rule, outcome });
        let error = words::error_answer(&self.name, call, failure, self.records.last_lines());
        tracing::info!(
            request = %call.id, session = %call.caller.session, user = %call.caller.user,
            pid = call.caller.whereabouts.pid(), terminal_session = call.caller.whereabouts.terminal_session(),
            method = %call.method_name(),
            code = %failure.code, rule = ?failure.rule, outcome = failure.outcome.name(), attempts = failure.attempts,
            "the request failed"
        );
        self.outbox.add(call, Err(error.encode()));
    }

    fn remember(&mut self, call: &Call, how: How) {
        if !self.stories.want(&how) {
            return;
        }
        let story = Story::ended(call, self.now, how);
        self.stories.keep(story, &call.params);
    }

    fn degraded_changed(&mut self, degraded: bool) {
        if degraded {
            tracing::error!(
                pool = %self.name, last_lines = ?self.records.last_lines(),
                "the pool cannot start its workers; it tries again by itself"
            );
            let trouble = words::start_trouble(
                &self.name,
                self.records.last_death(),
                self.records.last_lines(),
            );
            self.answer_start_waiters(&Err(words::start_failed(&trouble.sentence)));
            let pool = Arc::clone(&self.name);
            let _ = self.pools.cast(PoolsMessage::Troubled { pool, trouble });
        } else {
            tracing::info!(pool = %self.name, "the pool's workers start again");
        }
    }
}

/// A worker's answer, for the record.
fn how_answered(result: &Result<Bytes, Bytes>) -> How {
    match result {
        Ok(_) => How::Result,
        Err(error) => {
            let error = ErrorAnswer::decode(error);
            How::error(&error.code, error.outcome)
        }
    }
}

const EMPTY_ARRAY: Bytes = Bytes::from_static(&[0x90]);

/// Answers to one session that often come together: room for them costs no more than room for one.
const ANSWERS_FORESEEN: usize = 4;

/// Answers on their way to the sessions, gathered while one message is handled, so that each session is told once.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<(SessionId, ActorRef<SessionMessage>, Vec<CallAnswer>)>,
}

impl Outbox {
    fn add(&mut self, call: &Arc<Call>, result: Result<Bytes, Bytes>) {
        let answer = CallAnswer {
            origin: call.origin,
            result,
        };
        let session = call.caller.session;
        // A batch of answers rarely concerns more than a few sessions.
        match self.waiting.iter_mut().find(|(id, ..)| *id == session) {
            Some((_, _, answers)) => answers.push(answer),
            None => {
                let mut answers = Vec::with_capacity(ANSWERS_FORESEEN);
                answers.push(answer);
                let actor = call.caller.actor.clone();
                self.waiting.push_back((session, actor, answers));
            }
        }
    }

    pub(super) fn flush(&mut self) {
        for (_, session, answers) in self.waiting.drain(..) {
            // A session that is gone needs no answer.
            let _ = session.cast(SessionMessage::Answered(answers));
        }
    }
}
