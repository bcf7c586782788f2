//! How Standin's programs reach each other: endpoint names, listening, connecting, access, and framed reading and
//! writing over what was connected.
//!
//! This is the only crate that knows that there are sockets on one system and named pipes on the other, and the only
//! user of `interprocess`. It does not know what the messages mean.

mod access;
mod connect;
mod connection;
mod endpoint;
mod listener;
mod reader;
mod writer;

#[cfg_attr(unix, path = "platform/unix.rs")]
#[cfg_attr(windows, path = "platform/windows.rs")]
mod platform;

pub use access::{Access, DescriptorError};
pub use connect::{ConnectError, connect, connect_once};
pub use connection::{Connection, Peer, group_id, own_user, user_id};
pub use endpoint::{Endpoint, EndpointError};
pub use listener::{ListenError, Listener};
pub use reader::{MessageReader, ReadError};
pub use writer::{MessageWriter, message_writer, occasional_writer};
