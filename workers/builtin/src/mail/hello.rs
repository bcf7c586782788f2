//! The beginning of a conversation: reaching the server, the greeting, EHLO, and TLS.

use std::{net::IpAddr, sync::Arc};

use rustls::pki_types::ServerName;
use standin_worker::{Failure, Outcome};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::TlsConnector;

use super::{
    channel::{Channel, Stream},
    failure,
    reply::Reply,
    settings::{Settings, Tls},
};
use crate::net::tls;

/// A server that is ready for a login or a mail.
pub(super) struct Server {
    pub(super) channel: Channel,
    pub(super) is_secret: bool,
    offers: Vec<String>,
}

impl Server {
    /// What the server offered behind a keyword, such as the mechanisms behind `AUTH`.
    pub(super) fn offer(&self, keyword: &str) -> Option<Vec<String>> {
        self.offers.iter().find_map(|line| {
            // Old servers write AUTH=LOGIN.
            let mut words = line.split([' ', '=']).map(str::to_ascii_uppercase);
            (words.next()? == keyword).then(|| words.collect())
        })
    }
}

/// Everything up to the first EHLO whose answer can be believed.
pub(super) async fn reach(settings: &Settings, deadline: Instant) -> Result<Server, Failure> {
    let limit = deadline.min(Instant::now() + settings.step);
    let tcp = connect(settings, limit).await?;
    let helo = match &settings.helo {
        Some(helo) => helo.clone(),
        None => literal(
            tcp.local_addr()
                .map_or(IpAddr::from([127, 0, 0, 1]), |address| address.ip()),
        ),
    };
    let broken = |error| failure::broken(settings, &error, Outcome::NotExecuted);
    let is_implicit = settings.tls == Tls::Implicit;
    let stream: Box<dyn Stream> = Box::new(tcp);
    let stream = if is_implicit {
        secure(settings, stream, limit).await?
    } else {
        stream
    };
    let mut channel = Channel::new(stream, settings.step, deadline);

    let greeting = channel.reply().await.map_err(broken)?;
    accepted(settings, "the connection", &greeting)?;
    let offers = ehlo(settings, &mut channel, &helo).await?;
    let mut server = Server {
        channel,
        is_secret: is_implicit,
        offers,
    };
    let is_offered = server.offer("STARTTLS").is_some();
    match settings.tls {
        Tls::None | Tls::Implicit => return Ok(server),
        Tls::IfOffered if !is_offered => return Ok(server),
        Tls::Required if !is_offered => {
            return Err(failure::insecure(settings, "it does not offer STARTTLS"));
        }
        Tls::IfOffered | Tls::Required => {}
    }
    let go = server.channel.command("STARTTLS").await.map_err(broken)?;
    if go.is_temporary() {
        return Err(failure::refused(settings, "STARTTLS", &go, &[]));
    }
    if !go.is_success() {
        let why = format!(
            "it offered STARTTLS and then refused it: {} {}",
            go.code, go.text
        );
        return Err(failure::insecure(settings, &why));
    }
    let bare = server.channel.into_bare();
    let bare =
        bare.ok_or_else(|| failure::insecure(settings, "somebody spoke before it was secure"))?;
    let limit = deadline.min(Instant::now() + settings.step);
    let stream = secure(settings, bare, limit).await?;
    let mut channel = Channel::new(stream, settings.step, deadline);
    // What was offered before TLS may have been put there by anybody.
    let offers = ehlo(settings, &mut channel, &helo).await?;
    Ok(Server {
        channel,
        is_secret: true,
        offers,
    })
}

async fn connect(settings: &Settings, limit: Instant) -> Result<TcpStream, Failure> {
    let unreachable = |why: &str| failure::unreachable(settings, why);
    let late = |_| unreachable("it did not answer in time");
    let lookup = tokio::net::lookup_host((settings.host.as_str(), settings.port));
    let found = timeout_at(limit, lookup).await.map_err(late)?;
    let addresses = found.map_err(|_| unreachable("no such name is known here"))?;
    let mut last = unreachable("no such name is known here");
    for address in addresses {
        match timeout_at(limit, TcpStream::connect(address))
            .await
            .map_err(late)?
        {
            Ok(tcp) => {
                // Commands are small and wait for their answers; only latency can be lost here.
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                last = unreachable("nobody listens there");
            }
            Err(error) => last = unreachable(&error.to_string()),
        }
    }
    Err(last)
}

async fn secure(
    settings: &Settings,
    stream: Box<dyn Stream>,
    limit: Instant,
) -> Result<Box<dyn Stream>, Failure> {
    if !settings.trust.verify {
        tls::log_unchecked("mail.send", &settings.server());
    }
    let config = tls::client_config(&settings.trust)
        .map_err(|error| Failure::invalid_arguments(format!("The mail was not sent: {error}.")))?;
    let name = ServerName::try_from(settings.host.clone())
        .map_err(|_| failure::insecure(settings, "its name cannot stand in a certificate"))?;
    let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
    match timeout_at(limit, handshake).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(error)) => Err(failure::handshake(settings, &error)),
        Err(_) => Err(failure::not_yet_secure(
            settings,
            "it did not answer in time",
        )),
    }
}

/// Introduces us and gives back what the server offers. Servers that know only HELO offer nothing.
async fn ehlo(
    settings: &Settings,
    channel: &mut Channel,
    helo: &str,
) -> Result<Vec<String>, Failure> {
    let broken = |error| failure::broken(settings, &error, Outcome::NotExecuted);
    let reply = channel
        .command(&format!("EHLO {helo}"))
        .await
        .map_err(broken)?;
    if reply.is_success() {
        return Ok(reply.lines.into_iter().skip(1).collect());
    }
    if matches!(reply.code, 500 | 501 | 502 | 504) {
        let reply = channel
            .command(&format!("HELO {helo}"))
            .await
            .map_err(broken)?;
        accepted(settings, "our greeting", &reply)?;
        return Ok(Vec::new());
    }
    accepted(settings, "our greeting", &reply)?;
    Ok(Vec::new())
}

/// An error unless the server agreed.
pub(super) fn accepted(settings: &Settings, what: &str, reply: &Reply) -> Result<(), Failure> {
    if reply.is_success() {
        Ok(())
    } else if reply.is_intermediate() {
        Err(failure::out_of_place(
            settings,
            what,
            reply,
            Outcome::NotExecuted,
        ))
    } else {
        Err(failure::refused(settings, what, reply, &[]))
    }
}

/// Our address as a name, for computers without one (RFC 5321, 4.1.3).
fn literal(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("[{address}]"),
        IpAddr::V6(address) => format!("[IPv6:{address}]"),
    }
}
