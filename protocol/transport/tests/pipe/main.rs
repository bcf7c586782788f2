//! What is promised of a named pipe in particular. Other programs open it as if it were a file, once and without
//! waiting; these tests do the same with the standard library's files.
#![cfg(windows)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod claim;
mod descriptor;
mod getting_in;
mod identity;
mod setup;
