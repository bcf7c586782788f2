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
//! A call gets exactly one answer: the service's, or [`CallError::ConnectionLost`] with what is then known about its
//! effect. The library never makes a second attempt of its own.

pub mod blocking;

mod call;
mod callbacks;
mod connect;
mod error;
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
