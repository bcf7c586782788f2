//! From the first byte to the receipt.

use std::time::Duration;

use serde::Serialize;
use standin_worker::{Failure, Outcome};
use tokio::time::timeout;

use super::{
    compose::Composed,
    failure,
    hello::{Server, accepted, reach},
    login::log_in,
    reply::Reply,
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

/// A recipient that the server refused.
#[derive(Debug, Clone, PartialEq, Serialize)]
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

pub(super) async fn deliver<G: Gate>(
    attempt: &Attempt<'_, G>,
    settings: &Settings,
    mail: &Composed,
) -> Result<MailReceipt, Failure> {
    let mut server = reach(settings, attempt.deadline()).await?;
    if let Some(login) = &settings.login {
        log_in(settings, &mut server, login).await?;
    }
    let mut accepted_addresses = Vec::new();
    let mut rejected = Vec::new();
    let reply = envelope(
        settings,
        &mut server,
        mail,
        &mut accepted_addresses,
        &mut rejected,
    )
    .await?;
    if !reply.is_intermediate() {
        return Err(failure::out_of_place(
            settings,
            "DATA",
            &reply,
            Outcome::NotExecuted,
        ));
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
    Ok(MailReceipt {
        message_id: mail.message_id.clone(),
        accepted: accepted_addresses,
        rejected,
        answer: format!("{} {}", reply.code, reply.text),
    })
}

/// Sender, recipients and DATA; the reply to DATA comes back.
async fn envelope(
    settings: &Settings,
    server: &mut Server,
    mail: &Composed,
    accepted_addresses: &mut Vec<String>,
    rejected: &mut Vec<Rejected>,
) -> Result<Reply, Failure> {
    let broken = |error| failure::broken(settings, &error, Outcome::NotExecuted);
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
    let reply = server.channel.command(&line).await.map_err(broken)?;
    accepted(settings, &format!("the sender {}", mail.sender), &reply)?;

    let mut last_refusal = None;
    for recipient in &mail.recipients {
        let reply = server
            .channel
            .command(&format!("RCPT TO:<{recipient}>"))
            .await
            .map_err(broken)?;
        if reply.is_success() {
            accepted_addresses.push(recipient.clone());
            continue;
        }
        rejected.push(Rejected {
            address: recipient.clone(),
            code: reply.code,
            enhanced_code: reply.enhanced().map(str::to_owned),
            message: reply.words().to_owned(),
        });
        // 421 is goodbye, whatever was asked.
        if reply.code == 421 {
            return Err(failure::refused(
                settings,
                &format!("the recipient {recipient}"),
                &reply,
                rejected,
            ));
        }
        // If all are refused and one of them may work later, the mail may work later.
        let is_kinder = last_refusal
            .as_ref()
            .is_none_or(|(_, known): &(_, Reply)| !known.is_temporary());
        if is_kinder {
            last_refusal = Some((recipient, reply));
        }
    }
    if let Some((recipient, reply)) = last_refusal
        && (accepted_addresses.is_empty() || mail.requires_all)
    {
        let what = match rejected.len() {
            1 => format!("the recipient {recipient}"),
            count => format!("{count} recipients, among them {recipient}"),
        };
        return Err(failure::refused(settings, &what, &reply, rejected));
    }
    let reply = server.channel.command("DATA").await.map_err(broken)?;
    if !reply.is_intermediate() && !reply.is_success() {
        return Err(failure::refused(settings, "the mail", &reply, rejected));
    }
    Ok(reply)
}
