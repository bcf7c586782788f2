//! The process layer with real processes, real pipes and real kills: the same tests on every platform, and what only
//! one of them has in a file of its own.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod helpers;
mod killed_service;
mod life;
#[cfg(target_os = "linux")]
mod linux;
mod next_start;
mod output;
mod play;
#[cfg(windows)]
mod windows;
mod witness;
