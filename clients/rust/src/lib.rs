//! The Rust client of Standin: async, and blocking for programs without a runtime.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use standin_client::Connect;
//!
//! let client = Connect::new().limit(Duration::from_secs(5)).open().await?;
//! let found: serde_json::Value = client
//!     .request("text.find")
//!     .arguments(&serde_json::json!({ "text": "one two", "pattern": "[a-z]+" }))
//!     .timeout(Duration::from_secs(2))
//!     .send()
//!     .await?;
//! # Ok(()) }
//! ```
//!
//! A call gets exactly one answer: the service's, or an error of this library with what is then known about its effect
//! ([`CallError::ConnectionLost`], [`CallError::NoAnswer`]). The library never makes a second attempt of its own. A call
//! whose future is dropped is taken back: the service is told that nobody waits for it any more.

pub mod blocking;

mod call;
mod callbacks;
mod connect;
mod error;
mod reading;
mod shared;

pub use bytes::Bytes;
pub use standin_protocol::{ErrorAnswer, ErrorCode, Outcome};
pub use standin_transport::{ConnectError, Endpoint};

pub use self::{
    call::{Call, Pending},
    callbacks::Callback,
    connect::{Client, Connect},
    error::{CallError, OpenError},
};
