//! Sender and recipients, and what the server says to each of them.

use serde::{Deserialize, Serialize};
use standin_worker::{Failure, Outcome};

use super::{
    compose::Composed,
    failure,
    hello::{Server, accepted},
    reply::Reply,
    settings::Settings,
};

/// A recipient that the server refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rejected {
    /// The address.
    pub address: String,
    /// The reply code; 400 to 499 means that it may work later.
    pub code: u16,
    /// The code of RFC 3463, such as `5.1.1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enhanced_code: Option<String>,
    /// The server's words.
    pub message: String,
}

impl Rejected {
    fn is_put_off(&self) -> bool {
        (400..500).contains(&self.code)
    }
}

/// What the server said.
pub(super) struct Envelope {
    pub(super) taken: Vec<String>,
    pub(super) rejected: Vec<Rejected>,
    /// The first refusals of both kinds, with who was refused.
    put_off: Option<(String, Reply)>,
    refused: Option<(String, Reply)>,
}

impl Envelope {
    /// Names the sender and these recipients.
    pub(super) async fn open(
        settings: &Settings,
        server: &mut Server,
        mail: &Composed,
        recipients: &[String],
    ) -> Result<Envelope, Failure> {
        name_sender(settings, server, mail).await?;
        let mut envelope = Envelope {
            taken: Vec::new(),
            rejected: Vec::new(),
            put_off: None,
            refused: None,
        };
        for recipient in recipients {
            let reply = server
                .channel
                .command(&format!("RCPT TO:<{recipient}>"))
                .await
                .map_err(|error| failure::broken(settings, &error, Outcome::NotExecuted))?;
            envelope.answered(settings, recipient, reply)?;
        }
        Ok(envelope)
    }

    fn answered(
        &mut self,
        settings: &Settings,
        recipient: &str,
        reply: Reply,
    ) -> Result<(), Failure> {
        if reply.is_success() {
            self.taken.push(recipient.to_owned());
            return Ok(());
        }
        self.rejected.push(Rejected {
            address: recipient.to_owned(),
            code: reply.code,
            enhanced_code: reply.enhanced().map(str::to_owned),
            message: reply.words().to_owned(),
        });
        // 421 is goodbye, whatever was asked.
        if reply.code == 421 {
            let what = format!("the recipient {recipient}");
            return Err(failure::refused(settings, &what, &reply, &self.rejected));
        }
        let first = match reply.is_temporary() {
            true => &mut self.put_off,
            false => &mut self.refused,
        };
        first.get_or_insert_with(|| (recipient.to_owned(), reply));
        Ok(())
    }

    /// Whether nobody is left who may get the mail, now or later.
    pub(super) fn is_refused_for_good(&self) -> bool {
        self.taken.is_empty() && self.put_off.is_none()
    }

    /// An error if the mail cannot be sent like this. Who needs all recipients is told the refusal that will not pass;
    /// who needs one is told whether there may be one later.
    pub(super) fn check(&self, settings: &Settings, requires_all: bool) -> Result<(), Failure> {
        let decisive = match requires_all {
            true => self.refused.as_ref().or(self.put_off.as_ref()),
            false if self.taken.is_empty() => self.put_off.as_ref().or(self.refused.as_ref()),
            false => None,
        };
        let Some((recipient, reply)) = decisive else {
            return Ok(());
        };
        let what = match self.rejected.len() {
            1 => format!("the recipient {recipient}"),
            count => format!("{count} recipients, among them {recipient}"),
        };
        Err(failure::refused(settings, &what, reply, &self.rejected))
    }

    /// Those who may get it later, and those who never will.
    pub(super) fn split(self) -> (Vec<Rejected>, Vec<Rejected>) {
        self.rejected.into_iter().partition(Rejected::is_put_off)
    }
}

async fn name_sender(
    settings: &Settings,
    server: &mut Server,
    mail: &Composed,
) -> Result<(), Failure> {
    let mut line = format!("MAIL FROM:<{}>", mail.sender);
    if !mail.is_ascii() {
        if server.offer("SMTPUTF8").is_none() {
            let why = "the mail server does not take addresses with such letters";
            return Err(failure::bad_address(mail.strange_address(), why));
        }
        line += " SMTPUTF8";
    }
    if server.offer("SIZE").is_some() {
        line += &format!(" SIZE={}", mail.stuffed.len());
    }
    let reply = server.channel.command(&line).await;
    let reply = reply.map_err(|error| failure::broken(settings, &error, Outcome::NotExecuted))?;
    accepted(settings, &format!("the sender {}", mail.sender), &reply)
}
