//! The Standin service and its command line.
//!
//! The binary `standin` is `main.rs` around [`run`]; the chaos suite's binary falls through to [`run`] as well, so
//! that it can be the service it tests. How the parts hang together is told in docs/ARCHITECTURE.md.

mod accounts;
mod call;
mod child;
mod cli;
mod clock;
mod config;
mod directory;
mod failpoint;
mod jobs;
mod keys;
mod listener;
mod logging;
pub mod monitor;
mod notify;
mod pool;
mod pools;
pub mod process;
mod recovery;
mod root;
mod service;
mod session;
mod sessions;
mod state;
mod status;
mod store;
mod story;
mod tasks;
mod timer;
mod trouble;
mod worker;

pub use cli::run;
#[doc(hidden)]
pub use store::{Writers, measured_writes};
