//! The command line: what `standin` understands, and what its exit codes mean.

mod call;
mod config;
mod serve;
mod show;
mod status;
mod value;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use standin_client::{CallError, OpenError};

use crate::{
    config::{ConfigError, Span},
    process,
    service::ServeError,
};

/// Lends capable co-processes to programs that cannot open a TLS connection, send a mail or match a regex.
#[derive(Debug, Parser)]
#[command(
    name = "standin",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done, 1 the call was answered with an error, 2 wrong usage or configuration, \
                  3 the service cannot be reached or cannot serve."
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service in the foreground until it is told to stop.
    Serve(ServeOptions),
    /// Call a method and print its result as JSON.
    Call(CallOptions),
    /// List the methods there are, or describe one.
    Methods(MethodsOptions),
    /// Show how the service and its pools stand, who died, and why.
    Status(StatusOptions),
    /// Check a configuration, or show the one in force.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Be a worker. The service starts these itself.
    #[command(subcommand)]
    Worker(WorkerCommand),
}

#[derive(Debug, Args)]
struct ServeOptions {
    /// The configuration file. Without it: STANDIN_CONFIG, else the machine's file if there is one, else the defaults.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where clients connect, instead of what the configuration says.
    #[arg(long, env = "STANDIN_ENDPOINT", value_name = "NAME")]
    endpoint: Option<String>,
    /// What to log, instead of what the configuration says: error, warn, info, debug or trace.
    #[arg(long, env = "STANDIN_LOG", value_name = "LEVEL")]
    log: Option<String>,
}

#[derive(Debug, Args)]
struct ServiceOptions {
    /// Where the service is. Without it: STANDIN_ENDPOINT, else the user's own service, else the machine's.
    #[arg(long, value_name = "NAME")]
    endpoint: Option<String>,
    /// How long to wait for a service that is not there yet, such as 500ms or 10s.
    #[arg(long, value_name = "TIME", default_value = "2s")]
    wait: Span,
}

#[derive(Debug, Args)]
struct CallOptions {
    /// The method, such as text.find.
    method: String,
    /// Its arguments: name=value each, or one JSON object. A value is JSON if it can be read as JSON, else a text.
    arguments: Vec<String>,
    /// The time for the whole call, such as 500ms or 5s.
    #[arg(long, value_name = "TIME")]
    timeout: Option<Span>,
    /// Vouch that running it twice does no harm.
    #[arg(long)]
    idempotent: bool,
    #[command(flatten)]
    service: ServiceOptions,
}

#[derive(Debug, Args)]
struct MethodsOptions {
    /// The method to describe.
    method: Option<String>,
    #[command(flatten)]
    service: ServiceOptions,
}

#[derive(Debug, Args)]
struct StatusOptions {
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: ServiceOptions,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Say what is wrong with a configuration file, if anything is.
    Check {
        /// The file. Without it, the one that `serve` would use.
        file: Option<PathBuf>,
    },
    /// Print the settings in force, defaults included.
    Show {
        /// The file. Without it, the one that `serve` would use.
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum WorkerCommand {
    /// Standin's own methods: text, config, http, mail.
    Builtin,
    /// Tie this process to the service, then become the command.
    #[command(hide = true)]
    Launch {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// Wait for the end of the service, then end what it left behind.
    #[command(hide = true)]
    Guard { instance: String },
}

/// Why a command did not do what it was told.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("cannot start the runtime")]
    Runtime(#[source] std::io::Error),
    #[error("the built-in worker has ended")]
    Worker(#[source] standin_builtin::Error),
}

impl CommandError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            CommandError::Call(CallError::Service(_) | CallError::Decode(_)) => 1,
            CommandError::Worker(_) => 1,
            CommandError::Config(_) | CommandError::Usage(_) => 2,
            CommandError::Call(_)
            | CommandError::Open(_)
            | CommandError::Serve(_)
            | CommandError::Runtime(_) => 3,
        })
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
    let done = match command {
        Command::Serve(options) => serve::run(&options),
        Command::Call(options) => call::run(&options),
        Command::Methods(options) => show::methods(&options),
        Command::Status(options) => status::run(&options),
        Command::Config(ConfigCommand::Check { file }) => config::check(file.as_deref()),
        Command::Config(ConfigCommand::Show { file }) => config::show(file.as_deref()),
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
            show::error(&error);
            error.exit_code()
        }
    }
}
