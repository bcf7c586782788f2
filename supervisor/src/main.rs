//! The `standin` binary: settings, logging, run, exit code. All of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    standin::run(std::env::args_os())
}
