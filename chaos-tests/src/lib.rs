//! Kills everything on purpose to prove the promises of Standin.
//!
//! [`under_test`] runs the service as a real process, [`hostile_worker`] is a worker that speaks the wire by hand and
//! misbehaves on command, [`mortal_client`] a client that is made to be killed, [`sdk_worker`] one that is written with the SDK as a customer would, [`ledger`] is what workers really did, [`checker`] holds that against what clients were
//! told, and [`soak`] puts it all together for as long as one likes. [`platform`] is how processes are killed,
//! stopped and counted on this system. One test a promise stands in `tests/`.
#![expect(
    missing_docs,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a test program; its parts are told of above"
)]

pub mod checker;
pub mod clock;
pub mod hostile_worker;
pub mod ledger;
pub mod mail_sink;
pub mod mail_window;
pub mod mortal_client;
#[cfg(unix)]
pub mod other_user;
#[cfg_attr(unix, path = "platform/unix.rs")]
#[cfg_attr(windows, path = "platform/windows.rs")]
pub mod platform;
pub mod raw_client;
pub mod sdk_worker;
pub mod soak;
pub mod under_test;
