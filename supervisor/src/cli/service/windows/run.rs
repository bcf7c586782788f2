//! The service itself, as Windows starts it: the control manager hears how it goes, and its controls become requests to
//! stop. There is no console; a failure to start is told by the exit code, the event log and the log file.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;
use windows_service::{
    define_windows_service,
    service::{
        ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState, ServiceStatus,
        ServiceType,
    },
    service_control_handler::{self, ServiceControlHandlerResult, ServiceStatusHandle},
    service_dispatcher,
};

use super::{
    super::super::{CommandError, options::RunOptions, output, serve},
    ManageError, NAME, cannot, event_log, machine,
};
use crate::{
    config::Settings,
    logging,
    notify::{Manager, News},
    service,
    state::Keeper,
};

/// How often a service that is stopping says that it still is.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// The longest that the manager waits for the next sign before it takes the service for dead.
const WAIT_HINT: Duration = Duration::from_secs(30);

/// One file and the old one before it take twice as much.
const LOG_SIZE_MAX: u64 = 16 * 1024 * 1024;

/// What the command line said; the manager's own thread calls [`service_main`] without it.
static CONFIG: OnceLock<Option<PathBuf>> = OnceLock::new();

/// Notified by the controls.
static STOP: Notify = Notify::const_new();

define_windows_service!(ffi_service_main, service_main);

pub(in crate::cli::service) fn run(options: &RunOptions) -> Result<(), CommandError> {
    let _ = CONFIG.set(options.config.clone());
    Ok(service_dispatcher::start(NAME, ffi_service_main)
        .map_err(cannot("become the service that Windows runs"))?)
}

fn service_main(_arguments: Vec<OsString>) {
    let controlled = |control: ServiceControl| match control {
        ServiceControl::Stop | ServiceControl::Shutdown | ServiceControl::Preshutdown => {
            // Kept until somebody waits for it.
            STOP.notify_one();
            ServiceControlHandlerResult::NoError
        }
        ServiceControl::Interrogate => ServiceControlHandlerResult::NoError,
        _ => ServiceControlHandlerResult::NotImplemented,
    };
    let handle = match service_control_handler::register(NAME, controlled) {
        Ok(handle) => handle,
        Err(error) => {
            event_log::error(&format!("Standin cannot be controlled by Windows: {error}"));
            return;
        }
    };
    let config = CONFIG.get().and_then(Option::as_deref);
    let code = match serve(config, handle) {
        Ok(()) => 0,
        Err(error) => {
            let words = output::in_words(&error);
            tracing::error!("{words}");
            event_log::error(&words);
            error.code()
        }
    };
    let exit_code = match code {
        0 => ServiceExitCode::NO_ERROR,
        code => ServiceExitCode::ServiceSpecific(code.into()),
    };
    report(handle, ServiceState::Stopped, 0, exit_code);
}

fn serve(config: Option<&Path>, handle: ServiceStatusHandle) -> Result<(), CommandError> {
    let none = ServiceExitCode::NO_ERROR;
    report(handle, ServiceState::StartPending, 1, none);
    let settings = Settings::load(config);
    // A wrong configuration shall stand in the log as well.
    let log = settings.as_ref().map(|it| it.log.clone());
    start_log(&log.unwrap_or_else(|_| Settings::default().log));
    let settings = settings?;
    let runtime = serve::runtime(settings.service.threads).map_err(CommandError::Runtime)?;
    let (checkpoint, stopping) = (AtomicU32::new(1), AtomicBool::new(false));
    let manager = Manager::new(Some(SIGN_OF_LIFE), move |news| match news {
        News::Ready => {
            event_log::information("Standin is serving.");
            report(handle, ServiceState::Running, 0, none);
        }
        News::Stopping => {
            stopping.store(true, Ordering::Relaxed);
            report(handle, ServiceState::StopPending, 1, none);
        }
        News::Alive if stopping.load(Ordering::Relaxed) => {
            let checkpoint = checkpoint.fetch_add(1, Ordering::Relaxed) + 1;
            report(handle, ServiceState::StopPending, checkpoint, none);
        }
        News::Alive => {}
    });
    let served = runtime.block_on(service::serve(
        settings,
        Keeper::Machine,
        manager,
        STOP.notified(),
        // The manager has no second request; it kills.
        std::future::pending(),
    ));
    // Threads that read a worker's output may be held up by somebody who holds its pipe; nobody waits for them.
    runtime.shutdown_background();
    served?;
    event_log::information("Standin has stopped.");
    Ok(())
}

/// A service without a log is better than none.
fn start_log(settings: &crate::config::LogSettings) {
    let path = machine::log_file();
    match logging::LogFile::open(&path, LOG_SIZE_MAX) {
        Ok(file) => logging::start_in(settings, file),
        Err(source) => {
            let error = ManageError::File {
                step: "write the log",
                path,
                source,
            };
            event_log::error(&output::in_words(&error.into()));
        }
    }
}

/// Failing to report is beyond help: whoever would be told is the one who does not listen.
fn report(
    handle: ServiceStatusHandle,
    current_state: ServiceState,
    checkpoint: u32,
    exit_code: ServiceExitCode,
) {
    let pending = matches!(
        current_state,
        ServiceState::StartPending | ServiceState::StopPending
    );
    let controls_accepted = match current_state {
        ServiceState::Running => {
            ServiceControlAccept::STOP
                | ServiceControlAccept::SHUTDOWN
                | ServiceControlAccept::PRESHUTDOWN
        }
        _ => ServiceControlAccept::empty(),
    };
    let status = ServiceStatus {
        service_type: ServiceType::OWN_PROCESS,
        current_state,
        controls_accepted,
        exit_code,
        checkpoint,
        wait_hint: if pending { WAIT_HINT } else { Duration::ZERO },
        process_id: None,
    };
    let told: Result<(), windows_service::Error> = handle.set_service_status(status);
    if let Err(error) = told {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "Windows cannot be told"
        );
    }
}
