//! The texts of the systemd units, from the configuration.

use std::{path::Path, time::Duration};

use crate::config::Settings;

/// Where units of the administrator stand.
pub(super) const FOLDER: &str = "/etc/systemd/system";
pub(super) const SERVICE: &str = "standin.service";
pub(super) const SOCKET: &str = "standin.socket";

const SERVICE_TEMPLATE: &str = include_str!("../../../../config/systemd/standin.service");
const SOCKET_TEMPLATE: &str = include_str!("../../../../config/systemd/standin.socket");

/// Where a service of the machine listens when the configuration does not say.
const ENDPOINT: &str = "/run/standin/standin.sock";

/// What the service may take after the limit for calls: the end of the workers and of the tree.
const STOP_GRACE: Duration = Duration::from_secs(30);

/// Both units.
pub(super) struct Units {
    pub(super) service: String,
    pub(super) socket: String,
}

/// The units for a program, its configuration file and a user; without a user systemd makes one up.
pub(super) fn units(
    program: &Path,
    config: Option<&Path>,
    user: Option<&str>,
    settings: &Settings,
) -> Units {
    let mut command = format!("{} serve", quoted(&program.to_string_lossy()));
    if let Some(config) = config {
        command += &format!(" --config {}", quoted(&config.to_string_lossy()));
    }
    let stop = (settings.service.stop.0 + STOP_GRACE).as_secs();
    // A named user may write where he may; the made-up one nowhere but in its own folders, and it has a /tmp of its own.
    let (user, protect_system) = match user {
        Some(user) => (format!("User={user}"), "full"),
        None => ("User=standin\nDynamicUser=yes".to_owned(), "strict"),
    };
    let service = SERVICE_TEMPLATE
        .replace("{command}", &command)
        .replace("{stop}", &stop.to_string())
        .replace("{user}", &user)
        .replace("{protect_system}", protect_system);
    let endpoint = match settings.endpoint.path.as_str() {
        "" => ENDPOINT,
        path => path,
    };
    let group = match settings.endpoint.group.as_str() {
        "" => String::new(),
        group => format!("SocketGroup={group}\n"),
    };
    let socket = SOCKET_TEMPLATE
        .replace("{endpoint}", &endpoint.replace('%', "%%"))
        .replace("{mode}", &format!("{:04o}", settings.endpoint.mode.0))
        .replace("{group}", &group);
    Units { service, socket }
}

/// One word of a command line, as systemd reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.+".contains(c);
    if word.chars().all(plain) {
        return word.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '%' | '$' => quoted.extend([c, c]),
            _ => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_units_take_path_rights_and_time_from_the_configuration() {
        let text = "[endpoint]\npath = \"/run/erp/s.sock\"\nmode = \"0660\"\ngroup = \"0\"\n[service]\nstop = \"25s\"\n";
        let settings = Settings::parse(text, Path::new("x.toml")).expect("it is right");
        let config = Some(Path::new("/etc/standin/my own.toml"));
        let units = units(
            Path::new("/usr/local/bin/standin"),
            config,
            Some("erp"),
            &settings,
        );
        let has = |unit: &str, line: &str| {
            assert!(unit.lines().any(|it| it == line), "{line} in\n{unit}");
        };
        has(
            &units.service,
            "ExecStart=/usr/local/bin/standin serve --config \"/etc/standin/my own.toml\"",
        );
        has(&units.service, "User=erp");
        has(&units.service, "TimeoutStopSec=55s");
        has(&units.socket, "ListenStream=/run/erp/s.sock");
        has(&units.socket, "SocketMode=0660");
        has(&units.socket, "SocketGroup=0");
        for unit in [&units.service, &units.socket] {
            assert!(!unit.contains(['{', '}']), "{unit}");
        }
        assert!(!units.service.contains("DynamicUser"), "{}", units.service);
    }

    #[test]
    fn without_a_user_the_service_runs_as_one_that_systemd_makes_up() {
        let units = units(Path::new("/opt/standin"), None, None, &Settings::default());
        for line in [
            "DynamicUser=yes",
            "ProtectSystem=strict",
            "ExecStart=/opt/standin serve",
        ] {
            assert!(units.service.lines().any(|it| it == line), "{line}");
        }
        assert!(
            units
                .socket
                .contains("ListenStream=/run/standin/standin.sock\nSocketMode=0600\nDirectoryMode")
        );
    }

    #[test]
    fn what_systemd_would_expand_is_written_twice() {
        assert_eq!(quoted(r#"/a b/50%$x"\"#), r#""/a b/50%%$$x\"\\""#);
    }
}
