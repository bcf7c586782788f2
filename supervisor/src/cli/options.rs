//! The words of the command line and their help.

mod service;

use std::{ffi::OsString, path::PathBuf};

use clap::{
    Args, Parser, Subcommand,
    builder::{OsStringValueParser, TypedValueParser},
};

#[cfg(windows)]
pub(super) use self::service::RunOptions;
pub(super) use self::service::{InstallOptions, ServiceCommand};
use super::output::ErrorFormat;
use crate::config::Span;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the call was answered with an error
  2  the command line or the configuration is wrong
  3  the service cannot be reached, or cannot serve
 74  the disk that holds the service's state failed while it served";

const CALL_HELP: &str = "\
Results are JSON on standard output, errors sentences on standard error. What JSON has no word for is written as an \
object: bytes as {\"$bytes\": \"<base64>\"}, in arguments as well as in results.

Examples:
  standin call text.find text='one two' pattern='t\\w+'
  standin call http.request '{\"url\": \"https://example.com\"}' --timeout 10s
  standin call mail.send - --key invoice-4711 < mail.json";

/// Lends capable co-processes to programs that cannot open a TLS connection, send a mail or match a regex.
#[derive(Debug, Parser)]
#[command(
    name = "standin",
    bin_name = "standin",
    version,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = EXIT_CODES
)]
pub(super) struct CommandLine {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the service in the foreground until it is told to stop.
    Serve(ServeOptions),
    /// Call a method and print its result as JSON.
    #[command(after_help = CALL_HELP)]
    Call(CallOptions),
    /// List the methods there are, or describe one.
    Methods(MethodsOptions),
    /// Show how the service and its pools stand, who died, why, and what was replayed.
    Status(StatusOptions),
    /// Tell what happened to a call: each attempt, who died and why, and the rule that decided.
    Explain(ExplainOptions),
    /// Copy what the service keeps into a file, whether it runs or not.
    Backup(BackupOptions),
    /// Show what is done in the background, and decide about what cannot go on by itself.
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Show the pools, and start, reload or stop one.
    #[command(subcommand)]
    Pools(PoolsCommand),
    /// Check a configuration, or show the one in force.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Make Standin a service of this machine, and control it.
    #[command(subcommand)]
    Service(ServiceCommand),
    /// Be a worker. The service starts these itself.
    #[command(subcommand)]
    Worker(WorkerCommand),
}

/// A folder. An empty one is as good as none, as with the other settings; clap's own parser of paths refuses it.
fn folder() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

#[derive(Debug, Args)]
pub(super) struct ServeOptions {
    /// The configuration file. Without it: what STANDIN_CONFIG names, else the machine's file if there is one, else
    /// the defaults.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Where clients connect, instead of what the configuration says.
    #[arg(
        long,
        env = "STANDIN_ENDPOINT",
        hide_env_values = true,
        value_name = "NAME"
    )]
    pub(super) endpoint: Option<String>,
    /// The folder for what must outlive the service, instead of what the configuration says.
    #[arg(
        long,
        env = "STANDIN_STATE",
        hide_env_values = true,
        value_name = "DIR",
        value_parser = folder()
    )]
    pub(super) state: Option<PathBuf>,
    /// What to log, instead of what the configuration says: error, warn, info, debug or trace; also by module, such as
    /// info,standin::pool=debug.
    #[arg(
        long,
        env = "STANDIN_LOG",
        hide_env_values = true,
        value_name = "LEVEL"
    )]
    pub(super) log: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ServiceOptions {
    /// Where the service is. Without it: what the configuration says, else the user's own service, else the machine's.
    #[arg(
        long,
        env = "STANDIN_ENDPOINT",
        hide_env_values = true,
        value_name = "NAME"
    )]
    pub(super) endpoint: Option<String>,
    /// How long to wait for a service that is not there yet, or busy.
    #[arg(long, value_name = "TIME", default_value = "2s")]
    pub(super) wait: Span,
}

#[derive(Debug, Args)]
pub(super) struct CallOptions {
    /// The method, such as text.find.
    pub(super) method: String,
    /// Its arguments: NAME=VALUE each, or one JSON object, or - to read the object from standard input. A VALUE that
    /// can be read as JSON is JSON, every other one is a text.
    pub(super) arguments: Vec<String>,
    /// The time for the whole call, waiting and replays included, such as 500ms or 5s.
    #[arg(long, value_name = "TIME")]
    pub(super) timeout: Option<Span>,
    /// Vouch that running it twice does no harm.
    #[arg(long)]
    pub(super) idempotent: bool,
    /// Name this call, so that one with the same name is never run a second time.
    #[arg(long)]
    pub(super) key: Option<String>,
    #[command(flatten)]
    pub(super) output: OutputOptions,
    #[command(flatten)]
    pub(super) service: ServiceOptions,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct OutputOptions {
    /// Print the result on one line, and an error as one line of JSON on standard error.
    #[arg(long)]
    pub(super) json: bool,
    /// Print a result that is a text or bytes as it is, without quotes.
    #[arg(long)]
    pub(super) raw: bool,
}

impl OutputOptions {
    pub(super) fn errors(&self) -> ErrorFormat {
        if self.json {
            ErrorFormat::Json
        } else {
            ErrorFormat::Text
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct MethodsOptions {
    /// The method to describe.
    pub(super) method: Option<String>,
    /// Print everything as JSON, the schema of the arguments included.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) service: ServiceOptions,
}

#[derive(Debug, Args)]
pub(super) struct StatusOptions {
    /// Print everything as JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) service: ServiceOptions,
}

#[derive(Debug, Args)]
pub(super) struct ExplainOptions {
    /// The number of the request, from an error's "data" or from the log. Without it, the latest are listed.
    #[arg(conflicts_with_all = ["session", "msgid", "poisoned", "job"])]
    pub(super) request: Option<u64>,
    /// The tries of this job, and how it stands.
    #[arg(long, value_name = "JOB", conflicts_with_all = ["session", "msgid", "poisoned"])]
    pub(super) job: Option<String>,
    /// The calls of this session.
    #[arg(long, value_name = "NUMBER", conflicts_with = "poisoned")]
    pub(super) session: Option<u64>,
    /// The one with this msgid, or all of that batch.
    #[arg(long, value_name = "NUMBER", requires = "session")]
    pub(super) msgid: Option<u64>,
    /// Calls that ended one process after the other, with what was in them. For administrators.
    #[arg(long)]
    pub(super) poisoned: bool,
    /// How many.
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    pub(super) limit: u64,
    /// Print everything as JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) service: ServiceOptions,
}

#[derive(Debug, Args)]
pub(super) struct BackupOptions {
    /// The new file. One that is there is not overwritten.
    pub(super) file: PathBuf,
    /// The service's state folder. Without it: the one of the service that runs, else the one that `serve` would use.
    #[arg(
        long,
        env = "STANDIN_STATE",
        hide_env_values = true,
        value_name = "DIR",
        value_parser = folder()
    )]
    pub(super) state: Option<PathBuf>,
    /// Where the service is, if it runs. Without it: what the configuration says, else the user's own service, else the
    /// machine's.
    #[arg(
        long,
        env = "STANDIN_ENDPOINT",
        hide_env_values = true,
        value_name = "NAME"
    )]
    pub(super) endpoint: Option<String>,
    /// The configuration file, if the service does not run. Without it, the one that `serve` would use.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum JobsCommand {
    /// List jobs, the newest first: one's own, an administrator everybody's.
    List {
        /// Only those that are queued, running, done, dead, unknown or cancelled.
        #[arg(long)]
        state: Option<String>,
        /// How many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Only those older than this one.
        #[arg(long, value_name = "JOB")]
        after: Option<String>,
        /// Print everything as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        service: ServiceOptions,
    },
    /// Show one job.
    Show {
        /// Its name.
        job: String,
        /// Print its result, or its error, instead.
        #[arg(long)]
        result: bool,
        /// Print everything as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        service: ServiceOptions,
    },
    /// Send a job again that is dead, or of which nobody knows whether it happened.
    Retry {
        /// Its name.
        job: String,
        /// Print everything as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        service: ServiceOptions,
    },
    /// Take a job back, if nothing has happened yet.
    Cancel {
        /// Its name.
        job: String,
        /// Print everything as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        service: ServiceOptions,
    },
    /// Have a call made in the background, and again until it is done. Prints the job's name.
    Submit(SubmitOptions),
}

#[derive(Debug, Args)]
pub(super) struct SubmitOptions {
    /// The method, such as mail.send.
    pub(super) method: String,
    /// Its arguments, as for `standin call`.
    pub(super) arguments: Vec<String>,
    /// Name this job, so that one with the same name is never taken a second time.
    #[arg(long)]
    pub(super) key: Option<String>,
    /// Begin it after this time, such as 10m or 2h.
    #[arg(long, value_name = "TIME")]
    pub(super) after: Option<Span>,
    /// Wait for its end and print its result.
    #[arg(long)]
    pub(super) result: bool,
    /// Print everything as JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) service: ServiceOptions,
}

#[derive(Debug, Subcommand)]
pub(super) enum PoolsCommand {
    /// Show each pool on a line. `standin status` tells more.
    List {
        /// Print everything as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        service: ServiceOptions,
    },
    /// Start a process, and say why if it does not start. A pool that was stopped serves again.
    Start(PoolOptions),
    /// Put new processes in the place of all that run, such as after an update of their program. If the first new one
    /// does not start, nothing changes; no call is lost either way.
    Reload(PoolOptions),
    /// End the processes when their calls are done. Calls are refused until `start`, or until the service starts again.
    Stop(PoolOptions),
}

#[derive(Debug, Args)]
pub(super) struct PoolOptions {
    /// The pool's name.
    pub(super) pool: String,
    /// Print the answer as JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) service: ServiceOptions,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Say all that is wrong with a configuration file, if anything is.
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
pub(super) enum WorkerCommand {
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_words_of_the_command_line_do_not_contradict_each_other() {
        super::CommandLine::command().debug_assert();
    }
}
