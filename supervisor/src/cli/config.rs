//! `standin config`.

use std::path::Path;

use super::{CommandError, show};
use crate::config::Settings;

pub(super) fn check(file: Option<&Path>) -> Result<(), CommandError> {
    let settings = Settings::load(file)?;
    let pools: Vec<&str> = settings.pools.keys().map(String::as_str).collect();
    show::line(&format!(
        "The configuration is good. Pools: {}.",
        pools.join(", ")
    ));
    Ok(())
}

pub(super) fn show(file: Option<&Path>) -> Result<(), CommandError> {
    let settings = Settings::load(file)?;
    show::line(settings.show().trim_end());
    Ok(())
}
