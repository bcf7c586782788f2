//! How the server is reached: what the call says, then what the environment says, then what is usual.

use std::time::Duration;

use standin_worker::{Failure, shown};

use super::arguments::MailServer;
use crate::net::tls::Trust;

/// RFC 5321 allows minutes for each step; a person at a screen does not.
const STEP_DEFAULT: Duration = Duration::from_secs(30);
/// The call's own time ends it long before.
const STEP_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Ten steps at the default, so that the attempt's own limit usually decides.
const TOTAL_STEPS: u32 = 10;

/// Settings that stand in for what a call leaves out.
#[derive(Debug, Clone, Default)]
pub struct MailDefaults {
    /// The server.
    pub server: MailServer,
    /// The sender.
    pub from: Option<String>,
}

impl MailDefaults {
    /// `STANDIN_MAIL_HOST`, `_PORT`, `_TLS`, `_USER`, `_PASSWORD` and `_FROM`.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let get =
            |name: &str| lookup(&format!("STANDIN_MAIL_{name}")).filter(|text| !text.is_empty());
        Self {
            server: MailServer {
                host: get("HOST"),
                // A port that is no number must not silently become another one; it is refused when it is used.
                port: get("PORT").map(|port| port.parse().unwrap_or(0)),
                tls: get("TLS"),
                user: get("USER"),
                password: get("PASSWORD"),
                ..MailServer::default()
            },
            from: get("FROM"),
        }
    }
}

/// When the conversation becomes secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    /// Never; the caller insists.
    None,
    /// If the server offers it.
    IfOffered,
    /// Or there is no conversation.
    Required,
    /// From the first byte.
    Implicit,
}

/// How to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    Auto,
    Plain,
    Login,
    Xoauth2,
}

/// Who logs in.
pub(super) struct Login {
    pub(super) mechanism: Mechanism,
    pub(super) user: String,
    pub(super) password: String,
}

/// Everything settled.
pub(super) struct Settings {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Tls,
    pub(super) login: Option<Login>,
    pub(super) trust: Trust,
    /// For each step.
    pub(super) step: Duration,
    /// For everything.
    pub(super) limit: Duration,
    pub(super) helo: Option<String>,
}

impl Settings {
    /// The server as a person knows it.
    pub(super) fn server(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

pub(super) fn settle(
    defaults: &MailDefaults,
    given: Option<&MailServer>,
) -> Result<Settings, Failure> {
    let nothing = MailServer::default();
    let given = given.unwrap_or(&nothing);
    // A password from the environment is for the environment's server only: a caller who names another server must
    // not be able to have it sent there.
    let ours = given.host.is_none() || given.host == defaults.server.host;
    let fallback = if ours { &defaults.server } else { &nothing };

    let host = given.host.as_ref().or(fallback.host.as_ref());
    let host = host.ok_or_else(|| refuse("No mail server is named: give \"server\" with a \"host\", or set STANDIN_MAIL_HOST for the service."))?;
    let tls = given.tls.as_deref().or(fallback.tls.as_deref());
    // An empty user is nobody, also where the environment has one.
    let user = given.user.as_ref().or(fallback.user.as_ref());
    let user = user.filter(|user| !user.is_empty());
    let port = given.port.or(fallback.port);
    if port == Some(0) {
        return Err(refuse(
            "The port of the mail server must be a number from 1 to 65535.",
        ));
    }
    let tls = match tls {
        None if port == Some(465) => Tls::Implicit,
        None => Tls::IfOffered,
        Some(word) => tls_from(word)?,
    };
    let port = port.unwrap_or(match (tls, user) {
        (Tls::Implicit, _) => 465,
        (_, Some(_)) => 587,
        (_, None) => 25,
    });
    let login = match user {
        None => None,
        Some(user) => {
            let password = given.password.as_ref().or(fallback.password.as_ref());
            Some(Login {
                mechanism: mechanism_from(given.auth.as_deref())?,
                user: user.clone(),
                password: password.cloned().unwrap_or_default(),
            })
        }
    };
    let step = given.timeout_ms.map_or(STEP_DEFAULT, Duration::from_millis);
    let step = step.min(STEP_MAX);
    for (name, text) in [("host", Some(host)), ("helo", given.helo.as_ref())] {
        if text.is_some_and(|text| text.is_empty() || !text.chars().all(|c| c.is_ascii_graphic())) {
            return Err(refuse(&format!(
                "The server's \"{name}\" is empty, or holds blanks or characters that no host name has."
            )));
        }
    }
    Ok(Settings {
        host: host.clone(),
        port,
        tls,
        login,
        trust: Trust {
            ca_pem: given.ca_pem.clone(),
            client_pem: None,
            verify: given.verify.unwrap_or(true),
        },
        step,
        limit: step * TOTAL_STEPS,
        helo: given.helo.clone(),
    })
}

fn refuse(message: &str) -> Failure {
    Failure::invalid_arguments(message)
}

fn tls_from(word: &str) -> Result<Tls, Failure> {
    match word.to_ascii_lowercase().as_str() {
        "none" => Ok(Tls::None),
        "starttls" => Ok(Tls::IfOffered),
        "starttls_required" => Ok(Tls::Required),
        "implicit" => Ok(Tls::Implicit),
        _ => Err(refuse(&format!(
            "{} is no way to use TLS; there are none, starttls, starttls_required and implicit.",
            shown(word)
        ))),
    }
}

fn mechanism_from(word: Option<&str>) -> Result<Mechanism, Failure> {
    match word.unwrap_or("auto").to_ascii_lowercase().as_str() {
        "auto" => Ok(Mechanism::Auto),
        "plain" => Ok(Mechanism::Plain),
        "login" => Ok(Mechanism::Login),
        "xoauth2" => Ok(Mechanism::Xoauth2),
        word => Err(refuse(&format!(
            "{} is no way to log in; there are auto, plain, login and xoauth2.",
            shown(word)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> MailDefaults {
        MailDefaults::from_lookup(|name| match name {
            "STANDIN_MAIL_HOST" => Some("mail.ours.test".into()),
            "STANDIN_MAIL_USER" => Some("anna".into()),
            "STANDIN_MAIL_PASSWORD" => Some("geheim".into()),
            _ => None,
        })
    }

    #[test]
    fn the_environment_fills_in_what_the_call_leaves_out() {
        let settings = settle(&environment(), None).unwrap();
        assert_eq!(
            (settings.host.as_str(), settings.port),
            ("mail.ours.test", 587)
        );
        assert_eq!(settings.tls, Tls::IfOffered);
        assert_eq!(
            settings.login.map(|login| login.password),
            Some("geheim".into())
        );
    }

    #[test]
    fn the_environments_password_never_goes_to_another_server() {
        let other = MailServer {
            host: Some("evil.test".into()),
            user: Some("anna".into()),
            ..MailServer::default()
        };
        let settings = settle(&environment(), Some(&other)).unwrap();
        assert_eq!(
            settings.login.map(|login| login.password),
            Some(String::new())
        );
    }

    #[test]
    fn an_empty_user_is_nobody_and_no_time_is_too_long_to_count_with() {
        let server = MailServer {
            user: Some(String::new()),
            timeout_ms: Some(u64::MAX),
            ..MailServer::default()
        };
        let settings = settle(&environment(), Some(&server)).unwrap();
        assert!(settings.login.is_none());
        assert_eq!((settings.port, settings.step), (25, STEP_MAX));
    }

    #[test]
    fn port_and_tls_follow_from_each_other() {
        let with = |port, tls: Option<&str>| {
            let server = MailServer {
                host: Some("h".into()),
                port,
                tls: tls.map(Into::into),
                ..MailServer::default()
            };
            settle(&MailDefaults::default(), Some(&server))
                .map(|settings| (settings.port, settings.tls))
        };
        assert_eq!(with(None, None).unwrap(), (25, Tls::IfOffered));
        assert_eq!(with(Some(465), None).unwrap(), (465, Tls::Implicit));
        assert_eq!(with(None, Some("implicit")).unwrap(), (465, Tls::Implicit));
        assert_eq!(with(Some(2525), Some("NONE")).unwrap(), (2525, Tls::None));
        assert!(
            with(None, Some("ssl"))
                .unwrap_err()
                .answer()
                .message
                .contains("implicit")
        );
        assert!(with(Some(0), None).is_err());
    }

    #[test]
    fn a_host_that_would_break_the_line_is_refused() {
        let server = MailServer {
            host: Some("h".into()),
            helo: Some("a\r\nMAIL".into()),
            ..MailServer::default()
        };
        assert!(settle(&MailDefaults::default(), Some(&server)).is_err());
    }
}
