//! Logging in: PLAIN, LOGIN and XOAUTH2.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use standin_worker::{Failure, Outcome};

use super::{
    failure,
    hello::Server,
    reply::Reply,
    settings::{Login, Mechanism, Settings, Tls},
};

pub(super) async fn log_in(
    settings: &Settings,
    server: &mut Server,
    login: &Login,
) -> Result<(), Failure> {
    if !server.is_secret && settings.tls != Tls::None {
        let why = "it offers no encryption, and the password would travel readable (\"tls\": \"none\" insists on it)";
        return Err(failure::insecure(settings, why));
    }
    let mechanism = choose(settings, server, login.mechanism)?;
    let reply = speak(settings, server, login, mechanism).await?;
    if reply.is_success() {
        return Ok(());
    }
    if reply.is_temporary() {
        return Err(failure::refused(settings, "our login", &reply, &[]));
    }
    let why = format!("{} {}", reply.code, reply.text);
    Err(failure::no_login(settings, why.trim_end_matches('.')))
}

fn choose(settings: &Settings, server: &Server, wanted: Mechanism) -> Result<Mechanism, Failure> {
    let offered = server.offer("AUTH").unwrap_or_default();
    let has = |name: &str| offered.iter().any(|offer| offer == name);
    match wanted {
        // Whoever names one knows better than the server's list.
        Mechanism::Plain | Mechanism::Login | Mechanism::Xoauth2 => Ok(wanted),
        Mechanism::Auto if has("PLAIN") => Ok(Mechanism::Plain),
        Mechanism::Auto if has("LOGIN") => Ok(Mechanism::Login),
        Mechanism::Auto if offered.is_empty() => {
            Err(failure::no_login(settings, "it offers no login at all"))
        }
        Mechanism::Auto => {
            let why = format!("it offers only {}", offered.join(", "));
            Err(failure::no_login(settings, &why))
        }
    }
}

async fn speak(
    settings: &Settings,
    server: &mut Server,
    login: &Login,
    mechanism: Mechanism,
) -> Result<Reply, Failure> {
    let Login { user, password, .. } = login;
    if user.contains('\0') || password.contains('\0') {
        return Err(failure::no_login(
            settings,
            "a user or password cannot hold a NUL character",
        ));
    }
    let mut say = async |line: String| {
        let reply = server.channel.command(&line).await;
        reply.map_err(|error| failure::broken(settings, &error, Outcome::NotExecuted))
    };
    match mechanism {
        Mechanism::Auto | Mechanism::Plain => {
            let secret = STANDARD.encode(format!("\0{user}\0{password}"));
            say(format!("AUTH PLAIN {secret}")).await
        }
        Mechanism::Login => {
            let mut reply = say("AUTH LOGIN".to_owned()).await?;
            for secret in [user, password] {
                if !reply.is_intermediate() {
                    return Ok(reply);
                }
                reply = say(STANDARD.encode(secret)).await?;
            }
            Ok(reply)
        }
        Mechanism::Xoauth2 => {
            let secret = STANDARD.encode(format!("user={user}\x01auth=Bearer {password}\x01\x01"));
            let reply = say(format!("AUTH XOAUTH2 {secret}")).await?;
            // A refusal comes as a question with the reason in it, and becomes final with an empty answer.
            if reply.is_intermediate() {
                say(String::new()).await
            } else {
                Ok(reply)
            }
        }
    }
}
