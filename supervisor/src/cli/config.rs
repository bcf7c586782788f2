//! `standin config`.

use std::path::Path;

use super::{CommandError, output};
use crate::config::{self, Settings};

pub(super) fn check(file: Option<&Path>) -> Result<(), CommandError> {
    let settings = Settings::load(file)?;
    let what = match config::file(file) {
        Some(path) => format!("`{}` is good", path.display()),
        None => "There is no configuration file, so the defaults hold".to_owned(),
    };
    let pools: Vec<&str> = settings.pools.keys().map(String::as_str).collect();
    output::line(&format!("{what}. Pools: {}.", pools.join(", ")));
    Ok(())
}

pub(super) fn show(file: Option<&Path>) -> Result<(), CommandError> {
    output::line(Settings::load(file)?.show().trim_end());
    Ok(())
}
