//! The log: lines on standard error, for people or for programs. Standard output belongs to results.

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, LogSettings};

/// Begins to log. A second call changes nothing.
pub(crate) fn start(settings: &LogSettings) {
    let filter = settings
        .level
        .parse::<EnvFilter>()
        .unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // Somebody else may have begun to log in this process, which is as good.
    let _ = match settings.format {
        LogFormat::Text => log.compact().try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}
