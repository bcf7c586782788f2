//! The command line, through the real binary.

#[cfg(target_os = "linux")]
mod after_a_kill;
mod config;
mod help;
mod helpers;
mod service;
mod state;
#[cfg(target_os = "linux")]
mod supervised;
