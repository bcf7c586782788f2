//! Questions of workers that this program answers while its own call is pending.

use std::{pin::Pin, sync::Arc};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, Request, value};

use crate::{Client, shared::Shared};

/// By this name the service asks many questions at once.
const LIST: &str = "client.batch";

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
        let answer = match method.as_str() {
            LIST => answer_list(&handler, &client, connection, &request.params).await,
            _ => {
                let callback = Callback::new(method, request.params, client, connection);
                handler.answer(callback).await
            }
        };
        due.give(answer);
    });
}

/// Answers many questions that came as one, in their order, one after the other. One that fails has an error in its place.
async fn answer_list(
    handler: &Handler,
    client: &Client,
    connection: u64,
    list: &Bytes,
) -> Result<Bytes, ErrorAnswer> {
    let wrong = || {
        let why = "A batch of questions is a list of [method, parameters].";
        ErrorAnswer::new(ErrorCode::InvalidParams, why)
    };
    let items = value::array_items(list).map_err(|_| wrong())?;
    let mut answers = Vec::new();
    rmp::encode::write_array_len(&mut answers, items.len() as u32).map_err(|_| wrong())?;
    for item in &items {
        let parts = value::array_items(item).unwrap_or_default();
        let [method, params] = parts.as_slice() else {
            return Err(wrong());
        };
        let method = value::read_bytes(method).ok_or_else(wrong)?;
        let method = String::from_utf8_lossy(&method).into_owned();
        let callback = Callback::new(method, params.clone(), client.clone(), connection);
        if !callback.is_open() {
            // Nobody would hear the answer, so nothing more is done for it.
            return Err(failed());
        }
        // A handler that panics fails this question and none of the others.
        let answer = tokio::spawn(handler.answer(callback))
            .await
            .unwrap_or_else(|_| Err(failed()));
        answers.push(0x92);
        match answer {
            Ok(result) => {
                answers.extend_from_slice(&protocol::NIL);
                answers.extend_from_slice(&result);
            }
            Err(error) => {
                answers.extend_from_slice(&error.encode());
                answers.extend_from_slice(&protocol::NIL);
            }
        }
    }
    Ok(answers.into())
}

fn failed() -> ErrorAnswer {
    let why = "The program failed while it was answering.";
    ErrorAnswer::new(ErrorCode::Internal, why)
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
        let answer = self.answer.take().unwrap_or_else(|| Err(failed()));
        self.shared.respond(self.connection, self.msgid, &answer);
    }
}
