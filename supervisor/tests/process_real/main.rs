//! The process layer with real processes, real pipes and real signals.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod guardian;
mod helpers;
mod life;
mod output;
