//! Write a Standin worker in fifteen lines.
//!
//! ```no_run
//! use standin_worker::{Context, Failure, Method, Replay, Worker};
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! struct Greeting {
//!     /// Who is greeted.
//!     name: String,
//! }
//!
//! async fn greet(_context: Context, greeting: Greeting) -> Result<String, Failure> {
//!     Ok(format!("Good morning, {}.", greeting.name))
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), standin_worker::Error> {
//!     let greet = Method::new("hello.greet", greet).replay(Replay::Always).doc("Greets somebody.");
//!     Worker::new("hello", env!("CARGO_PKG_VERSION")).method(greet).run().await
//! }
//! ```
//!
//! A method that does something that cannot be undone is declared [`Replay::UntilEffect`] and calls
//! [`Context::effect_begin`] right before it; a method that says nothing is never run twice.
//!
//! - A handler that panics ends the process with status 101: a crash is a crash, and the service tells the caller
//!   the truth, or replays the call.
//! - When a call is cancelled, [`Context::cancelled`] resolves, and the handler has one second to answer as it sees
//!   fit. After that an async handler is dropped at its next `await` and the call is answered with `cancelled`,
//!   unless [`Context::effect_begin`] was granted: past that point only the handler knows what has happened, so it is
//!   left alone. So is a handler on a thread. The service kills a worker that takes too long over it.
//! - When the service asks the worker to end, it finishes what it has begun. When the service is gone,
//!   [`Worker::run`] ends the process at once if anything is still running in it.
//! - Each attempt is answered exactly once, whatever its handler does. More than the worker's concurrency is refused.
//! - What it prints is its log.

mod arguments;
mod asking;
mod attempt;
mod context;
mod error;
mod failure;
mod link;
mod method;
mod running;
mod serve;
mod shown;

pub use bytes::Bytes;
pub use standin_protocol::{ErrorCode, Outcome, Replay, WorkerMeta};

pub use self::{
    context::Context, error::Error, failure::Failure, method::Method, serve::Worker, shown::shown,
};
