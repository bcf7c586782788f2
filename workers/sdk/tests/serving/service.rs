//! A service of a few lines that says to a worker exactly what a test wants, over a real endpoint.

use std::{collections::VecDeque, future::Future, time::Duration};

use bytes::Bytes;
use standin_protocol::{
    self as protocol, ErrorAnswer, Limits, Message, Request, WorkerHello, WorkerMeta,
};
use standin_transport::{
    Access, Connection, Endpoint, Listener, MessageReader, MessageWriter, ReadError, connect,
    message_writer,
};
use standin_worker::{Error, Worker};
use tokio::task::JoinHandle;

/// Far more than anything here takes; a test that reaches it has failed.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct Service {
    reader: MessageReader,
    writer: MessageWriter,
    come: VecDeque<Message>,
    _folder: tempfile::TempDir,
}

pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future)
        .await
        .unwrap_or_else(|_| panic!("it never came true that {what}"))
}

/// Two ends of one connection; the first is the service's.
pub(crate) async fn connections() -> (Connection, Connection, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("there is room");
    let endpoint = Endpoint::private(folder.path(), &format!("sdk-{}.sock", std::process::id()));
    let listener = Listener::bind(&endpoint, &Access::default()).expect("it is free");
    let (ours, theirs) = tokio::join!(listener.accept(), connect(&endpoint, LIMIT));
    (
        ours.expect("one comes"),
        theirs.expect("one listens"),
        folder,
    )
}

impl Service {
    pub(crate) fn new(connection: Connection, folder: tempfile::TempDir) -> Self {
        let (writer, work) = message_writer(connection.clone());
        tokio::spawn(work);
        Self {
            reader: MessageReader::new(connection, Limits::default()),
            writer,
            come: VecDeque::new(),
            _folder: folder,
        }
    }

    /// Starts a worker and hears its hello, without answering it.
    pub(crate) async fn with_silent(
        worker: Worker,
    ) -> (Self, WorkerHello, JoinHandle<Result<(), Error>>) {
        let (ours, theirs, folder) = connections().await;
        let running = tokio::spawn(async move { worker.run_on(theirs, "secret").await });
        let mut service = Self::new(ours, folder);
        let hello = service.asked("worker.hello").await;
        let hello: [WorkerHello; 1] = protocol::decode_exact(&hello.params).expect("it is a hello");
        let [hello] = hello;
        (service, hello, running)
    }

    /// The same, and answers the hello.
    pub(crate) async fn with(worker: Worker) -> (Self, JoinHandle<Result<(), Error>>) {
        let (service, _, running) = Self::with_silent(worker).await;
        service.answer(0, &true);
        (service, running)
    }

    pub(crate) fn answer<T: serde::Serialize>(&self, msgid: u64, result: &T) {
        self.answer_raw(msgid, &protocol::encode(result));
    }

    pub(crate) fn answer_raw(&self, msgid: u64, result: &Bytes) {
        self.writer.send(protocol::response_ok(msgid, result));
    }

    pub(crate) fn answer_error(&self, msgid: u64, error: &ErrorAnswer) {
        self.writer
            .send(protocol::response_error(msgid, &error.encode()));
    }

    pub(crate) fn ask<T: serde::Serialize>(&self, attempt: u64, method: &str, params: &T) {
        self.ask_raw(attempt, method, &protocol::encode(params));
    }

    pub(crate) fn ask_raw(&self, attempt: u64, method: &str, params: &Bytes) {
        let meta = WorkerMeta {
            timeout_ms: 60_000,
            session: 7,
            user: "anna".to_owned(),
            number: 1,
            job: None,
            so_far: None,
        };
        self.writer.send(protocol::request(
            attempt,
            method.as_bytes(),
            params,
            Some(&|out: &mut Vec<u8>| meta.encode_into(out)),
        ));
    }

    pub(crate) fn tell<T: serde::Serialize>(&self, method: &str, params: &T) {
        self.writer.send(protocol::notification(
            method.as_bytes(),
            &protocol::encode(params),
        ));
    }

    pub(crate) async fn next(&mut self) -> Option<Message> {
        while self.come.is_empty() {
            let mut messages = Vec::new();
            match within("the worker speaks", self.reader.read(&mut messages)).await {
                Ok(()) => self.come.extend(messages),
                Err(ReadError::Closed) => return None,
                Err(error) => panic!("the worker's stream is lost: {error}"),
            }
        }
        self.come.pop_front()
    }

    pub(crate) async fn asked(&mut self, method: &str) -> Request {
        match self.next().await {
            Some(Message::Request(request)) if request.method == method.as_bytes() => request,
            other => panic!("not {method}: {other:?}"),
        }
    }

    pub(crate) async fn answered(&mut self, attempt: u64) -> Result<Bytes, ErrorAnswer> {
        match self.next().await {
            Some(Message::Response(response)) if response.msgid == attempt => {
                response.result.map_err(|error| ErrorAnswer::decode(&error))
            }
            other => panic!("not an answer to {attempt}: {other:?}"),
        }
    }
}
