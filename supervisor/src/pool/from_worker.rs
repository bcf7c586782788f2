//! What workers say and what becomes of them, as events for the core.

use std::sync::Arc;

use ractor::{ActorId, ActorRef};
use standin_core::{AttemptId, Cause, WorkerId, pool::Event};
use standin_protocol::{
    self as protocol, ErrorAnswer, ErrorCode, Message, Notification, Request, WorkerHello, value,
};
use standin_transport::MessageWriter;

use super::{PoolMessage, PoolState, callbacks::Asker, records::Death, words};
use crate::{
    clock,
    pools::PoolsMessage,
    process::Process,
    status::{DeathStatus, PoolStatus, WorkerStatus},
};

impl PoolState {
    pub(super) fn worker_said(
        &mut self,
        myself: &ActorRef<PoolMessage>,
        worker: WorkerId,
        message: Message,
    ) {
        match message {
            Message::Response(response) => {
                let attempt = AttemptId(response.msgid);
                self.handle(
                    myself,
                    Event::Answered { worker, attempt },
                    Some(response.result),
                );
            }
            Message::Request(request) => self.worker_asks(myself, worker, request),
            Message::Notification(told) => self.worker_tells(myself, worker, &told),
            Message::WrongRequest { msgid, error } => {
                self.send(worker, protocol::response_error(msgid, &error.encode()));
            }
        }
    }

    fn worker_asks(&mut self, myself: &ActorRef<PoolMessage>, worker: WorkerId, request: Request) {
        let arguments = value::array_items(&request.params).unwrap_or_default();
        let attempt = arguments
            .first()
            .and_then(|first| value::read_unsigned(first))
            .map(AttemptId);
        match (&request.method[..], attempt) {
            (b"effect.begin", Some(attempt)) => {
                if !self.records.effect_asked(worker, attempt, request.msgid) {
                    return;
                }
                let asked = Event::EffectRequested {
                    worker,
                    attempt,
                    is_on_record: self.is_effect_on_record(worker, attempt),
                };
                self.handle(myself, asked, None);
            }
            (b"client.call" | b"client.batch", Some(attempt)) => {
                let asker = Asker {
                    worker,
                    attempt,
                    msgid: request.msgid,
                };
                self.callback(myself, asker, &request.method, &arguments);
            }
            (b"effect.begin" | b"client.call" | b"client.batch", None) => {
                let error = ErrorAnswer::new(
                    ErrorCode::InvalidParams,
                    "The first argument is an attempt's number.",
                );
                self.send(
                    worker,
                    protocol::response_error(request.msgid, &error.encode()),
                );
            }
            _ => {
                let name = String::from_utf8_lossy(&request.method);
                let error = ErrorAnswer::new(
                    ErrorCode::MethodNotFound,
                    format!("Standin offers its workers no method \"{name}\"."),
                );
                self.send(
                    worker,
                    protocol::response_error(request.msgid, &error.encode()),
                );
            }
        }
    }

    fn worker_tells(
        &mut self,
        myself: &ActorRef<PoolMessage>,
        worker: WorkerId,
        told: &Notification,
    ) {
        if &told.method[..] != b"request.progress" {
            tracing::debug!(%worker, method = ?told.method, "an unknown notification is passed over");
            return;
        }
        let arguments = value::array_items(&told.params).unwrap_or_default();
        let Some(attempt) = arguments
            .first()
            .and_then(|first| value::read_unsigned(first))
            .map(AttemptId)
        else {
            return;
        };
        if self.core.worker_of(attempt) != Some(worker) {
            return;
        }
        self.handle(myself, Event::Progressed { worker, attempt }, None);
        let call = self
            .core
            .request_of(attempt)
            .and_then(|request| self.core.payload(request));
        if let (Some(call), Some(what)) = (call, arguments.get(1)) {
            call.caller.progressed(call.origin.msgid(), what);
        }
    }

    pub(super) fn worker_spawned(&mut self, worker: WorkerId, process: Arc<Process>) {
        if let Some(link) = self.link(worker) {
            link.process = Some(process);
        }
    }

    pub(super) fn worker_ready(
        &mut self,
        myself: &ActorRef<PoolMessage>,
        worker: WorkerId,
        hello: WorkerHello,
        writer: MessageWriter,
    ) {
        let Some(link) = self.link(worker) else {
            return;
        };
        link.ready(writer);
        let pid = link.pid();
        tracing::info!(
            pool = %self.name, %worker, pid,
            program = %hello.name, version = %hello.version, concurrency = hello.concurrency,
            "a worker is ready"
        );
        if self.methods != hello.methods {
            self.methods.clone_from(&hello.methods);
            let (pool, methods) = (Arc::clone(&self.name), hello.methods);
            let _ = self.pools.cast(PoolsMessage::Learned {
                pool,
                generation: self.generation,
                methods,
            });
        }
        let methods = self.methods.clone();
        self.answer_start_waiters(&Ok(methods));
        let concurrency = hello.concurrency;
        self.handle(
            myself,
            Event::WorkerReady {
                worker,
                concurrency,
            },
            None,
        );
    }

    pub(super) fn protocol_violated(
        &mut self,
        myself: &ActorRef<PoolMessage>,
        worker: WorkerId,
        what: &str,
    ) {
        tracing::warn!(pool = %self.name, %worker, what, "a worker broke the protocol");
        if let Some(link) = self.link(worker) {
            link.violation = Some(what.to_owned());
        }
        self.handle(myself, Event::ProtocolViolated(worker), None);
    }

    pub(super) fn worker_exited(
        &mut self,
        myself: &ActorRef<PoolMessage>,
        worker: WorkerId,
        cause: Cause,
        mut last_lines: Vec<String>,
    ) {
        let cause = self.core.cause_of_death(worker, cause);
        let (unsent, pid, ready) = match self.link(worker) {
            Some(link) => {
                // Whoever wrote the worker wants to know what was wrong with what it said.
                last_lines.extend(link.violation.take().map(|what| format!("({what})")));
                (link.unsent(), link.pid(), link.writer().is_some())
            }
            // It was reported before.
            None => return,
        };
        let death = Death {
            at: clock::now(),
            worker,
            pid,
            cause,
            replayed: 0,
            lost: 0,
        };
        self.records.died(death, last_lines);
        let failed_before = self.core.counters().failed;
        self.handle(
            myself,
            Event::WorkerExited {
                worker,
                cause,
                unsent,
            },
            None,
        );
        let lost = self.core.counters().failed - failed_before;
        self.records.lost(worker, lost as u32);
        tracing::info!(pool = %self.name, %worker, pid, %cause, lost, "a worker is gone");
        if !ready {
            let trouble = words::start_trouble(
                &self.name,
                self.records.last_death(),
                self.records.last_lines(),
            );
            self.answer_start_waiters(&Err(words::start_failed(&trouble.sentence)));
        }
        // The core may have begun the next life of this slot already.
        if self.link(worker).is_some() {
            self.links[worker.slot.0 as usize] = None;
        }
    }

    /// A worker's actor is gone without a report: its process is ended and waited for here.
    pub(super) fn worker_actor_failed(&mut self, myself: &ActorRef<PoolMessage>, actor: ActorId) {
        let link = self
            .links
            .iter()
            .flatten()
            .find(|link| link.actor.get_id() == actor);
        let Some(link) = link else { return };
        let (worker, process, pool) = (link.worker, link.process.clone(), myself.clone());
        tokio::spawn(async move {
            if let Some(process) = process {
                process.kill();
                process.wait().await;
            }
            let cause = Cause::KilledByUs(standin_core::KillReason::Fault);
            let last_lines = Vec::new();
            let _ = pool.cast(PoolMessage::WorkerExited {
                worker,
                cause,
                last_lines,
            });
        });
    }

    pub(super) fn pids(&self) -> Vec<(WorkerId, u32)> {
        let pids = self
            .links
            .iter()
            .flatten()
            .filter_map(|link| Some((link.worker, link.pid()?)));
        pids.collect()
    }

    pub(super) fn measured(
        &mut self,
        myself: &ActorRef<PoolMessage>,
        memory: Vec<(WorkerId, u64)>,
        starved: bool,
    ) {
        self.handle(myself, Event::Starved(starved), None);
        for (worker, rss) in memory {
            if let Some(link) = self.link(worker) {
                link.rss = rss;
            }
            self.handle(myself, Event::MemoryMeasured { worker, rss }, None);
        }
    }

    pub(super) fn describe(&self) -> PoolStatus {
        let now = clock::now();
        let view = self.core.view();
        let workers = view.workers.iter().map(|worker| {
            let link = self.links[worker.worker.slot.0 as usize].as_ref();
            WorkerStatus::new(
                worker,
                link.and_then(|link| link.pid()),
                link.map(|link| now - link.started),
                link.map_or(0, |link| link.rss),
            )
        });
        let deaths = self.records.deaths().map(|death| DeathStatus {
            at_ms_ago: (now - death.at).as_millis() as u64,
            pid: death.pid,
            slot: death.worker.slot.0,
            cause: death.cause.to_string(),
            replayed: death.replayed,
            lost: death.lost,
        });
        PoolStatus::new(
            &self.name,
            &view,
            workers.collect(),
            deaths.collect(),
            view.restart_at
                .map(|at| at.saturating_duration_since(now))
                .filter(|wait| !wait.is_zero()),
            self.records.last_lines().to_vec(),
        )
    }
}
