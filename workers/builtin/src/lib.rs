//! Standin's own worker: what every caller lacks.
//!
//! `standin worker builtin` runs it. It knows nothing of pools or sessions; it is a worker like any other, written
//! with the SDK.

mod config;
pub mod http;
pub mod mail;
mod net;
mod optional;
mod plain;
mod text;

pub use net::{Binary, Gate};
pub use standin_worker::Error;
use standin_worker::Worker;

/// Requests that one process takes at a time. Most of them wait for somebody else; what computes has threads.
const CONCURRENCY: u32 = 8;

/// The worker with all its methods.
pub fn worker() -> Worker {
    let senders = http::methods().into_iter().chain(mail::methods());
    let readers = text::methods().into_iter().chain(config::methods());
    let methods = readers.chain(senders);
    let worker = Worker::new("builtin", env!("CARGO_PKG_VERSION")).concurrency(CONCURRENCY);
    methods.fold(worker, Worker::method)
}

/// Serves until the service says to end.
///
/// # Errors
/// See [`Error`].
///
/// # Panics
/// If the system gives no runtime.
pub fn run() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .expect("the system gives an event queue")
        .block_on(worker().run())
}
