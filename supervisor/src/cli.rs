//! The command line: what `standin` understands, and what its exit codes mean.
//!
//! It owns every word on standard output. It decides nothing about calls or pools: it asks the service, as any other
//! client does.

mod backup;
mod call;
mod client;
mod config;
mod explain;
mod jobs;
mod methods;
mod options;
mod output;
mod pools;
mod serve;
mod service;
mod status;
mod table;
mod time;
mod value;

use std::{ffi::OsString, process::ExitCode};

use clap::Parser;
use standin_client::{CallError, OpenError};

use self::options::{Command, CommandLine, ConfigCommand, WorkerCommand};
use crate::{config::ConfigError, process, service::ServeError, store::BackupError};

/// Why a command did not do what it was told.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{0}")]
    Usage(String),
    #[error("cannot read the arguments from standard input")]
    Input(#[source] std::io::Error),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Manage(#[from] service::ManageError),
    #[error("cannot start the runtime")]
    Runtime(#[source] std::io::Error),
    #[error("the built-in worker has ended")]
    Worker(#[source] standin_builtin::Error),
}

impl CommandError {
    fn code(&self) -> u8 {
        match self {
            CommandError::Call(
                CallError::Service(_)
                | CallError::TooLarge { .. }
                | CallError::TooDeep { .. }
                | CallError::Decode(_)
                | CallError::Encode(_),
            ) => 1,
            CommandError::Worker(_) => 1,
            CommandError::Config(_) | CommandError::Usage(_) | CommandError::Input(_) => 2,
            CommandError::Serve(ServeError::Endpoint(_))
            | CommandError::Open(OpenError::Endpoint(_)) => 2,
            CommandError::Call(
                CallError::ConnectionLost { .. }
                | CallError::NotResumed { .. }
                | CallError::DeadlineExceeded { .. }
                | CallError::OutcomeUnknown
                | CallError::SessionMoved { .. }
                | CallError::Closed { .. }
                | CallError::NoAnswer { .. },
            ) => 3,
            CommandError::Backup(_)
            | CommandError::Open(_)
            | CommandError::Serve(_)
            | CommandError::Manage(_)
            | CommandError::Runtime(_) => 3,
        }
    }
}

/// Runs a command line, the program's name first.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let command = match CommandLine::try_parse_from(arguments) {
        Ok(line) => line.command,
        Err(error) => {
            // Help and version come here as well, and are no errors.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let mut errors = output::ErrorFormat::Text;
    let done = match command {
        Command::Serve(options) => serve::run(&options),
        Command::Call(options) => {
            errors = options.output.errors();
            call::run(&options)
        }
        Command::Methods(options) => methods::run(&options),
        Command::Status(options) => status::run(&options),
        Command::Explain(options) => explain::run(&options),
        Command::Backup(options) => backup::run(&options),
        Command::Jobs(command) => jobs::run(&command),
        Command::Pools(command) => pools::run(&command),
        Command::Config(ConfigCommand::Check { file }) => config::check(file.as_deref()),
        Command::Config(ConfigCommand::Show { file }) => config::show(file.as_deref()),
        Command::Service(command) => service::run(&command),
        Command::Worker(WorkerCommand::Builtin) => {
            standin_builtin::run().map_err(CommandError::Worker)
        }
        Command::Worker(WorkerCommand::Launch { command }) => {
            return process::launch::run(&command);
        }
        Command::Worker(WorkerCommand::Guard { instance }) => {
            return process::guard::run(&instance);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error, errors);
            ExitCode::from(error.code())
        }
    }
}
