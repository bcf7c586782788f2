//! `standin config`.

use std::path::{Path, PathBuf};

use super::{CommandError, output};
use crate::{
    config::{self, Settings},
    service::ServeError,
    state::{self, Keeper},
};

pub(super) fn check(file: Option<&Path>) -> Result<(), CommandError> {
    let settings = Settings::load(file)?;
    let what = match config::file(file) {
        Some(path) => format!("`{}` is good", path.display()),
        None => "There is no configuration file, so the defaults hold".to_owned(),
    };
    let pools: Vec<&str> = settings.pools.keys().map(String::as_str).collect();
    let place = state_folder(&settings)?;
    output::line(&format!(
        "{what}. Pools: {}.\nStarted by you, the service keeps its state in {}.",
        pools.join(", "),
        place.display()
    ));
    Ok(())
}

/// Where a service of these settings would keep its state.
fn state_folder(settings: &Settings) -> Result<PathBuf, CommandError> {
    let endpoint = settings.endpoint().map_err(ServeError::from)?;
    let place = state::place(settings, &endpoint, Keeper::Somebody);
    Ok(place.map_err(ServeError::from)?)
}

pub(super) fn show(file: Option<&Path>) -> Result<(), CommandError> {
    output::line(Settings::load(file)?.show().trim_end());
    Ok(())
}
