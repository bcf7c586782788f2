//! A mail server that can be down or slow: it takes everything it hears and keeps it, and misbehaves if an address asks
//! for it.
//!
//! | address | what happens |
//! |---|---|
//! | to `unknown@` | refused for good |
//! | to `later@` | refused for now, the first two times |
//! | from `drop@` | taken, and the connection ends without a word |

use std::{
    collections::HashMap,
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use crate::clock;

/// What has come.
#[derive(Debug, Default)]
struct Kept {
    mails: Vec<String>,
    /// Who has got them, in the same order.
    recipients: Vec<Vec<String>>,
    /// How many had that subject.
    by_subject: HashMap<String, u32>,
    put_off: u32,
}

/// The server. It serves as long as the program runs.
#[derive(Debug, Clone)]
pub struct MailSink {
    address: SocketAddr,
    /// What it takes for each answer.
    step_ms: u64,
    kept: Arc<Mutex<Kept>>,
}

/// An address where nobody listens.
///
/// # Panics
/// There is no free port.
pub fn nobody_there() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it is bound")
}

impl MailSink {
    /// Serves at an address.
    pub fn start(address: SocketAddr) -> MailSink {
        MailSink::serve_at(address, 0)
    }

    /// Serves anywhere.
    pub fn start_anywhere() -> MailSink {
        MailSink::start(([127, 0, 0, 1], 0).into())
    }

    /// Serves anywhere, and takes so long for each answer.
    pub fn slow(step_ms: u64) -> MailSink {
        MailSink::serve_at(([127, 0, 0, 1], 0).into(), step_ms)
    }

    fn serve_at(address: SocketAddr, step_ms: u64) -> MailSink {
        let listener = TcpListener::bind(address).expect("the port is free");
        let sink = MailSink {
            address: listener.local_addr().expect("it is bound"),
            step_ms,
            kept: Arc::default(),
        };
        let serving = sink.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sink = serving.clone();
                // Clients that go away in the middle are what this server is for.
                std::thread::spawn(move || drop(sink.serve(stream)));
            }
        });
        sink
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The mails that were taken, headers and all.
    pub fn mails(&self) -> Vec<String> {
        self.kept().mails.clone()
    }

    /// To whom each of them went.
    pub fn recipients(&self) -> Vec<Vec<String>> {
        self.kept().recipients.clone()
    }

    /// How often a mail of that subject was taken.
    pub fn taken(&self, subject: &str) -> u32 {
        self.kept().by_subject.get(subject).copied().unwrap_or(0)
    }

    /// It is responsible from here on, whether its answer arrives or not.
    fn take(&self, mail: String, recipients: Vec<String>) {
        let subject = mail.lines().find_map(|line| line.strip_prefix("Subject: "));
        let mut kept = self.kept();
        *kept
            .by_subject
            .entry(subject.unwrap_or_default().to_owned())
            .or_default() += 1;
        kept.mails.push(mail);
        kept.recipients.push(recipients);
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().expect("nobody panics while holding it")
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut answers = stream.try_clone()?;
        let mut lines = BufReader::new(stream).lines();
        let step_ms = self.step_ms;
        let mut say = move |line: &str| {
            clock::pause(step_ms);
            answers.write_all(format!("{line}\r\n").as_bytes())
        };
        say("220 localhost ESMTP sink")?;
        let mut sender = String::new();
        let mut recipients = Vec::new();
        while let Some(line) = lines.next().transpose()? {
            let verb = line.split(' ').next().unwrap_or("").to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" | "HELO" | "NOOP" | "RSET" => say("250 localhost")?,
                "MAIL" => {
                    sender = line;
                    recipients.clear();
                    say("250 2.1.0 sender ok")?;
                }
                "RCPT" if line.contains("<unknown@") => say("550 5.1.1 no such user here")?,
                "RCPT" if line.contains("<later@") && self.puts_off() => {
                    say("451 4.7.1 greylisted, try again later")?;
                }
                "RCPT" => {
                    let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                    recipients.push(address.to_owned());
                    say("250 2.1.5 recipient ok")?;
                }
                "DATA" => {
                    say("354 end with a dot")?;
                    let mut mail = String::new();
                    loop {
                        match lines.next().transpose()? {
                            Some(line) if line == "." => break,
                            Some(line) => mail += &format!("{line}\n"),
                            // Whoever goes before the dot has sent nothing.
                            None => return Ok(()),
                        }
                    }
                    self.take(mail, recipients.clone());
                    if sender.contains("<drop@") {
                        return Ok(());
                    }
                    say("250 2.0.0 taken")?;
                }
                "QUIT" => return say("221 2.0.0 bye"),
                _ => say("502 5.5.1 no such command")?,
            }
        }
        Ok(())
    }

    fn puts_off(&self) -> bool {
        let mut kept = self.kept();
        kept.put_off += 1;
        kept.put_off <= 2
    }
}
