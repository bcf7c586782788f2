//! The command line, through the real binary.

mod config;
mod help;
mod helpers;
mod service;
#[cfg(target_os = "linux")]
mod supervised;
