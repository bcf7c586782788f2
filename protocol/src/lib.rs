//! What Standin says on the wire, and nothing else.
//!
//! This crate owns the message shapes of MsgPack-RPC as Standin speaks it, the scanner that finds where a
//! message ends, the error codes and the worker's manifest. It knows no runtime, no pipe and no clock. Everybody
//! uses it: the service, the worker SDK, the clients.
//!
//! `params` and `result` travel as bytes and are never decoded here.

mod code;
mod decode;
mod encode;
mod error_answer;
mod limits;
mod manifest;
mod message;
mod meta;
mod scanner;
mod splitter;
mod text;
mod wire_error;

pub mod value;

pub use code::ErrorCode;
pub use encode::{Frame, NIL, WriteMeta, notification, request, response_error, response_ok};
pub use error_answer::{ErrorAnswer, Outcome};
pub use limits::Limits;
pub use manifest::{MethodManifest, Replay, WorkerHello};
pub use message::{Message, Notification, Request, Response};
pub use meta::{Meta, WorkerMeta};
pub use scanner::{Progress, Scanner};
pub use splitter::Splitter;
pub use text::{decode_exact, encode, read_text};
pub use wire_error::WireError;

/// The version of the conversation itself, told in `standin.hello`. It grows only when an old client would break.
pub const PROTOCOL_VERSION: u32 = 1;
