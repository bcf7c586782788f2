//! The methods of the service itself, as a client meets them.

mod access;
mod batch;
mod cancel;
mod describing;
mod explain;
mod launching;
mod orders;
mod other_user;
mod per_user;
mod quotas;
mod setup;
mod status;
mod stopped;
