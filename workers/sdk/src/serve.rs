//! The life of a worker: hello, requests, end.

use std::{collections::HashMap, sync::Arc, time::Duration};

use standin_protocol::{
    self as protocol, ErrorAnswer, ErrorCode, Limits, Message, MethodManifest, Notification,
    Request, WorkerHello, WorkerMeta, value,
};
use standin_transport::{Connection, Endpoint, MessageReader, ReadError, connect, message_writer};
use tokio::task::JoinSet;

use crate::{Context, Error, Method, link::Link, method::Handler};

/// The service made the endpoint before it started this worker, so it is there.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// A worker with its methods.
#[must_use]
pub struct Worker {
    name: String,
    version: String,
    concurrency: u32,
    manifests: Vec<MethodManifest>,
    handlers: HashMap<Vec<u8>, Handler>,
}

impl Worker {
    /// A worker without methods, that takes one request at a time.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            concurrency: 1,
            manifests: Vec::new(),
            handlers: HashMap::new(),
        }
    }

    /// How many requests it takes at a time.
    pub fn concurrency(mut self, concurrency: u32) -> Self {
        self.concurrency = concurrency.max(1);
        self
    }

    /// Adds a method.
    pub fn method(mut self, method: Method) -> Self {
        self.handlers
            .insert(method.manifest.name.clone().into_bytes(), method.handler);
        self.manifests.push(method.manifest);
        self
    }

    /// Reports to the service that started this process, and serves until it says to end.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn run(self) -> Result<(), Error> {
        let variable =
            |variable| std::env::var(variable).map_err(|_| Error::NotAWorker { variable });
        let endpoint = Endpoint::parse(&variable("STANDIN_WORKER_ENDPOINT")?)?;
        let token = variable("STANDIN_WORKER_TOKEN")?;
        let connection = connect(&endpoint, CONNECT_LIMIT).await?;
        self.serve(connection, &token).await
    }

    /// The same over a connection that is there already.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn serve(self, connection: Connection, token: &str) -> Result<(), Error> {
        let (writer, work) = message_writer(connection.clone());
        let writing = tokio::spawn(work);
        let mut reader = MessageReader::new(connection, Limits::default());
        let link = Arc::new(Link::new(writer));
        let early = self.hello(&link, &mut reader, token).await?;
        let result = Serving {
            handlers: self.handlers,
            link,
            running: JoinSet::new(),
            draining: false,
        }
        .run(&mut reader, early)
        .await;
        // The last answers are still on their way out.
        let _ = tokio::time::timeout(CONNECT_LIMIT, writing).await;
        result
    }

    /// Reports for work. The service may send requests right behind its answer; what came with it is given back.
    async fn hello(
        &self,
        link: &Link,
        reader: &mut MessageReader,
        token: &str,
    ) -> Result<Vec<Message>, Error> {
        let hello = WorkerHello {
            token: token.to_owned(),
            name: self.name.clone(),
            version: self.version.clone(),
            concurrency: self.concurrency,
            methods: self.manifests.clone(),
        };
        link.send(protocol::request(
            0,
            b"worker.hello",
            &protocol::encode(&[hello]),
            None,
        ));
        let mut messages = Vec::new();
        reader.read(&mut messages).await.map_err(Error::Lost)?;
        match messages.first() {
            Some(Message::Response(response)) => match &response.result {
                Ok(_) => Ok(messages.split_off(1)),
                Err(error) => Err(Error::Refused(ErrorAnswer::decode(error))),
            },
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

struct Serving {
    handlers: HashMap<Vec<u8>, Handler>,
    link: Arc<Link>,
    running: JoinSet<()>,
    draining: bool,
}

impl Serving {
    async fn run(mut self, reader: &mut MessageReader, early: Vec<Message>) -> Result<(), Error> {
        early.into_iter().for_each(|message| self.received(message));
        let mut messages = Vec::new();
        loop {
            if self.draining && self.link.running() == 0 {
                return Ok(());
            }
            tokio::select! {
                biased;
                Some(finished) = self.running.join_next() => {
                    // A handler that panicked takes the process with it.
                    if let Err(error) = finished
                        && error.is_panic()
                    {
                        std::panic::resume_unwind(error.into_panic());
                    }
                }
                read = reader.read(&mut messages) => match read {
                    Ok(()) => messages.drain(..).for_each(|message| self.received(message)),
                    // The service is gone, and with it everybody who might want an answer.
                    Err(ReadError::Closed) => return Ok(()),
                    Err(error) => return Err(Error::Lost(error)),
                },
            }
        }
    }

    fn received(&mut self, message: Message) {
        match message {
            Message::Request(request) => self.requested(request),
            Message::Response(response) => self.link.answered(response.msgid, response.result),
            Message::Notification(told) => self.told(&told),
            Message::WrongRequest { msgid, error } => self.link.finish(msgid, &Err(error)),
        }
    }

    fn requested(&mut self, request: Request) {
        let Some(handler) = self.handlers.get(&request.method[..]).cloned() else {
            let name = String::from_utf8_lossy(&request.method);
            let why = format!("This worker has no method \"{name}\".");
            return self.link.finish(
                request.msgid,
                &Err(ErrorAnswer::new(ErrorCode::MethodNotFound, why)),
            );
        };
        let meta = request
            .meta
            .as_ref()
            .and_then(|meta| WorkerMeta::decode(meta).ok())
            .unwrap_or_default();
        let attempt = request.msgid;
        let cancelled = self.link.begin(attempt);
        let context = Context::new(Arc::clone(&self.link), attempt, meta, cancelled);
        let link = Arc::clone(&self.link);
        self.running.spawn(async move {
            let answer = handler(context, request.params)
                .await
                .map_err(|failure| failure.0);
            link.finish(attempt, &answer);
        });
    }

    fn told(&mut self, told: &Notification) {
        match &told.method[..] {
            b"request.cancel" => {
                let items = value::array_items(&told.params).unwrap_or_default();
                if let Some(attempt) = items
                    .first()
                    .and_then(|attempt| value::read_unsigned(attempt))
                {
                    self.link.cancel(attempt);
                }
            }
            b"worker.drain" => self.draining = true,
            _ => {}
        }
    }
}
