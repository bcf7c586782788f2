//! `standin backup`.

use std::{path::PathBuf, time::Duration};

use super::{
    CommandError, client,
    options::{BackupOptions, ServiceOptions},
    output,
};
use crate::{
    config::{Settings, Span},
    service::ServeError,
    state::{self, Keeper},
    status::ServiceStatus,
    store,
};

/// A service that runs answers within that; one that does not run is not waited for.
const ANSWER_LIMIT: Duration = Duration::from_millis(500);

pub(super) fn run(options: &BackupOptions) -> Result<(), CommandError> {
    let folder = match options
        .state
        .clone()
        .filter(|it| !it.as_os_str().is_empty())
    {
        Some(folder) => folder,
        None => match folder_of_service(options) {
            Some(folder) => folder,
            None => folder_of_settings(options)?,
        },
    };
    store::back_up(&folder, &options.file)?;
    output::line(&format!(
        "The database of {} is copied to {}.",
        folder.display(),
        options.file.display()
    ));
    Ok(())
}

/// The one that a running service tells.
fn folder_of_service(options: &BackupOptions) -> Option<PathBuf> {
    let service = ServiceOptions {
        endpoint: options.endpoint.clone(),
        wait: Span(ANSWER_LIMIT),
    };
    let client = client::connect(&service).ok()?;
    let status: ServiceStatus = client.send(client.request("standin.status")).ok()?;
    Some(PathBuf::from(status.state)).filter(|folder| !folder.as_os_str().is_empty())
}

/// The one that a service would use.
fn folder_of_settings(options: &BackupOptions) -> Result<PathBuf, CommandError> {
    let mut settings = Settings::load(options.config.as_deref())?;
    if let Some(endpoint) = options.endpoint.clone().filter(|it| !it.is_empty()) {
        settings.endpoint.path = endpoint;
    }
    let endpoint = settings.endpoint().map_err(ServeError::from)?;
    let place = state::place(&settings, &endpoint, Keeper::Somebody);
    Ok(place.map_err(ServeError::from)?)
}
