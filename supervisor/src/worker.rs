//! One worker, from its start to its confirmed death: the actor of one life in one slot.
//!
//! It owns the process and the private endpoint. What the worker says goes from its pipe straight to the pool; this
//! actor sees to its beginning and its end. It never decides: the pool says when to kill.

mod establish;

pub(crate) use self::establish::random_hex;

use std::{path::PathBuf, sync::Arc, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use standin_core::{Cause, KillReason, WorkerId};
use standin_protocol::Limits;
use tokio::task::JoinHandle;

use crate::{
    config::PoolSettings,
    failpoint,
    pool::PoolMessage,
    process::{Exit, Process, SpawnError, Spawner},
    tasks,
};

/// What all workers of a service share.
#[derive(Debug)]
pub(crate) struct WorkerEnvironment {
    pub(crate) spawner: Spawner,
    /// The folder of the private endpoints.
    pub(crate) folder: PathBuf,
    /// The mark of this run of the service.
    pub(crate) instance: String,
    pub(crate) limits: Limits,
}

/// What a worker is told.
pub(crate) enum WorkerMessage {
    /// The process runs, or does not.
    Spawned(Result<Arc<Process>, SpawnError>),
    /// Its pipe has ended; `true` if it had reported for work.
    PipeEnded,
    /// Its process is dead.
    Exited(Exit),
    /// End it now.
    Kill,
    /// The task that carries what it says has panicked.
    Failed,
}

/// What a worker is made from.
pub(crate) struct WorkerArguments {
    pub(crate) worker: WorkerId,
    /// Pool and slot, for the log and the worker's own use.
    pub(crate) name: String,
    pub(crate) settings: PoolSettings,
    /// For whom alone it works, if its pool is one user's own.
    pub(crate) user: Option<Arc<str>>,
    pub(crate) environment: Arc<WorkerEnvironment>,
    pub(crate) pool: ActorRef<PoolMessage>,
}

/// The worker actor.
pub(crate) struct Worker;

/// What the worker actor holds.
pub(crate) struct WorkerState {
    worker: WorkerId,
    pool: ActorRef<PoolMessage>,
    process: Option<Arc<Process>>,
    kill_wanted: bool,
    pipe_ended: bool,
    exit: Option<Exit>,
    /// It closed its pipe and lived on, and was ended for that.
    closed_its_pipe: bool,
    /// Starts the process and then carries what it says.
    living: JoinHandle<()>,
}

impl Drop for WorkerState {
    /// However the actor ends, its own failure and that of its pool included, the process ends with it.
    fn drop(&mut self) {
        self.living.abort();
        if let Some(process) = &self.process {
            process.kill();
        }
    }
}

/// Between the end of the pipe and the death of the process there is a moment, even for a process that was killed. One
/// that lives longer has closed its pipe.
const DEATH_AFTER_PIPE: Duration = Duration::from_millis(500);

/// A dead process's last words may still be in the pipe. A grandchild may hold it open, so this has an end.
const WORDS_AFTER_DEATH: Duration = Duration::from_millis(200);

impl Actor for Worker {
    type Msg = WorkerMessage;
    type State = WorkerState;
    type Arguments = WorkerArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<WorkerMessage>,
        arguments: WorkerArguments,
    ) -> Result<WorkerState, ActorProcessingErr> {
        failpoint::pass("worker_begins", arguments.worker.slot);
        Ok(WorkerState {
            worker: arguments.worker,
            pool: arguments.pool.clone(),
            process: None,
            kill_wanted: false,
            pipe_ended: false,
            exit: None,
            closed_its_pipe: false,
            living: tokio::spawn(tasks::or_when_it_panics(
                establish::live(myself.clone(), arguments),
                move || {
                    let _ = myself.cast(WorkerMessage::Failed);
                },
            )),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<WorkerMessage>,
        message: WorkerMessage,
        state: &mut WorkerState,
    ) -> Result<(), ActorProcessingErr> {
        failpoint::pass("worker", state.worker.slot);
        match message {
            WorkerMessage::Spawned(Ok(process)) => {
                if state.kill_wanted {
                    process.kill();
                }
                watch_exit(&myself, &process);
                state.process = Some(process);
            }
            WorkerMessage::Spawned(Err(error)) => {
                state.report(&myself, Cause::NotStarted, vec![error.to_string()]);
            }
            WorkerMessage::Kill => {
                state.kill_wanted = true;
                if let Some(process) = &state.process {
                    process.kill();
                }
            }
            WorkerMessage::PipeEnded => state.pipe_ended(&myself),
            WorkerMessage::Exited(exit) => state.exited(&myself, exit),
            WorkerMessage::Failed => return Err("the task that reads its pipe panicked".into()),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<WorkerMessage>,
        event: SupervisionEvent,
        _state: &mut WorkerState,
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

fn watch_exit(myself: &ActorRef<WorkerMessage>, process: &Arc<Process>) {
    let (myself, process) = (myself.clone(), Arc::clone(process));
    tokio::spawn(async move {
        let exit = process.wait().await;
        let _ = myself.cast(WorkerMessage::Exited(exit));
    });
}

impl WorkerState {
    /// Either the process is dying, or it closed its pipe and must be ended.
    fn pipe_ended(&mut self, myself: &ActorRef<WorkerMessage>) {
        if std::mem::replace(&mut self.pipe_ended, true) {
            // The second time is the reminder that was set below.
            if self.exit.is_none() && !self.kill_wanted {
                self.closed_its_pipe = true;
                if let Some(process) = &self.process {
                    process.kill();
                }
            }
        } else if let Some(exit) = self.exit {
            self.finish(myself, exit);
        } else {
            let reminder = WorkerMessage::PipeEnded;
            myself.send_after(DEATH_AFTER_PIPE, || reminder);
        }
    }

    /// The process is dead. Its last answers may still be on their way from the pipe to the pool.
    fn exited(&mut self, myself: &ActorRef<WorkerMessage>, exit: Exit) {
        if self.exit.is_some() || self.pipe_ended {
            self.finish(myself, exit);
        } else {
            self.exit = Some(exit);
            myself.send_after(WORDS_AFTER_DEATH, move || WorkerMessage::Exited(exit));
        }
    }

    fn finish(&mut self, myself: &ActorRef<WorkerMessage>, exit: Exit) {
        let Some(process) = self.process.take() else {
            return;
        };
        let cause = if self.closed_its_pipe {
            Cause::ClosedItsPipe
        } else {
            cause_of(exit)
        };
        let (worker, pool, myself) = (self.worker, self.pool.clone(), myself.clone());
        tokio::spawn(async move {
            let last_lines = process.last_lines().await;
            let _ = pool.cast(PoolMessage::WorkerExited {
                worker,
                cause,
                last_lines,
            });
            myself.stop(None);
        });
    }

    fn report(&self, myself: &ActorRef<WorkerMessage>, cause: Cause, last_lines: Vec<String>) {
        let _ = self.pool.cast(PoolMessage::WorkerExited {
            worker: self.worker,
            cause,
            last_lines,
        });
        myself.stop(None);
    }
}

/// What an exit tells. The signals that people and scripts send are somebody else's doing; the others a program
/// brings upon itself.
fn cause_of(exit: Exit) -> Cause {
    // The last two are those of Windows: Ctrl-C, and the system's own order, at a log-off for example.
    const CTRL_C: i32 = 0xc000_013a_u32.cast_signed();
    const SENT_BY_STRANGERS: [i32; 7] = [1, 2, 3, 9, 15, CTRL_C, 0x4001_0004];
    match exit {
        Exit::Code(code) => Cause::Exited(code),
        Exit::CodeOrKill(code) => Cause::ExitedOrKilled(code),
        // The pool knows why and says so instead; all that it does not know is an end that it did not order.
        Exit::ByUs => Cause::KilledByUs(KillReason::Fault),
        Exit::OutOfMemory => Cause::OutOfMemory,
        Exit::Signal(signal) if SENT_BY_STRANGERS.contains(&signal) => {
            Cause::KilledByStranger(signal)
        }
        Exit::Signal(signal) => Cause::Crashed(signal),
    }
}
