//! `standin serve`.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use tokio::runtime::{Builder, Runtime};

#[cfg(unix)]
use self::unix::StopRequests;
#[cfg(windows)]
use self::windows::StopRequests;
use super::{CommandError, options::ServeOptions};
use crate::{config::Settings, logging, notify::Manager, service, state::Keeper};

pub(super) fn run(options: &ServeOptions) -> Result<(), CommandError> {
    let mut settings = Settings::load(options.config.as_deref())?;
    // An empty variable is as good as none.
    if let Some(endpoint) = options
        .endpoint
        .as_ref()
        .filter(|endpoint| !endpoint.is_empty())
    {
        settings.endpoint.path.clone_from(endpoint);
    }
    if let Some(level) = options.log.as_ref().filter(|level| !level.is_empty()) {
        logging::check_level(level).map_err(|wrong| CommandError::Usage(wrong.to_string()))?;
        settings.log.level.clone_from(level);
    }
    if let Some(state) = options
        .state
        .as_ref()
        .filter(|dir| !dir.as_os_str().is_empty())
    {
        settings.state.dir.clone_from(state);
    }
    logging::start(&settings.log);
    let runtime = runtime(settings.service.threads).map_err(CommandError::Runtime)?;
    let served = runtime.block_on(async {
        // Both are armed before anything is started, so that no request to stop is ever missed.
        let mut first = StopRequests::listen().map_err(CommandError::Runtime)?;
        let mut both = StopRequests::listen().map_err(CommandError::Runtime)?;
        let stop = async move { first.next().await };
        let hurry = async move {
            both.next().await;
            both.next().await;
        };
        service::serve(
            settings,
            Keeper::Somebody,
            Manager::of_environment(),
            stop,
            hurry,
        )
        .await
        .map_err(CommandError::Serve)
    });
    // Threads that read a worker's output may be held up by somebody who holds its pipe; nobody waits for them.
    runtime.shutdown_background();
    served
}

/// One thread needs no stealing of work and no locks between threads.
pub(super) fn runtime(threads: usize) -> std::io::Result<Runtime> {
    let mut builder = match threads {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    if threads > 1 {
        builder.worker_threads(threads);
    }
    // More steps between two looks for news mean more news at each look, and more messages in each write. Some hundred
    // steps take a tenth of a millisecond.
    builder.event_interval(255).enable_all().build()
}
