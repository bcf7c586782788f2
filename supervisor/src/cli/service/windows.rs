//! The service on Windows: what the administrator's verbs ask of the service control manager.

mod event_log;
mod machine;
mod run;

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use windows_service::{
    service::{
        Service, ServiceAccess, ServiceAction, ServiceActionType, ServiceErrorControl,
        ServiceExitCode, ServiceFailureActions, ServiceFailureResetPeriod, ServiceInfo,
        ServiceSidType, ServiceStartType, ServiceState, ServiceType,
    },
    service_manager::{ServiceManager, ServiceManagerAccess},
};

pub(super) use self::run::run;
use super::super::{CommandError, options::InstallOptions, output};
use crate::config::{self, Settings};

/// The service's name, which is its account's and its event source's as well.
const NAME: &str = "Standin";

/// An account of the service's own, without a password, that Windows makes up from its name.
const ACCOUNT: &str = r"NT SERVICE\Standin";

const DESCRIPTION: &str = "Lends capable co-processes to programs that cannot open a TLS connection, send a mail or match a regex.";

/// What the service may take after the limit for calls: the end of the workers and of the tree.
const STOP_GRACE: Duration = Duration::from_secs(30);

/// The pauses before the service is started again; the last one holds for all that follow. Standin never gives up.
const RESTARTS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
];

/// After so much quiet the first pause holds again.
const QUIET: Duration = Duration::from_secs(600);

/// Why the service manager did not do what was wanted.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum ManageError {
    #[error("cannot {step}{}", hint(.source))]
    Manager {
        step: &'static str,
        #[source]
        source: io::Error,
    },
    #[error("cannot {step} `{}`", .path.display())]
    File {
        step: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot wait for the service")]
    Wait(#[source] io::Error),
    #[error(
        "the service did not start: {reason}\n(hint: its log is {}, and it has written to the event log)",
        machine::log_file().display()
    )]
    NotStarted { reason: String },
    #[error("the service is still not {wanted} after {} s", .limit.as_secs())]
    Slow {
        wanted: &'static str,
        limit: Duration,
    },
    #[error("the service is not running\n(hint: standin service start)")]
    NotRunning,
}

const ERROR_ACCESS_DENIED: i32 = 5;
const ERROR_FAILED_SERVICE_CONTROLLER_CONNECT: i32 = 1063;
const ERROR_SERVICE_DOES_NOT_EXIST: i32 = 1060;
const ERROR_SERVICE_MARKED_FOR_DELETE: i32 = 1072;
const ERROR_SERVICE_EXISTS: i32 = 1073;

fn hint(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(ERROR_ACCESS_DENIED) => "\n(hint: only an administrator may do this)",
        Some(ERROR_SERVICE_DOES_NOT_EXIST) => {
            "\n(hint: it is not installed: standin service install)"
        }
        Some(ERROR_SERVICE_EXISTS) => {
            "\n(hint: it is installed already; standin service uninstall comes first)"
        }
        Some(ERROR_SERVICE_MARKED_FOR_DELETE) => {
            "\n(hint: somebody still looks at the old one; close services.msc and try again)"
        }
        Some(ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) => {
            "\n(hint: Windows starts this itself; use standin service start, or standin serve)"
        }
        _ => "",
    }
}

fn cannot(step: &'static str) -> impl FnOnce(windows_service::Error) -> ManageError {
    move |error| ManageError::Manager {
        step,
        source: system_error(error),
    }
}

/// The words of the crate around the system's own tell nobody anything.
fn system_error(error: windows_service::Error) -> io::Error {
    match error {
        windows_service::Error::Winapi(error) => error,
        other => io::Error::other(other),
    }
}

pub(super) fn install(options: &InstallOptions) -> Result<(), CommandError> {
    let settings = Settings::load(options.config.as_deref())?;
    let program = std::env::current_exe().map_err(|source| ManageError::File {
        step: "find",
        path: "standin.exe".into(),
        source,
    })?;
    let account = options.user.as_deref().unwrap_or(ACCOUNT);
    let mut arguments: Vec<OsString> = vec!["service".into(), "run".into()];
    if let Some(path) = config::file(options.config.as_deref()) {
        let absolute = std::path::absolute(&path).map_err(|source| ManageError::File {
            step: "find",
            path,
            source,
        })?;
        arguments.extend(["--config".into(), absolute.into()]);
    }
    if options.print {
        print(&program, &arguments, account);
        return Ok(());
    }
    let manager = manager(ServiceManagerAccess::CONNECT | ServiceManagerAccess::CREATE_SERVICE)?;
    let info = ServiceInfo {
        name: NAME.into(),
        display_name: NAME.into(),
        service_type: ServiceType::OWN_PROCESS,
        start_type: ServiceStartType::AutoStart,
        error_control: ServiceErrorControl::Normal,
        executable_path: program,
        launch_arguments: arguments,
        dependencies: Vec::new(),
        account_name: Some(account.into()),
        account_password: None,
    };
    // A restart as a recovery action wants the right to start.
    let access = ServiceAccess::CHANGE_CONFIG | ServiceAccess::START | ServiceAccess::QUERY_STATUS;
    let service = manager
        .create_service(&info, access)
        .map_err(cannot("install the service"))?;
    let stop = settings.service.stop.0 + STOP_GRACE;
    // The service is there, and each of these is an improvement; without one of them it still works.
    let improve = |what: &str, done: io::Result<()>| {
        if let Err(error) = done {
            output::line(&format!("Note: {what} could not be set ({error})."));
        }
    };
    let changed = |done: windows_service::Result<()>| done.map_err(system_error);
    improve(
        "the description",
        changed(service.set_description(DESCRIPTION)),
    );
    improve(
        "the delayed start",
        changed(service.set_delayed_auto_start(true)),
    );
    improve(
        "the recovery actions",
        changed(service.update_failure_actions(recovery())),
    );
    improve(
        "recovery after an exit with an error",
        changed(service.set_failure_actions_on_non_crash_failures(true)),
    );
    improve(
        "the time for shutdown",
        changed(service.set_preshutdown_timeout(stop)),
    );
    improve(
        "the service's own identity",
        changed(service.set_config_service_sid_info(ServiceSidType::Unrestricted)),
    );
    improve("the source in the event log", event_log::register());
    improve(
        "the rights of the folder for the log and the state",
        machine::make_folders(account),
    );
    output::line("Installed; it starts with the machine. Start it now: standin service start");
    Ok(())
}

fn print(program: &Path, arguments: &[OsString], account: &str) {
    let mut command = format!("\"{}\"", program.display());
    for argument in arguments {
        command += &format!(" {}", argument.to_string_lossy());
    }
    let restarts: Vec<String> = RESTARTS
        .iter()
        .map(|pause| format!("{} s", pause.as_secs()))
        .collect();
    output::line(&format!(
        "name:      {NAME}\ncommand:   {command}\naccount:   {account}\nstart:     automatic, delayed\n\
         recovery:  restart after {}, also after an exit with an error\nlog:       {}",
        restarts.join(", "),
        machine::log_file().display()
    ));
}

fn recovery() -> ServiceFailureActions {
    let restart = |delay: &Duration| ServiceAction {
        action_type: ServiceActionType::Restart,
        delay: *delay,
    };
    ServiceFailureActions {
        reset_period: ServiceFailureResetPeriod::After(QUIET),
        reboot_msg: None,
        command: None,
        actions: Some(RESTARTS.iter().map(restart).collect()),
    }
}

pub(super) fn uninstall() -> Result<(), CommandError> {
    let service = open(ServiceAccess::DELETE | ServiceAccess::STOP | ServiceAccess::QUERY_STATUS)?;
    if state(&service)? != ServiceState::Stopped {
        stop_and_wait(&service)?;
    }
    service.delete().map_err(cannot("uninstall the service"))?;
    event_log::unregister();
    output::line(&format!(
        "Uninstalled. The configuration, the log and the state in {} are left.",
        machine::folder().display()
    ));
    Ok(())
}

pub(super) fn start() -> Result<(), CommandError> {
    let service = open(ServiceAccess::START | ServiceAccess::QUERY_STATUS)?;
    let arguments: [&str; 0] = [];
    service
        .start(&arguments)
        .map_err(cannot("start the service"))?;
    let reached = wait(&service, |state| {
        !matches!(state, ServiceState::StartPending)
    })?;
    match reached {
        Some(ServiceState::Running) => {
            output::line("Started.");
            Ok(())
        }
        Some(_) => Err(not_started(&service)?.into()),
        None => Err(slow("running").into()),
    }
}

fn not_started(service: &Service) -> Result<ManageError, ManageError> {
    let status = service
        .query_status()
        .map_err(cannot("look at the service"))?;
    let reason = match status.exit_code {
        ServiceExitCode::ServiceSpecific(2) => "its configuration is wrong".to_owned(),
        ServiceExitCode::ServiceSpecific(code) => format!("it ended with code {code}"),
        ServiceExitCode::Win32(code) => io::Error::from_raw_os_error(code as i32).to_string(),
    };
    Ok(ManageError::NotStarted { reason })
}

pub(super) fn stop() -> Result<(), CommandError> {
    let service = open(ServiceAccess::STOP | ServiceAccess::QUERY_STATUS)?;
    if state(&service)? == ServiceState::Stopped {
        return Err(ManageError::NotRunning.into());
    }
    stop_and_wait(&service)?;
    output::line("Stopped.");
    Ok(())
}

fn stop_and_wait(service: &Service) -> Result<(), ManageError> {
    service.stop().map_err(cannot("stop the service"))?;
    match wait(service, |state| state == ServiceState::Stopped)? {
        Some(_) => Ok(()),
        None => Err(slow("stopped")),
    }
}

pub(super) fn status() -> Result<(), CommandError> {
    let service = open(ServiceAccess::QUERY_STATUS)?;
    let status = service
        .query_status()
        .map_err(cannot("look at the service"))?;
    let pid = status
        .process_id
        .filter(|pid| *pid != 0)
        .map_or_else(String::new, |pid| format!(", pid {pid}"));
    output::line(&format!("{NAME}: {}{pid}", words(status.current_state)));
    output::line(&format!("log: {}", machine::log_file().display()));
    match status.current_state {
        ServiceState::Running => Ok(()),
        _ => Err(ManageError::NotRunning.into()),
    }
}

fn words(state: ServiceState) -> &'static str {
    match state {
        ServiceState::Running => "running",
        ServiceState::StartPending => "starting",
        ServiceState::StopPending => "stopping",
        ServiceState::Stopped => "stopped",
        ServiceState::Paused | ServiceState::PausePending | ServiceState::ContinuePending => {
            "paused"
        }
    }
}

fn manager(access: ServiceManagerAccess) -> Result<ServiceManager, ManageError> {
    ServiceManager::local_computer(None::<&str>, access)
        .map_err(cannot("reach the service control manager"))
}

fn open(access: ServiceAccess) -> Result<Service, ManageError> {
    manager(ServiceManagerAccess::CONNECT)?
        .open_service(NAME, access)
        .map_err(cannot("open the service"))
}

fn state(service: &Service) -> Result<ServiceState, ManageError> {
    let status = service.query_status();
    Ok(status.map_err(cannot("look at the service"))?.current_state)
}

/// The longest that a verb waits; the service itself is bounded by its settings, which may be others than ours.
const WAIT_LIMIT: Duration = Duration::from_secs(120);

fn slow(wanted: &'static str) -> ManageError {
    ManageError::Slow {
        wanted,
        limit: WAIT_LIMIT,
    }
}

/// The state that `reached` accepts, or nothing when the limit is over.
fn wait(
    service: &Service,
    reached: impl Fn(ServiceState) -> bool,
) -> Result<Option<ServiceState>, ManageError> {
    // The manager has no handle to wait on, so it is asked.
    const PAUSE: Duration = Duration::from_millis(100);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(ManageError::Wait)?;
    let mut looks = WAIT_LIMIT.as_millis() / PAUSE.as_millis();
    loop {
        let now = state(service)?;
        if reached(now) {
            return Ok(Some(now));
        }
        if looks == 0 {
            return Ok(None);
        }
        looks -= 1;
        runtime.block_on(async { tokio::time::sleep(PAUSE).await });
    }
}
