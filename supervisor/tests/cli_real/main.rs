//! The command line, through the real binary.

#[cfg(any(target_os = "linux", windows))]
mod after_a_kill;
mod config;
#[cfg(windows)]
mod console;
mod help;
mod helpers;
mod places;
mod pools;
mod service;
mod state;
mod stop;
#[cfg(target_os = "linux")]
mod supervised;
