//! One method of a worker: its name and promises, and the handler behind it.

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use standin_protocol::{self as protocol, MethodManifest, Replay};

use crate::{Context, Failure, arguments::arguments};

type Handling = Pin<Box<dyn Future<Output = Result<Bytes, Failure>> + Send>>;
pub(crate) type Handler = Arc<dyn Fn(Context, Bytes) -> Handling + Send + Sync>;

/// A method that a worker offers.
#[must_use]
pub struct Method {
    pub(crate) manifest: MethodManifest,
    pub(crate) handler: Handler,
    /// Whether the handler stops when its future is dropped; one on a thread does not.
    pub(crate) droppable: bool,
}

impl Method {
    /// An async handler with typed arguments and result. Its arguments' JSON Schema becomes part of the manifest.
    pub fn new<A, R, H, F>(name: &str, handler: H) -> Self
    where
        A: DeserializeOwned + JsonSchema + Send + 'static,
        R: Serialize,
        H: Fn(Context, A) -> F + Send + Sync + 'static,
        F: Future<Output = Result<R, Failure>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        Self::build::<A>(name, move |context, params| {
            let handler = Arc::clone(&handler);
            Box::pin(async move {
                let arguments = arguments::<A>(&params)?;
                Ok(protocol::encode(&handler(context, arguments).await?))
            })
        })
    }

    /// A handler that computes without waiting. It runs on a thread of its own, so that it holds up nothing else.
    ///
    /// A thread cannot be stopped from outside: a long computation looks at [`Context::is_cancelled`] now and then.
    pub fn blocking<A, R, H>(name: &str, handler: H) -> Self
    where
        A: DeserializeOwned + JsonSchema + Send + 'static,
        R: Serialize,
        H: Fn(&Context, A) -> Result<R, Failure> + Send + Sync + 'static,
    {
        let handler = Arc::new(handler);
        let mut method = Self::build::<A>(name, move |context, params| {
            let handler = Arc::clone(&handler);
            Box::pin(async move {
                let work = tokio::task::spawn_blocking(move || {
                    let arguments = arguments::<A>(&params)?;
                    Ok(protocol::encode(&handler(&context, arguments)?))
                });
                work.await
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
            })
        });
        method.droppable = false;
        method
    }

    /// A handler that takes its parameters as they came (`[{...}]` or `{...}`) and gives its result, both as
    /// MessagePack, for what need not be looked into. Nothing is decoded or copied.
    pub fn raw<H, F>(name: &str, handler: H) -> Self
    where
        H: Fn(Context, Bytes) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Bytes, Failure>> + Send + 'static,
    {
        let manifest = MethodManifest {
            name: name.to_owned(),
            ..MethodManifest::default()
        };
        Self {
            manifest,
            handler: Arc::new(move |context, params| Box::pin(handler(context, params))),
            droppable: true,
        }
    }

    fn build<A: JsonSchema>(
        name: &str,
        handler: impl Fn(Context, Bytes) -> Handling + Send + Sync + 'static,
    ) -> Self {
        let schema = schemars::schema_for!(A).to_value();
        let manifest = MethodManifest {
            name: name.to_owned(),
            params: Some(schema),
            ..MethodManifest::default()
        };
        Self {
            manifest,
            handler: Arc::new(handler),
            droppable: true,
        }
    }

    /// When it may be run a second time. Without this: never.
    pub fn replay(mut self, replay: Replay) -> Self {
        self.manifest.replay = replay;
        self
    }

    /// What it does, in a sentence.
    pub fn doc(mut self, doc: &str) -> Self {
        doc.clone_into(&mut self.manifest.doc);
        self
    }

    /// How long one attempt may take, if not as long as the pool allows.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.manifest.timeout_ms = Some(timeout.as_millis() as u64);
        self
    }
}
