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
//! (see [`CallError`]). A call whose future is dropped is taken back: the service is told that nobody waits for it any
//! more.
//!
//! # When the connection is lost
//!
//! The service may be killed, restarted or cut off: the client comes back to it, goes on with its session and asks again,
//! under the same numbers, for all that has no answer yet. The service gives the answer if it has one, goes on if it is
//! at it, and begins if it never heard of it; so the program notices nothing but the time that passes. How long it wants
//! to wait is said by [`Call::timeout`], or for calls without one by [`Connect::resume`]. The library never makes a second
//! attempt of its own: where a call may have run and the service no longer knows, it ends with
//! [`CallError::OutcomeUnknown`], unless it is [keyed](Call::key) or [vouched for](Call::idempotent).
//!
//! ```no_run
//! # async fn example(client: standin_client::Client) -> Result<(), standin_client::CallError> {
//! # use std::time::Duration;
//! let sent: serde_json::Value = client
//!     .request("mail.send")
//!     .arguments(&serde_json::json!({ "to": ["anna@example.com"], "subject": "Order 17" }))
//!     .key("order-17")
//!     .timeout(Duration::from_secs(60))
//!     .send()
//!     .await?;
//! # Ok(()) }
//! ```

pub mod blocking;

mod acks;
mod backoff;
mod call;
mod callbacks;
mod client;
mod connect;
mod error;
mod hello;
mod keep;
mod line;
mod outbox;
mod shared;

pub use bytes::Bytes;
pub use standin_protocol::{ErrorAnswer, ErrorCode, Outcome};
pub use standin_transport::{ConnectError, Endpoint};

pub use self::{
    call::{Call, Pending},
    callbacks::Callback,
    client::Client,
    connect::Connect,
    error::{CallError, OpenError},
};
