//! From a command to a worker that is ready: start it, wait for its connection, check who it is, hear its hello,
//! then carry what it says to the pool.

use std::{ffi::OsString, sync::Arc};

use ractor::ActorRef;
use standin_core::WorkerId;
use standin_protocol::{
    self as protocol, ErrorAnswer, ErrorCode, Message, Request, WorkerHello, value,
};
use standin_transport::{
    Connection, Endpoint, Listener, MessageReader, MessageWriter, ReadError, message_writer,
};
use tokio::sync::Semaphore;

use super::{WorkerArguments, WorkerEnvironment, WorkerMessage};
use crate::{
    config::{PoolSettings, Settings},
    failpoint,
    pool::PoolMessage,
    process::{self, INSTANCE_VARIABLE, Launch, Process, SpawnError},
};

/// The whole life of a worker's pipe. The process's own end is watched elsewhere.
pub(super) async fn live(actor: ActorRef<WorkerMessage>, arguments: WorkerArguments) {
    let WorkerArguments {
        worker,
        name,
        settings,
        user,
        environment,
        pool,
    } = arguments;
    let token = random_hex();
    let runs_as = user.as_deref().filter(|_| settings.run_as_user);
    let listener = match listen(&environment, &token, runs_as) {
        Ok(listener) => listener,
        Err(source) => {
            let error = SpawnError::Refused {
                program: name,
                source,
            };
            let _ = actor.cast(WorkerMessage::Spawned(Err(error)));
            return;
        }
    };
    let launch = launch(
        &name,
        &settings,
        user.as_deref(),
        &environment,
        listener.endpoint(),
        &token,
    );
    let process = match environment.spawner.spawn(launch).await {
        Ok(process) => Arc::new(process),
        Err(error) => {
            let _ = actor.cast(WorkerMessage::Spawned(Err(error)));
            return;
        }
    };
    let _ = pool.cast(PoolMessage::WorkerSpawned {
        worker,
        process: Arc::clone(&process),
    });
    let _ = actor.cast(WorkerMessage::Spawned(Ok(Arc::clone(&process))));
    tokio::select! {
        // How long that may take is the pool's affair: it kills the process, which ends this.
        established = establish(&listener, &process, &environment, &token) => match established {
            Ok((hello, reader, writer)) => {
                drop(listener);
                let ready = PoolMessage::WorkerReady { worker, hello: Box::new(hello), writer };
                let _ = pool.cast(ready);
                carry(worker, reader, &pool).await;
            }
            Err(what) => {
                let _ = pool.cast(PoolMessage::ProtocolViolated { worker, what });
            }
        },
        _ = process.wait() => {}
    }
    let _ = actor.cast(WorkerMessage::PipeEnded);
}

fn listen(
    environment: &WorkerEnvironment,
    token: &str,
    runs_as: Option<&str>,
) -> std::io::Result<Listener> {
    // Half of the token is unique enough for a name and gives nothing away.
    let endpoint = Endpoint::private(&environment.folder, &format!("{}.sock", &token[..16]));
    let listener = Listener::bind_private(&endpoint).map_err(std::io::Error::other)?;
    if let Some(user) = runs_as {
        listener.give_to(user)?;
    }
    Ok(listener)
}

fn launch(
    name: &str,
    settings: &PoolSettings,
    user: Option<&str>,
    environment: &WorkerEnvironment,
    endpoint: &Endpoint,
    token: &str,
) -> Launch {
    let mut command: Vec<OsString> = settings.command.iter().map(OsString::from).collect();
    if command.is_empty() {
        let own = process::own_program().unwrap_or_else(|_| "standin".into());
        command = vec![own.into(), "worker".into(), Settings::BUILTIN_POOL.into()];
    }
    let own = [
        ("STANDIN_WORKER_ENDPOINT", endpoint.to_string()),
        ("STANDIN_WORKER_TOKEN", token.to_owned()),
        ("STANDIN_WORKER_NAME", name.to_owned()),
        (INSTANCE_VARIABLE, environment.instance.clone()),
    ];
    let user_name = user;
    let user = user.map(|user| ("STANDIN_WORKER_USER", user.to_owned()));
    let theirs = settings
        .environment
        .iter()
        .map(|(name, value)| (name.into(), value.into()));
    Launch {
        name: name.to_owned(),
        command,
        folder: Some(settings.folder.clone()).filter(|folder| !folder.as_os_str().is_empty()),
        environment: theirs
            .chain(
                own.into_iter()
                    .chain(user)
                    .map(|(name, value)| (name.into(), value.into())),
            )
            .collect(),
        run_as: user_to_be(settings, user_name),
        mark: token[16..].to_owned(),
    }
}

/// As whom a worker is to run, if not as the service.
fn user_to_be(settings: &PoolSettings, user: Option<&str>) -> Option<u32> {
    let user = user.filter(|_| settings.run_as_user)?;
    user.parse().ok()
}

/// A number that nobody can guess, as 64 hex digits.
pub(crate) fn random_hex() -> String {
    use std::fmt::Write;
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Accepts until the right process reports with the right token. Others are turned away.
async fn establish(
    listener: &Listener,
    process: &Process,
    environment: &WorkerEnvironment,
    token: &str,
) -> Result<(WorkerHello, MessageReader, MessageWriter), String> {
    loop {
        let connection = listener.accept().await.map_err(|error| error.to_string())?;
        let pid = connection.peer().pid;
        if !pid.is_none_or(|pid| process.includes(pid)) {
            tracing::warn!(
                pid,
                "a stranger connected to a worker's private endpoint and was turned away"
            );
            continue;
        }
        match hello(connection, environment, token).await? {
            Some(established) => return Ok(established),
            None => tracing::debug!(pid, "a connection without a byte"),
        }
    }
}

async fn hello(
    connection: Connection,
    environment: &WorkerEnvironment,
    token: &str,
) -> Result<Option<(WorkerHello, MessageReader, MessageWriter)>, String> {
    let (writer, work) = message_writer(connection.clone());
    tokio::spawn(work);
    let mut reader = MessageReader::new(connection, environment.limits);
    let mut messages = Vec::new();
    match reader.read(&mut messages).await {
        Ok(()) => {}
        Err(ReadError::Closed) => return Ok(None),
        Err(error) => return Err(format!("its first message cannot be read: {error}")),
    }
    let [Message::Request(request)] = messages.as_slice() else {
        return Err("its first message is not worker.hello alone".to_owned());
    };
    match read_hello(request, token) {
        Ok(hello) => {
            writer.send(protocol::response_ok(
                request.msgid,
                &protocol::encode(&true),
            ));
            Ok(Some((hello, reader, writer)))
        }
        Err(why) => {
            let error = ErrorAnswer::new(ErrorCode::InvalidParams, why.clone());
            writer.send(protocol::response_error(request.msgid, &error.encode()));
            Err(why)
        }
    }
}

fn read_hello(request: &Request, token: &str) -> Result<WorkerHello, String> {
    if &request.method[..] != b"worker.hello" {
        return Err("its first message is not worker.hello".to_owned());
    }
    let items = value::array_items(&request.params);
    let argument = match items.as_deref() {
        Ok([one]) => one,
        _ => &request.params,
    };
    let hello: WorkerHello = protocol::decode_exact(argument)
        .map_err(|error| format!("its worker.hello is not understood: {error}"))?;
    if hello.token != token {
        return Err("its worker.hello has the wrong token".to_owned());
    }
    let reserved = ["standin.", "pool.", "job."];
    let name_fits = |name: &str| {
        !name.is_empty()
            && name.len() <= 100
            && !reserved.iter().any(|prefix| name.starts_with(prefix))
    };
    match hello.methods.iter().find(|method| !name_fits(&method.name)) {
        Some(method) => Err(format!(
            "it may not offer a method of the name `{}`",
            method.name
        )),
        None => Ok(hello),
    }
}

/// Batches of one worker that may lie in the pool's mailbox. A mailbox has no limit of its own.
const BATCHES_MAX: usize = 8;

/// Carries what the worker says to the pool, no faster than the pool takes it, until the worker's pipe ends.
async fn carry(worker: WorkerId, mut reader: MessageReader, pool: &ActorRef<PoolMessage>) {
    let credit = Arc::new(Semaphore::new(BATCHES_MAX));
    loop {
        let mut messages = Vec::new();
        match reader.read(&mut messages).await {
            Ok(()) => {
                failpoint::pass("worker_pipe", worker.slot);
                // The semaphore is never closed.
                let Ok(credit) = Arc::clone(&credit).acquire_owned().await else {
                    return;
                };
                let said = PoolMessage::FromWorker {
                    worker,
                    messages,
                    credit,
                };
                let _ = pool.cast(said);
            }
            Err(ReadError::Closed) => return,
            // A worker that was killed in the middle of a message broke nothing.
            Err(ReadError::Wire(protocol::WireError::EndInsideMessage { .. })) => return,
            Err(error) => {
                let what = error.to_string();
                let _ = pool.cast(PoolMessage::ProtocolViolated { worker, what });
                return;
            }
        }
    }
}
