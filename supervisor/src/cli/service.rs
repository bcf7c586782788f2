//! `standin service`: makes Standin a service of the machine and controls it, with systemd or with Windows' service
//! control manager. It does nothing that the administrator could not do with the tools of the system; it knows the
//! right words.

#[cfg(unix)]
mod systemd;
#[cfg(unix)]
mod unit;
#[cfg(windows)]
mod windows;

pub(super) use self::platform::ManageError;
#[cfg(unix)]
use self::systemd as platform;
#[cfg(windows)]
use self::windows as platform;
use super::{CommandError, options::ServiceCommand};

pub(super) fn run(command: &ServiceCommand) -> Result<(), CommandError> {
    match command {
        ServiceCommand::Install(options) => platform::install(options),
        ServiceCommand::Uninstall => platform::uninstall(),
        ServiceCommand::Start => platform::start(),
        ServiceCommand::Stop => platform::stop(),
        ServiceCommand::Status => platform::status(),
        #[cfg(windows)]
        ServiceCommand::Run(options) => platform::run(options),
    }
}
