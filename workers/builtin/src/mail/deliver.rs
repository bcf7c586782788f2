//! From the first byte to the receipt.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use standin_worker::{Failure, Outcome};
use tokio::time::timeout;

use super::{
    compose::Composed,
    envelope::{Envelope, Rejected},
    failure,
    hello::{accepted, reach},
    login::log_in,
    settings::Settings,
};
use crate::net::{Attempt, Gate};

/// The mail is delivered by then; good manners may take one more round trip, not more.
const QUIT_LIMIT: Duration = Duration::from_millis(500);

/// What became of a mail.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MailReceipt {
    /// The mail's own name, as it stands in its header.
    pub message_id: String,
    /// Recipients that the server took it for.
    pub accepted: Vec<String>,
    /// Recipients that it refused.
    pub rejected: Vec<Rejected>,
    /// The server's last words, which often hold its own name for the mail.
    pub answer: String,
}

/// What the tries of a job have settled. None of these recipients is asked for again: those who have the mail get no
/// second one, and those who were refused for good would be refused again.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct SoFar {
    accepted: Vec<String>,
    rejected: Vec<Rejected>,
    answer: String,
}

impl SoFar {
    fn knows(&self, recipient: &str) -> bool {
        let mut rejected = self.rejected.iter();
        self.accepted.iter().any(|known| known == recipient)
            || rejected.any(|known| known.address == recipient)
    }

    fn receipt(self, mail: &Composed) -> MailReceipt {
        MailReceipt {
            message_id: mail.message_id.clone(),
            accepted: self.accepted,
            rejected: self.rejected,
            answer: self.answer,
        }
    }
}

/// `job`: what earlier tries have settled, if it is a job. There a recipient who is put off gets the mail with a later
/// try, and nobody waits for them.
pub(super) async fn deliver<G: Gate>(
    attempt: &Attempt<'_, G>,
    settings: &Settings,
    mail: &Composed,
    job: Option<SoFar>,
) -> Result<MailReceipt, Failure> {
    let is_job = job.is_some();
    let mut so_far = job.unwrap_or_default();
    let mut recipients = mail.recipients.clone();
    recipients.retain(|recipient| !so_far.knows(recipient));

    let mut server = reach(settings, attempt.deadline()).await?;
    if let Some(login) = &settings.login {
        log_in(settings, &mut server, login).await?;
    }
    let mut envelope = Envelope::open(settings, &mut server, mail, &recipients).await?;
    if envelope.is_refused_for_good() && !so_far.accepted.is_empty() {
        so_far.rejected.append(&mut envelope.rejected);
        return Ok(so_far.receipt(mail));
    }
    envelope.check(settings, mail.requires_all)?;
    let reply = server.channel.command("DATA").await;
    let reply = reply.map_err(|error| failure::broken(settings, &error, Outcome::NotExecuted))?;
    if !reply.is_intermediate() {
        return Err(match reply.is_success() {
            true => failure::out_of_place(settings, "DATA", &reply, Outcome::NotExecuted),
            false => failure::refused(settings, "the mail", &reply, &envelope.rejected),
        });
    }

    attempt.effect_begin().await?;
    let broken = |error| failure::broken(settings, &error, attempt.outcome_if_lost());
    server.channel.write(&mail.stuffed).await.map_err(broken)?;
    // Up to here a server that hears no more throws the text away. The dot is the point of no return.
    attempt.touched();
    server.channel.write(b".\r\n").await.map_err(broken)?;
    let reply = server.channel.reply().await.map_err(broken)?;
    if reply.is_intermediate() {
        return Err(failure::out_of_place(
            settings,
            "the mail",
            &reply,
            Outcome::Unknown,
        ));
    }
    accepted(settings, "the mail", &reply)?;
    // Whatever is said now changes nothing.
    let _ = timeout(QUIT_LIMIT, server.channel.command("QUIT")).await;

    so_far.accepted.append(&mut envelope.taken);
    so_far.answer = format!("{} {}", reply.code, reply.text);
    let (put_off, refused) = envelope.split();
    so_far.rejected.extend(refused);
    if is_job && !put_off.is_empty() {
        let have_it = (so_far.accepted.len(), mail.recipients.len());
        return Err(failure::partly(settings, have_it, &put_off, &so_far));
    }
    so_far.rejected.extend(put_off);
    Ok(so_far.receipt(mail))
}
