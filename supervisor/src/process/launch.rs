//! The launcher's own side: `standin worker launch -- COMMAND`. It arms what ties the process to the service, then
//! becomes the command. Doing this between fork and exec in the service would make every start slow: the service's
//! memory would have to be copied first.

use std::{ffi::OsString, io, process::ExitCode};

use super::platform;

/// What a shell answers for a command that does not exist.
const EXIT_NOT_FOUND: u8 = 127;

/// What a shell answers for a command that exists and cannot be run.
const EXIT_NOT_RUNNABLE: u8 = 126;

/// Becomes the command (the arguments behind `worker launch`); comes back only if that fails.
#[expect(
    clippy::print_stderr,
    reason = "stderr is where a worker's last words are looked for"
)]
pub fn run(command: &[OsString]) -> ExitCode {
    let command = match command.split_first() {
        Some((first, rest)) if first == "--" => rest,
        _ => command,
    };
    let Some((program, arguments)) = command.split_first() else {
        eprintln!("cannot start a worker: there is no command");
        return ExitCode::from(EXIT_NOT_FOUND);
    };
    let error = platform::become_command(program, arguments);
    eprintln!(
        "cannot start `{}`: {}",
        program.to_string_lossy(),
        in_words(&error)
    );
    let is_missing = error.kind() == io::ErrorKind::NotFound;
    ExitCode::from(if is_missing {
        EXIT_NOT_FOUND
    } else {
        EXIT_NOT_RUNNABLE
    })
}

/// What went wrong, without the system's number, which helps nobody who reads a message box.
fn in_words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
