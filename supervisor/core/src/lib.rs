//! The decisions of Standin, and nothing that acts.
//!
//! Event and time in, effects out: this crate has no tokio, no ractor, no clock and no randomness of its own, and it
//! does not know that workers are processes or that clients sit on pipes. The actors of the service translate
//! messages into events and effects into acts. Because of that, thousands of lives, each with a death at any step,
//! are simulated in a second (`tests/simulation/`).
//!
//! - [`access`]: who may call a pool's methods.
//! - [`keys`]: who may run a call that carries an idempotency key, and what the others are told.
//! - [`pool`]: admission, fair queue, dispatch, replay, blame, restart, sizing, deadlines of one pool.
//! - [`jobs`]: when a durable job runs, again, or no more.
//! - [`quota`]: what one user may have at a time.
//! - [`session`]: what one client has asked and is owed.
//! - [`sessions`]: which of the sessions without a client goes when there are too many.

pub mod access;
pub mod jobs;
pub mod keys;
pub mod pool;
pub mod quota;
pub mod session;
pub mod sessions;

mod cause;
mod ids;
mod random;

pub use cause::{Cause, KillReason};
pub use ids::{
    AttemptId, ClaimId, Fingerprint, JobId, RequestId, SessionId, SlotId, UserId, WorkerId,
};
pub use random::Random;
