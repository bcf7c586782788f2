//! The process layer with real processes, real pipes and real signals.
#![cfg(target_os = "linux")]

mod guardian;
mod helpers;
mod life;
mod output;
