//! The words of `standin service`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ServiceCommand {
    /// Have the machine run the service from now on, whenever it starts. Needs an administrator.
    Install(InstallOptions),
    /// Stop the service and take it off the machine. Configuration and state are left.
    Uninstall,
    /// Start it now.
    Start,
    /// Stop it; running calls get the time that the configuration gives them.
    Stop,
    /// Show how the machine's service manager sees it. `standin status` asks the service itself.
    Status,
    /// What Windows starts.
    #[cfg(windows)]
    #[command(hide = true)]
    Run(RunOptions),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct InstallOptions {
    /// The configuration file that it is started with. Without it, the one that `serve` would use.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) config: Option<PathBuf>,
    /// Whom it runs as. Without it: an account that the system makes up for it, without a password or a home.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) user: Option<String>,
    /// Print what would be installed and change nothing.
    #[arg(long)]
    pub(in crate::cli) print: bool,
}

#[cfg(windows)]
#[derive(Debug, Args)]
pub(in crate::cli) struct RunOptions {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) config: Option<PathBuf>,
}
