//! The log: lines on standard error, for people or for programs. Standard output belongs to results.
//!
//! What an event is about stands in its fields `request`, `worker` and `session`.

#[cfg(any(windows, test))]
mod file;

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

#[cfg(windows)]
pub(crate) use self::file::LogFile;
use crate::config::{LogFormat, LogSettings, Misread, nearest};

/// The words for how much is logged.
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Begins to log. A second call changes nothing.
pub(crate) fn start(settings: &LogSettings) {
    let filter = filter(&settings.level);
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // Somebody else may have begun to log in this process, which is as good.
    let _ = match settings.format {
        LogFormat::Text => log.compact().try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}

/// Begins to log to a file.
#[cfg(windows)]
pub(crate) fn start_in(settings: &LogSettings, file: LogFile) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(&settings.level))
        .with_writer(std::sync::Arc::new(file))
        .with_ansi(false);
    let _ = match settings.format {
        LogFormat::Text => log.compact().try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}

/// The actors' framework puts a span of its own around every line, which tells a reader nothing and costs something
/// for each message. It is heard again when it is named in the level.
fn filter(level: &str) -> EnvFilter {
    let filter = level.parse::<EnvFilter>();
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("info"));
    if level.contains("ractor") {
        return filter;
    }
    filter.add_directive("ractor=warn".parse().expect("the directive is right"))
}

/// Whether a text says how much is logged: a level, or a list like `info,standin::pool=debug`. The filter itself would
/// take a misspelt level for the name of a module, and log nothing.
pub(crate) fn check_level(text: &str) -> Result<(), Misread> {
    for part in text.split(',') {
        let level = part
            .rsplit_once('=')
            .map_or(part, |(_, level)| level)
            .trim();
        if LEVELS.contains(&&*level.to_ascii_lowercase()) {
            continue;
        }
        let hint = match nearest(level, LEVELS) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!(
                "write one of {}; also by module, like \"info,standin::pool=debug\"",
                LEVELS.join(", ")
            ),
        };
        return Err(Misread::new(
            format!("\"{level}\" is no level of the log"),
            hint,
        ));
    }
    let understood = text.parse::<EnvFilter>();
    understood
        .map(|_| ())
        .map_err(|error| Misread::new(format!("\"{text}\" is no filter of the log: {error}"), ""))
}

#[cfg(test)]
mod tests {
    use super::{check_level, filter};

    #[test]
    fn a_level_may_be_given_by_module_and_a_misspelt_one_is_not_taken_for_a_module() {
        for right in [
            "info",
            "WARN",
            "info,standin::pool=debug",
            "standin=trace",
            "off",
        ] {
            assert_eq!(check_level(right), Ok(()), "{right}");
        }
        for wrong in ["inof", "", "info,standin=loud", "info,standin"] {
            assert!(check_level(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_actors_framework_is_only_heard_when_it_is_named_or_in_trouble() {
        assert!(filter("debug").to_string().contains("ractor=warn"));
        assert_eq!(filter("info,ractor=trace").to_string(), "ractor=trace,info");
    }
}
