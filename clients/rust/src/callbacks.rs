//! Questions of workers that this program answers while its own call is pending.

use std::{pin::Pin, sync::Arc};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, value};

use crate::Client;

/// One question.
#[derive(Debug, Clone)]
pub struct Callback {
    /// What is asked.
    pub method: String,
    /// With what, as MessagePack.
    pub params: Bytes,
    client: Client,
}

impl Callback {
    pub(crate) fn new(method: String, params: Bytes, client: Client) -> Self {
        Self {
            method,
            params,
            client,
        }
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
