//! A mail server on loopback: ESMTP with STARTTLS or implicit TLS, and logins. It accepts everything and keeps
//! nothing; what it does wrong, it does because an address asks for it:
//!
//! | address | what happens |
//! |---|---|
//! | to `unknown@` | refused for good |
//! | to `later@` | refused for now |
//! | from `refused@` | the text is refused for good |
//! | from `busy@` | the text is refused for now |
//! | from `drop@` | the connection ends after the dot, without a word |
//! | from `silent@` | nothing is said after the dot |

use std::{net::SocketAddr, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    io::{self, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// What the server can do.
#[derive(Clone, Default)]
pub(crate) struct Abilities {
    pub(crate) tls: Option<TlsAcceptor>,
    /// TLS from the first byte, instead of STARTTLS.
    pub(crate) is_implicit: bool,
    /// What stands behind `AUTH`; nothing if empty.
    pub(crate) mechanisms: &'static str,
    /// The one user and password.
    pub(crate) login: (&'static str, &'static str),
    /// Words that are sent along with the answer to STARTTLS, as an attacker would.
    pub(crate) injected: &'static str,
    /// What it says to STARTTLS instead of going ahead; nothing special if empty.
    pub(crate) no_tls_now: &'static str,
}

/// A mail that was taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mail {
    pub(crate) sender: String,
    pub(crate) recipients: Vec<String>,
    pub(crate) text: String,
    pub(crate) was_secret: bool,
    pub(crate) user: Option<String>,
}

/// What happened.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// A mail came to its dot. Whether the sender heard of it is another matter.
    Taken(Mail),
    /// A text was begun and never ended; it is thrown away.
    BrokenOff,
}

type Told = Arc<dyn Fn(Event) + Send + Sync>;

/// Serves until the runtime ends; gives back where.
pub(crate) async fn start(
    address: &str,
    abilities: Abilities,
    told: impl Fn(Event) + Send + Sync + 'static,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let told: Told = Arc::new(told);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (abilities, told) = (abilities.clone(), Arc::clone(&told));
            // Clients that go away in the middle are what this server is for.
            tokio::spawn(async move { drop(serve(stream, abilities, told).await) });
        }
    });
    Ok(address)
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

async fn serve(stream: TcpStream, abilities: Abilities, told: Told) -> io::Result<()> {
    let stream: Box<dyn Stream> = match &abilities.tls {
        Some(tls) if abilities.is_implicit => Box::new(tls.accept(stream).await?),
        _ => Box::new(stream),
    };
    let mut talk = Talk {
        stream: BufReader::new(stream),
        mail: Mail::default(),
        abilities,
        told,
    };
    talk.mail.was_secret = talk.abilities.is_implicit;
    talk.say("220 localhost ESMTP test server").await?;
    while let Some(line) = talk.hear().await? {
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => talk.ehlo().await?,
            "HELO" | "NOOP" => talk.say("250 localhost").await?,
            "STARTTLS" => talk = talk.start_tls().await?,
            "AUTH" => talk.auth(rest).await?,
            "MAIL" => talk.mail(rest).await?,
            "RCPT" => talk.rcpt(rest).await?,
            "RSET" => talk.say("250 2.0.0 forgotten").await?,
            "DATA" => {
                if !talk.data().await? {
                    return Ok(());
                }
            }
            "QUIT" => return talk.say("221 2.0.0 bye").await,
            _ => talk.say("502 5.5.1 no such command").await?,
        }
    }
    Ok(())
}

struct Talk {
    stream: BufReader<Box<dyn Stream>>,
    mail: Mail,
    abilities: Abilities,
    told: Told,
}

impl Talk {
    async fn say(&mut self, line: &str) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        stream.flush().await
    }

    async fn hear(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let count = self.stream.read_until(b'\n', &mut line).await?;
        let text = String::from_utf8_lossy(&line)
            .trim_end_matches(['\r', '\n'])
            .to_owned();
        Ok((count > 0).then_some(text))
    }

    async fn ehlo(&mut self) -> io::Result<()> {
        self.say("250-localhost").await?;
        if self.abilities.tls.is_some() && !self.mail.was_secret {
            self.say("250-STARTTLS").await?;
        }
        if !self.abilities.mechanisms.is_empty() {
            let offer = format!("250-AUTH {}", self.abilities.mechanisms);
            self.say(&offer).await?;
        }
        self.say("250-SIZE 20000000").await?;
        self.say("250 ENHANCEDSTATUSCODES").await
    }

    async fn start_tls(mut self) -> io::Result<Self> {
        let Some(tls) = self.abilities.tls.clone() else {
            self.say("502 5.5.1 no TLS here").await?;
            return Ok(self);
        };
        if !self.abilities.no_tls_now.is_empty() {
            let words = self.abilities.no_tls_now;
            self.say(words).await?;
            return Ok(self);
        }
        let answer = format!("220 2.0.0 go ahead{}", self.abilities.injected);
        self.say(&answer).await?;
        let stream = tls.accept(self.stream.into_inner()).await?;
        let mail = Mail {
            was_secret: true,
            ..Mail::default()
        };
        Ok(Self {
            stream: BufReader::new(Box::new(stream)),
            mail,
            ..self
        })
    }

    async fn auth(&mut self, rest: &str) -> io::Result<()> {
        let (mechanism, first) = rest.split_once(' ').unwrap_or((rest, ""));
        let (user, password) = self.abilities.login;
        let is_right = match mechanism {
            "PLAIN" => decode(first) == format!("\0{user}\0{password}"),
            "LOGIN" => {
                self.say("334 VXNlcm5hbWU6").await?;
                let given_user = self.hear().await?.unwrap_or_default();
                self.say("334 UGFzc3dvcmQ6").await?;
                let given_password = self.hear().await?.unwrap_or_default();
                (decode(&given_user), decode(&given_password))
                    == (user.to_owned(), password.to_owned())
            }
            "XOAUTH2" => {
                let is_right =
                    decode(first) == format!("user={user}\x01auth=Bearer {password}\x01\x01");
                if !is_right {
                    self.say("334 eyJzdGF0dXMiOiI0MDAifQ==").await?;
                    self.hear().await?;
                }
                is_right
            }
            _ => return self.say("504 5.5.4 no such mechanism").await,
        };
        if !is_right {
            return self.say("535 5.7.8 wrong user or password").await;
        }
        self.mail.user = Some(user.to_owned());
        self.say("235 2.7.0 welcome").await
    }

    async fn mail(&mut self, rest: &str) -> io::Result<()> {
        if !self.abilities.mechanisms.is_empty() && self.mail.user.is_none() {
            return self.say("530 5.7.0 log in first").await;
        }
        self.mail.sender = address(rest);
        self.mail.recipients.clear();
        self.say("250 2.1.0 sender ok").await
    }

    async fn rcpt(&mut self, rest: &str) -> io::Result<()> {
        let recipient = address(rest);
        match recipient.split('@').next() {
            Some("unknown") => self.say("550 5.1.1 no such user here").await,
            Some("later") => self.say("451 4.7.1 greylisted, try again later").await,
            _ => {
                self.mail.recipients.push(recipient);
                self.say("250 2.1.5 recipient ok").await
            }
        }
    }

    /// Whether the conversation goes on.
    async fn data(&mut self) -> io::Result<bool> {
        self.say("354 end with a dot").await?;
        let mut text = String::new();
        loop {
            let Some(line) = self.hear().await.ok().flatten() else {
                (self.told)(Event::BrokenOff);
                return Ok(false);
            };
            if line == "." {
                break;
            }
            text += line.strip_prefix('.').unwrap_or(&line);
            text += "\n";
        }
        let mail = Mail {
            text,
            ..self.mail.clone()
        };
        let manner = mail.sender.split('@').next().unwrap_or("").to_owned();
        match manner.as_str() {
            "refused" => self.say("554 5.7.1 this looks like spam").await?,
            "busy" => self.say("451 4.3.0 try again later").await?,
            _ => (self.told)(Event::Taken(mail)),
        }
        match manner.as_str() {
            "refused" | "busy" => {}
            "drop" => return Ok(false),
            "silent" => std::future::pending().await,
            _ => self.say("250 2.0.0 taken as test-1").await?,
        }
        Ok(true)
    }
}

/// What stands between `<` and `>`.
fn address(rest: &str) -> String {
    let inner = rest
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(String::new(), |(address, _)| address.to_owned())
}

fn decode(text: &str) -> String {
    let bytes = STANDARD.decode(text).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
