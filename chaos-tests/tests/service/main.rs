//! The methods of the service itself, as a client meets them.
#![cfg(unix)]

mod batch;
mod cancel;
mod describing;
mod explain;
mod launching;
mod setup;
mod status;
