//! From arguments to the bytes of a mail.
//!
//! Nothing that a caller gives can add a header or end the text early: line breaks in headers are refused, dots are
//! doubled, and every line ends with CR LF.

mod body;
mod headers;

use lettre::message::{Mailbox, Message, MessageBuilder};
use standin_worker::Failure;

use super::{
    address,
    arguments::{Addresses, MailRequest},
    failure,
    settings::MailDefaults,
};

/// A mail that can be sent.
#[derive(Debug)]
pub(super) struct Composed {
    pub(super) message_id: String,
    pub(super) sender: String,
    pub(super) recipients: Vec<String>,
    pub(super) requires_all: bool,
    /// The text as it goes over the wire: dots doubled, the last line ended, the final dot not yet there.
    pub(super) stuffed: Vec<u8>,
}

impl Composed {
    fn addresses(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.sender).chain(&self.recipients)
    }

    /// Whether every server can take it.
    pub(super) fn is_ascii(&self) -> bool {
        self.stuffed.is_ascii() && self.addresses().all(|address| address.is_ascii())
    }

    /// The first address that not every server can take.
    pub(super) fn strange_address(&self) -> &str {
        self.addresses()
            .find(|address| !address.is_ascii())
            .unwrap_or(&self.sender)
    }
}

/// `job`: the name of the job that this is an attempt at, if it is one.
pub(super) fn compose(
    defaults: &MailDefaults,
    request: MailRequest,
    job: Option<&str>,
) -> Result<Composed, Failure> {
    let given = request.from.as_ref().filter(|from| !from.trim().is_empty());
    let from = given.or(defaults.from.as_ref());
    let from = from.ok_or_else(|| failure::bad_message("it has no sender (\"from\")"))?;
    let from = match <[Mailbox; 1]>::try_from(address::parse(from)?) {
        Ok([from]) => from,
        Err(_) => return Err(failure::bad_address(from, "a mail has exactly one sender")),
    };
    let (to, cc, bcc) = (
        read(request.to.as_ref())?,
        read(request.cc.as_ref())?,
        read(request.bcc.as_ref())?,
    );
    let mut recipients: Vec<String> = Vec::new();
    for mailbox in to.iter().chain(&cc).chain(&bcc) {
        let address = mailbox.email.to_string();
        if !recipients.contains(&address) {
            recipients.push(address);
        }
    }
    if recipients.is_empty() {
        return Err(failure::bad_message(
            "it has no recipient (\"to\", \"cc\" or \"bcc\")",
        ));
    }

    let message_id = match &request.message_id {
        Some(given) => headers::message_id(given)?,
        // The same for every attempt, so that whoever gets the mail twice sees that it is one.
        None => match job {
            Some(job) => headers::job_message_id(job, from.email.domain()),
            None => headers::new_message_id(from.email.domain()),
        },
    };
    let mut builder = Message::builder()
        .message_id(Some(message_id.clone()))
        .from(from.clone());
    builder = add(builder, to, MessageBuilder::to);
    builder = add(builder, cc, MessageBuilder::cc);
    builder = add(
        builder,
        read(request.reply_to.as_ref())?,
        MessageBuilder::reply_to,
    );
    if let Some(subject) = &request.subject {
        builder = builder.subject(headers::one_line("subject", subject)?);
    }
    for (name, value) in request.headers.iter().flatten() {
        builder = builder.raw_header(headers::extra(name, value)?);
    }
    let addressee = recipients.first().and_then(|address| address.parse().ok());
    let envelope =
        lettre::address::Envelope::new(Some(from.email.clone()), addressee.into_iter().collect());
    // Ours is kept beside the message: lettre's would be made from headers that do not have the bcc.
    builder = builder.envelope(envelope.map_err(|error| failure::bad_message(&error.to_string()))?);
    let message = body::fill(builder, &request)?;
    Ok(Composed {
        message_id,
        sender: from.email.to_string(),
        recipients,
        requires_all: request.require_all.unwrap_or(false),
        stuffed: stuff(&message.formatted()),
    })
}

fn read(addresses: Option<&Addresses>) -> Result<Vec<Mailbox>, Failure> {
    let mut found = Vec::new();
    for text in addresses.map_or(&[][..], Addresses::texts) {
        found.extend(address::parse(text)?);
    }
    Ok(found)
}

fn add(
    builder: MessageBuilder,
    mailboxes: Vec<Mailbox>,
    put: impl Fn(MessageBuilder, Mailbox) -> MessageBuilder,
) -> MessageBuilder {
    mailboxes.into_iter().fold(builder, put)
}

/// Doubles the dot at the beginning of a line, ends every line with CR LF, the last one too. A lone CR or LF is what
/// smuggled mails are made of, so none leaves this place.
fn stuff(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 64 + 2);
    let mut at_line_start = true;
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' | b'\n' => {
                if byte == b'\r' {
                    bytes.next_if_eq(&b'\n');
                }
                out.extend_from_slice(b"\r\n");
                at_line_start = true;
            }
            _ => {
                if byte == b'.' && at_line_start {
                    out.push(b'.');
                }
                out.push(byte);
                at_line_start = false;
            }
        }
    }
    if !at_line_start {
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> MailRequest {
        MailRequest {
            from: Some("Anna <anna@a.test>".into()),
            to: Some("bob@b.test".into()),
            subject: Some("Grüße".into()),
            text: Some("Hallo\n.\nBis bald\n".into()),
            ..MailRequest::default()
        }
    }

    fn composed(request: MailRequest) -> Composed {
        compose(&MailDefaults::default(), request, None).unwrap()
    }

    fn refused(request: MailRequest) -> Failure {
        compose(&MailDefaults::default(), request, None).unwrap_err()
    }

    #[test]
    fn no_text_can_end_the_mail_early() {
        assert_eq!(stuff(b".\r\n..x\n.\ra"), b"..\r\n...x\r\n..\r\na\r\n");
        let mail = composed(request());
        let text = String::from_utf8(mail.stuffed).unwrap();
        assert!(text.contains("\r\n..\r\n"), "{text}");
        assert!(!text.contains("\r\n.\r\n"), "{text}");
    }

    #[test]
    fn a_mail_is_plain_ascii_whatever_is_in_it() {
        let mut asked = request();
        asked.html = Some("<p>Grüße</p>".into());
        asked.from = Some("Änne Müller <anna@a.test>".into());
        assert!(composed(asked).is_ascii());
    }

    #[test]
    fn hidden_recipients_stay_hidden_and_nobody_gets_two() {
        let mut asked = request();
        asked.bcc = Some("secret@c.test, bob@b.test".into());
        let mail = composed(asked);
        assert_eq!(mail.recipients, ["bob@b.test", "secret@c.test"]);
        assert!(!String::from_utf8(mail.stuffed).unwrap().contains("secret"));
    }

    #[test]
    fn a_line_break_never_reaches_a_header() {
        let attack = "x\r\nBcc: eve@e.test";
        let spoil = |spoil: fn(&mut MailRequest, String)| {
            let mut asked = request();
            spoil(&mut asked, attack.to_owned());
            refused(asked).answer().code.clone().into_owned()
        };
        assert_eq!(
            spoil(|asked, text| asked.subject = Some(text)),
            "mail.bad_message"
        );
        assert_eq!(
            spoil(|asked, text| asked.from = Some(text)),
            "mail.bad_address"
        );
        assert_eq!(
            spoil(|asked, text| asked.to = Some(Addresses::One(text))),
            "mail.bad_address"
        );
        assert_eq!(
            spoil(|asked, text| asked.reply_to = Some(Addresses::One(text))),
            "mail.bad_address"
        );
        assert_eq!(
            spoil(|asked, text| asked.message_id = Some(text)),
            "mail.bad_message"
        );
        assert_eq!(
            spoil(|asked, text| asked.headers = Some([("X-A".into(), text)].into())),
            "mail.bad_message"
        );
        assert_eq!(
            spoil(|asked, text| asked.headers = Some([(text, "v".into())].into())),
            "mail.bad_message"
        );
        for part in ["name", "content_type", "cid"] {
            let mut file = crate::mail::Attachment {
                name: "a.txt".into(),
                ..Default::default()
            };
            match part {
                "name" => file.name = attack.into(),
                "content_type" => file.content_type = Some(attack.into()),
                _ => file.cid = Some(attack.into()),
            }
            let mut asked = request();
            asked.attachments = Some(vec![file]);
            assert_eq!(refused(asked).answer().code, "mail.bad_message", "{part}");
        }
    }

    #[test]
    fn a_mail_without_sender_or_recipient_is_refused() {
        let nobody = MailRequest {
            to: None,
            ..request()
        };
        assert!(refused(nobody).answer().message.contains("recipient"));
        let anonymous = MailRequest {
            from: None,
            ..request()
        };
        assert!(refused(anonymous).answer().message.contains("sender"));
        let blank = MailRequest {
            from: Some(" ".into()),
            ..request()
        };
        assert!(refused(blank).answer().message.contains("no sender"));
    }

    #[test]
    fn every_attempt_at_a_job_sends_a_mail_of_the_same_name_unless_the_caller_gave_one() {
        let of_job = |request| compose(&MailDefaults::default(), request, Some("7-00ff")).unwrap();
        let first = of_job(request());
        assert_eq!(first.message_id, of_job(request()).message_id);
        assert!(first.message_id.starts_with("<7-00ff.standin-job@"));
        let named = MailRequest {
            message_id: Some("mine@example.com".into()),
            ..request()
        };
        assert_eq!(of_job(named).message_id, "<mine@example.com>");
    }
}
