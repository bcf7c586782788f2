//! Questions of workers that this program answers while its own call is pending.

use std::{pin::Pin, sync::Arc};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, value};

/// One question.
#[derive(Debug, Clone)]
pub struct Callback {
    /// What is asked.
    pub method: String,
    /// With what, as MessagePack.
    pub params: Bytes,
}

impl Callback {
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
