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
//! - A handler that panics ends the process: a crash is a crash, and the service tells the caller the truth.
//! - When a call is cancelled, [`Context::cancelled`] resolves. A handler that goes on regardless is still answered
//!   for; the service kills the worker if that takes too long.
//! - When the service asks the worker to end, it finishes what it has begun. When the service is gone, it ends at
//!   once.

mod context;
mod error;
mod failure;
mod link;
mod method;
mod serve;

pub use bytes::Bytes;
pub use standin_protocol::{Outcome, Replay};

pub use self::{context::Context, error::Error, failure::Failure, method::Method, serve::Worker};
