//! `standin serve`.

use super::{CommandError, ServeOptions};
use crate::{config::Settings, logging, service};

pub(super) fn run(options: &ServeOptions) -> Result<(), CommandError> {
    let mut settings = Settings::load(options.config.as_deref())?;
    if let Some(endpoint) = &options.endpoint {
        settings.endpoint.path.clone_from(endpoint);
    }
    if let Some(level) = &options.log {
        settings.log.level.clone_from(level);
    }
    logging::start(&settings.log);
    let mut builder = match settings.service.threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        threads => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            if threads > 0 {
                builder.worker_threads(threads);
            }
            builder
        }
    };
    let runtime = builder
        .enable_all()
        .build()
        .map_err(CommandError::Runtime)?;
    let served = runtime.block_on(async {
        let (first, second) = signals().map_err(CommandError::Runtime)?;
        service::serve(settings, first, second)
            .await
            .map_err(CommandError::Serve)
    });
    // Threads that read a worker's output may be held up by somebody who holds its pipe; nobody waits for them.
    runtime.shutdown_background();
    served
}

/// The first request to stop, and the second.
#[cfg(unix)]
fn signals() -> std::io::Result<(impl Future<Output = ()>, impl Future<Output = ()>)> {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    async fn next(interrupt: &mut Signal, terminate: &mut Signal) {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
    let pair = || {
        Ok::<_, std::io::Error>((
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        ))
    };
    let ((mut interrupt, mut terminate), (mut both_interrupt, mut both_terminate)) =
        (pair()?, pair()?);
    let first = async move { next(&mut interrupt, &mut terminate).await };
    let second = async move {
        next(&mut both_interrupt, &mut both_terminate).await;
        next(&mut both_interrupt, &mut both_terminate).await;
    };
    Ok((first, second))
}

#[cfg(windows)]
fn signals() -> std::io::Result<(impl Future<Output = ()>, impl Future<Output = ()>)> {
    let mut first = tokio::signal::windows::ctrl_c()?;
    let mut both = tokio::signal::windows::ctrl_c()?;
    Ok((
        async move {
            let _ = first.recv().await;
        },
        async move {
            let _ = both.recv().await;
            let _ = both.recv().await;
        },
    ))
}
