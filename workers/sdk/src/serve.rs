//! A worker, from its methods to its end: connect, hello, serve.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use standin_protocol::{
    self as protocol, ErrorAnswer, ErrorCode, Limits, Message, MethodManifest, WorkerHello, value,
};
use standin_transport::{
    Connection, Endpoint, MessageReader, MessageWriter, connect, message_writer,
};

use crate::{
    Error, Method,
    link::Link,
    method::Handler,
    running::{Ended, Running},
};

/// The service made the endpoint before it started this worker, so it is there.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// For the last answers on their way out; a service that reads takes them at once.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// The service has checked the size of what it sends on, so this only bounds what a broken service could do.
const REQUEST_SIZE_MAX: usize = 1 << 30;

/// What a panic ends a process with, as Rust has it.
const PANIC_STATUS: i32 = 101;

/// A method as it is served.
pub(crate) struct Offer {
    pub(crate) name: String,
    pub(crate) handler: Handler,
    pub(crate) replay: protocol::Replay,
    pub(crate) droppable: bool,
}

/// A worker with its methods.
#[must_use]
pub struct Worker {
    name: String,
    version: String,
    concurrency: u32,
    manifests: Vec<MethodManifest>,
    offers: HashMap<Vec<u8>, Arc<Offer>>,
}

impl Worker {
    /// A worker without methods, that takes one request at a time.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            concurrency: 1,
            manifests: Vec::new(),
            offers: HashMap::new(),
        }
    }

    /// How many requests it takes at a time.
    pub fn concurrency(mut self, concurrency: u32) -> Self {
        self.concurrency = concurrency.max(1);
        self
    }

    /// Adds a method. A second one of the same name takes the place of the first.
    pub fn method(mut self, method: Method) -> Self {
        let Method {
            manifest,
            handler,
            droppable,
        } = method;
        let offer = Offer {
            name: manifest.name.clone(),
            handler,
            replay: manifest.replay,
            droppable,
        };
        let name = manifest.name.clone().into_bytes();
        if self.offers.insert(name, Arc::new(offer)).is_some() {
            self.manifests.retain(|known| known.name != manifest.name);
        }
        self.manifests.push(manifest);
        self
    }

    /// What it offers, as the service will be told.
    #[must_use]
    pub fn methods(&self) -> &[MethodManifest] {
        &self.manifests
    }

    /// Reports to the service that started this process, and serves until it says to end. If the service is gone
    /// while a handler still runs, this ends the process rather than return: nobody wants the answer any more, and a
    /// handler on a thread could hold the process for ever.
    ///
    /// # Errors
    /// See [`Error`].
    ///
    /// # Panics
    /// When a handler does; the process then ends.
    pub async fn run(self) -> Result<(), Error> {
        let _end_on_panic = EndOnPanic;
        let variable =
            |variable| std::env::var(variable).map_err(|_| Error::NotAWorker { variable });
        let endpoint = Endpoint::parse(&variable("STANDIN_WORKER_ENDPOINT")?)?;
        let token = variable("STANDIN_WORKER_TOKEN")?;
        let connection = connect(&endpoint, CONNECT_LIMIT).await?;
        let ended = self.serve(connection, &token).await?;
        if ended.still_running > 0 {
            end_process(i32::from(ended.result.is_err()));
        }
        ended.result
    }

    /// The same over a connection that is there already, and without ever ending the process: for tests that play the
    /// service. A handler that panics makes this panic.
    ///
    /// # Errors
    /// See [`Error`].
    ///
    /// # Panics
    /// When a handler does.
    pub async fn run_on(self, connection: Connection, token: &str) -> Result<(), Error> {
        self.serve(connection, token).await?.result
    }

    async fn serve(self, connection: Connection, token: &str) -> Result<Ended, Error> {
        let (writer, work) = message_writer(connection.clone());
        let writing = tokio::spawn(work);
        let limits = Limits {
            message_size_max: REQUEST_SIZE_MAX,
            ..Limits::default()
        };
        let mut reader = MessageReader::new(connection, limits);
        let mut messages = Vec::new();
        let greeting = self.hello(&writer, &mut reader, &mut messages, token);
        let link = Arc::new(Link::new(writer.clone(), answer_size_max(&greeting.await?)));
        drop(writer);
        let running = Running::new(self.offers, self.concurrency as usize, link);
        let ended = running.run(&mut reader, messages).await;
        // The last answers are still on their way out.
        let _ = tokio::time::timeout(FLUSH_LIMIT, writing).await;
        Ok(ended)
    }

    /// Says hello. What came behind the answer stays in `messages`: the first requests may come along with it.
    async fn hello(
        &self,
        writer: &MessageWriter,
        reader: &mut MessageReader,
        messages: &mut Vec<Message>,
        token: &str,
    ) -> Result<Bytes, Error> {
        let hello = WorkerHello {
            token: token.to_owned(),
            name: self.name.clone(),
            version: self.version.clone(),
            concurrency: self.concurrency,
            methods: self.manifests.clone(),
        };
        let params = protocol::encode(&[hello]);
        writer.send(protocol::request(0, b"worker.hello", &params, None));
        reader.read(messages).await.map_err(Error::Lost)?;
        match messages.remove(0) {
            Message::Response(response) => response
                .result
                .map_err(|error| Error::Refused(ErrorAnswer::decode(&error))),
            _ => {
                let why = "its first word was no answer";
                Err(Error::Refused(ErrorAnswer::new(
                    ErrorCode::InvalidRequest,
                    why,
                )))
            }
        }
    }
}

/// The largest answer that the service takes: what it says in its greeting, or else the usual.
fn answer_size_max(greeting: &Bytes) -> usize {
    let entries = value::map_entries(greeting).unwrap_or_default();
    let told = entries
        .iter()
        .find(|(name, _)| &name[..] == b"message_size_max")
        .and_then(|(_, limit)| value::read_unsigned(limit));
    told.and_then(|limit| usize::try_from(limit).ok())
        .unwrap_or(Limits::default().message_size_max)
}

/// A runtime that is dropped waits for its threads; a crash must not.
struct EndOnPanic;

impl Drop for EndOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            end_process(PANIC_STATUS);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "handlers on threads would keep a process alive that nobody wants any more"
)]
fn end_process(status: i32) {
    std::process::exit(status)
}
