//! Settings: embedded defaults, a file on top, and mistakes that name their place and what was probably meant.
//!
//! `config/standin.toml` shows every setting with its default; a test keeps the two equal. This module reads the file
//! and the environment and changes nothing; the command line calls it.

mod mistake;
mod read;
mod section;
mod settings;
mod text;
mod units;
mod values;

use std::path::{Path, PathBuf};

pub(crate) use self::{
    mistake::{ConfigError, Misread, nearest},
    settings::{JobsSettings, LogFormat, LogSettings, PoolSettings, Scope, Settings},
    units::Span,
};

/// The variable that names the configuration file.
const VARIABLE: &str = "STANDIN_CONFIG";

impl Settings {
    /// The settings of a file; without one, the defaults. `named` is what the command line says; see [`file`].
    pub(crate) fn load(named: Option<&Path>) -> Result<Settings, ConfigError> {
        let Some(path) = file(named) else {
            return Ok(Settings::default());
        };
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) => return Err(ConfigError::Unreadable { path, source }),
        };
        match text::decode(bytes) {
            Ok(text) => Settings::parse(&text, &path),
            Err(line) => Err(ConfigError::OtherEncoding { path, line }),
        }
    }

    /// The settings of a text that stands in `path`.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Settings, ConfigError> {
        read::read(text, path)
    }

    /// The text of a file that would bring these settings about.
    pub(crate) fn show(&self) -> String {
        toml::to_string_pretty(self).expect("settings hold only what TOML can say")
    }
}

/// The configuration file: the named one, else what `STANDIN_CONFIG` names, else the machine's if there is one.
pub(crate) fn file(named: Option<&Path>) -> Option<PathBuf> {
    let of_environment = || {
        std::env::var_os(VARIABLE)
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
    };
    let of_machine = || Some(system_file()).filter(|path| path.is_file());
    named
        .map(Path::to_owned)
        .or_else(of_environment)
        .or_else(of_machine)
}

#[cfg(unix)]
fn system_file() -> PathBuf {
    PathBuf::from("/etc/standin/standin.toml")
}

#[cfg(windows)]
fn system_file() -> PathBuf {
    let folder = std::env::var_os("ProgramData").unwrap_or_else(|| r"C:\ProgramData".into());
    PathBuf::from(folder).join(r"Standin\standin.toml")
}

#[cfg(test)]
mod tests;
