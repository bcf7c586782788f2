//! Questions of workers that this program answers while its own call is pending.

use std::{pin::Pin, sync::Arc};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, Request, value};

use crate::{Client, shared::Shared};

/// One question.
#[derive(Debug, Clone)]
pub struct Callback {
    /// What is asked.
    pub method: String,
    /// With what, as MessagePack.
    pub params: Bytes,
    client: Client,
    connection: u64,
}

impl Callback {
    pub(crate) fn new(method: String, params: Bytes, client: Client, connection: u64) -> Self {
        Self {
            method,
            params,
            client,
            connection,
        }
    }

    /// Whether an answer would still go anywhere: the connection that the question came by is there. When it is lost, the
    /// worker has been told that no answer will come.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.client.shared().is_connected_by(self.connection)
    }

    /// The client that is asked: an answer may need calls of its own. A program with a blocking client uses this one
    /// as well, since that one is waiting already.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The arguments as a type: those of `[{...}]` and of a bare map alike.
    ///
    /// # Errors
    /// An `invalid_params` to answer with.
    pub fn arguments<A: DeserializeOwned>(&self) -> Result<A, ErrorAnswer> {
        let items = value::array_items(&self.params);
        let argument = match items.as_deref() {
            Ok([one]) => one,
            _ => &self.params,
        };
        protocol::decode_exact(argument)
            .map_err(|error| ErrorAnswer::new(ErrorCode::InvalidParams, error.to_string()))
    }

    /// A result to answer with.
    ///
    /// # Errors
    /// Never; it returns what a handler returns.
    pub fn answer<R: Serialize + ?Sized>(&self, result: &R) -> Result<Bytes, ErrorAnswer> {
        Ok(protocol::encode(result))
    }
}

type Answering = Pin<Box<dyn Future<Output = Result<Bytes, ErrorAnswer>> + Send>>;

/// What answers callbacks.
#[derive(Clone)]
pub(crate) struct Handler(Arc<dyn Fn(Callback) -> Answering + Send + Sync>);

impl Handler {
    pub(crate) fn new<H, F>(handler: H) -> Self
    where
        H: Fn(Callback) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Bytes, ErrorAnswer>> + Send + 'static,
    {
        Self(Arc::new(move |callback| Box::pin(handler(callback))))
    }

    pub(crate) fn answer(&self, callback: Callback) -> Answering {
        (self.0)(callback)
    }
}

impl std::fmt::Debug for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handler")
    }
}

/// The service asks, by this connection. `client` is handed to what answers, for calls of its own.
pub(crate) fn serve(shared: &Arc<Shared>, connection: u64, client: Client, request: Request) {
    let method = String::from_utf8_lossy(&request.method).into_owned();
    let due = DueAnswer {
        shared: Arc::clone(shared),
        connection,
        msgid: request.msgid,
        answer: None,
    };
    let Some(handler) = shared.handler().cloned() else {
        let why = format!("This program offers no method \"{method}\".");
        return due.give(Err(ErrorAnswer::new(ErrorCode::MethodNotFound, why)));
    };
    tokio::spawn(async move {
        let callback = Callback::new(method, request.params, client, connection);
        due.give(handler.answer(callback).await);
    });
}

/// The answer that a callback is owed. It is given however the handler ends, a panic included: a worker waits for it.
struct DueAnswer {
    shared: Arc<Shared>,
    connection: u64,
    msgid: u64,
    answer: Option<Result<Bytes, ErrorAnswer>>,
}

impl DueAnswer {
    fn give(mut self, answer: Result<Bytes, ErrorAnswer>) {
        self.answer = Some(answer);
    }
}

impl Drop for DueAnswer {
    fn drop(&mut self) {
        let answer = self.answer.take().unwrap_or_else(|| {
            let why = "The program failed while it was answering.";
            Err(ErrorAnswer::new(ErrorCode::Internal, why))
        });
        self.shared.respond(self.connection, self.msgid, &answer);
    }
}
