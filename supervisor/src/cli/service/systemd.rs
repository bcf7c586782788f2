//! The service on systems with systemd: two units, and `systemctl` for the rest.

use std::{
    io,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    super::{CommandError, options::InstallOptions, output},
    unit::{self, FOLDER, SERVICE, SOCKET},
};
use crate::config::{self, Settings};

/// Why the service manager did not do what was wanted.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum ManageError {
    #[error(
        "systemd is not running here, so there is nothing that could run the service\n(hint: run `standin serve` from \
         whatever starts programs here; `standin service install --print` shows the units)"
    )]
    NoSystemd,
    #[error("cannot {step} `{}`{}", .path.display(), as_root(.source))]
    File {
        step: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot run systemctl")]
    Systemctl(#[source] io::Error),
    #[error(
        "`systemctl {arguments}` failed; its own words are above{}",
        root_hint()
    )]
    Refused { arguments: String },
    #[error(
        "the service would not see `{}`: {why}\n(hint: put it elsewhere, such as {elsewhere}, or give the service a \
         user of its own with `--user`)", .path.display()
    )]
    OutOfSight {
        path: PathBuf,
        why: &'static str,
        elsewhere: &'static str,
    },
    #[error("the service is not installed\n(hint: standin service install)")]
    NotInstalled,
    #[error(
        "the service is not running\n(hint: standin service start; its log is in journalctl -u standin)"
    )]
    NotRunning,
}

fn as_root(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "\n(hint: only root may do this)",
        _ => "",
    }
}

fn root_hint() -> &'static str {
    if rustix::process::geteuid().is_root() {
        ""
    } else {
        "\n(hint: only root may do this)"
    }
}

pub(super) fn install(options: &InstallOptions) -> Result<(), CommandError> {
    let settings = Settings::load(options.config.as_deref())?;
    let user = user(options)?;
    let config = config::file(options.config.as_deref());
    let config = config.map(|path| absolute(&path)).transpose()?;
    let program = std::env::current_exe().map_err(|source| ManageError::File {
        step: "find",
        path: "standin".into(),
        source,
    })?;
    let units = unit::units(&program, config.as_deref(), user, &settings);
    if options.print {
        output::line(&format!(
            "# {FOLDER}/{SOCKET}\n{}\n# {FOLDER}/{SERVICE}\n{}",
            units.socket,
            units.service.trim_end()
        ));
        return Ok(());
    }
    need_systemd()?;
    if user.is_none() {
        in_sight(&program, "/usr/local/bin")?;
        if let Some(config) = &config {
            in_sight(config, "/etc/standin")?;
        }
    }
    write(SOCKET, &units.socket)?;
    write(SERVICE, &units.service)?;
    systemctl(&["daemon-reload"])?;
    systemctl(&["enable", SOCKET, SERVICE])?;
    output::line("Installed; it starts with the machine. Start it now: standin service start");
    if settings.endpoint.mode.0 & 0o022 == 0 {
        output::line(
            "Only root may connect. Set endpoint.mode and endpoint.group in the configuration, then install again.",
        );
    }
    Ok(())
}

pub(super) fn uninstall() -> Result<(), CommandError> {
    need_systemd()?;
    need_installed()?;
    systemctl(&["disable", "--now", SOCKET, SERVICE])?;
    for unit in [SERVICE, SOCKET] {
        let path = Path::new(FOLDER).join(unit);
        let removed = std::fs::remove_file(&path);
        removed.map_err(|source| ManageError::File {
            step: "remove",
            path,
            source,
        })?;
    }
    systemctl(&["daemon-reload"])?;
    output::line("Uninstalled. The configuration and /var/lib/standin are left.");
    Ok(())
}

pub(super) fn start() -> Result<(), CommandError> {
    need_systemd()?;
    need_installed()?;
    Ok(systemctl(&["start", SOCKET, SERVICE])?)
}

/// The socket first: a client in its queue would start the service again.
pub(super) fn stop() -> Result<(), CommandError> {
    need_systemd()?;
    need_installed()?;
    Ok(systemctl(&["stop", SOCKET, SERVICE])?)
}

pub(super) fn status() -> Result<(), CommandError> {
    need_systemd()?;
    need_installed()?;
    let shown = systemctl(&["--no-pager", "status", SERVICE, SOCKET]);
    match shown {
        // It has shown everything; what it means is in its exit code.
        Err(ManageError::Refused { .. }) => Err(ManageError::NotRunning.into()),
        other => Ok(other?),
    }
}

/// The user's name goes into a unit as it is.
fn user(options: &InstallOptions) -> Result<Option<&str>, CommandError> {
    let Some(user) = options.user.as_deref() else {
        return Ok(None);
    };
    let usual = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if user.is_empty() || !user.chars().all(usual) {
        let words = format!(
            "`{user}` is no name of a user\n(hint: leave out --user, and systemd makes one up)"
        );
        return Err(CommandError::Usage(words));
    }
    Ok(Some(user))
}

fn absolute(path: &Path) -> Result<PathBuf, ManageError> {
    std::path::absolute(path).map_err(|source| ManageError::File {
        step: "find",
        path: path.to_owned(),
        source,
    })
}

/// A user that systemd makes up owns nothing and has no home.
fn in_sight(path: &Path, elsewhere: &'static str) -> Result<(), ManageError> {
    use std::os::unix::fs::PermissionsExt;
    let hidden = |why| ManageError::OutOfSight {
        path: path.to_owned(),
        why,
        elsewhere,
    };
    if path.starts_with("/tmp") || path.starts_with("/var/tmp") {
        return Err(hidden("it has a /tmp of its own"));
    }
    let mut part = Some(path);
    while let Some(here) = part {
        let needed = if here == path { 0o004 } else { 0o001 };
        if std::fs::metadata(here).is_ok_and(|it| it.permissions().mode() & needed == 0) {
            return Err(hidden("not everybody may read it"));
        }
        part = here.parent();
    }
    Ok(())
}

fn need_systemd() -> Result<(), ManageError> {
    // What sd_booted(3) looks at.
    if Path::new("/run/systemd/system").is_dir() {
        Ok(())
    } else {
        Err(ManageError::NoSystemd)
    }
}

fn need_installed() -> Result<(), ManageError> {
    if Path::new(FOLDER).join(SERVICE).is_file() {
        Ok(())
    } else {
        Err(ManageError::NotInstalled)
    }
}

fn write(unit: &str, text: &str) -> Result<(), ManageError> {
    let path = Path::new(FOLDER).join(unit);
    std::fs::write(&path, text).map_err(|source| ManageError::File {
        step: "write",
        path,
        source,
    })
}

fn systemctl(arguments: &[&str]) -> Result<(), ManageError> {
    let ended = Command::new("systemctl").args(arguments).status();
    if ended.map_err(ManageError::Systemctl)?.success() {
        return Ok(());
    }
    Err(ManageError::Refused {
        arguments: arguments.join(" "),
    })
}
