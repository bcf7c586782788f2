//! `mail.send` against a real server on loopback.

mod refusals;
mod tls;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use standin_builtin::{
    Binary,
    mail::{Addresses, Attachment, Mail, MailDefaults, MailReceipt, MailRequest, MailServer},
};
use standin_worker::{Failure, Outcome};

use crate::{
    smtp_server::{self, Abilities, Event},
    test_gate::TestGate,
};

struct Sink {
    address: SocketAddr,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Sink {
    async fn start(abilities: Abilities) -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&events);
        let told = move |event| told.lock().unwrap().push(event);
        let address = smtp_server::start("127.0.0.1:0", abilities, told)
            .await
            .unwrap();
        Self { address, events }
    }

    /// The mails that came to their dot.
    fn taken(&self) -> Vec<smtp_server::Mail> {
        let events = self.events.lock().unwrap();
        let taken = events.iter().filter_map(|event| match event {
            Event::Taken(mail) => Some(mail.clone()),
            Event::BrokenOff => None,
        });
        taken.collect()
    }

    /// A mail to this server by that name.
    fn mail(&self, host: &str) -> MailRequest {
        let server = MailServer {
            host: Some(host.into()),
            port: Some(self.address.port()),
            ..MailServer::default()
        };
        MailRequest {
            server: Some(server),
            from: Some("Anna <anna@a.test>".into()),
            to: Some("bob@b.test".into()),
            subject: Some("Rechnung für März".into()),
            text: Some("Hallo Bob,\n.\nGrüße\n".into()),
            ..MailRequest::default()
        }
    }

    fn plain(&self) -> MailRequest {
        self.mail("127.0.0.1")
    }

    fn with(&self, set: impl FnOnce(&mut MailServer)) -> MailRequest {
        let mut mail = self.mail("localhost");
        set(mail.server.as_mut().unwrap());
        mail
    }
}

async fn send(mail: MailRequest) -> Result<MailReceipt, Failure> {
    send_by(&TestGate::new(), mail).await
}

async fn send_by(gate: &TestGate, mail: MailRequest) -> Result<MailReceipt, Failure> {
    Mail::new(MailDefaults::default()).send(gate, mail).await
}

#[track_caller]
fn fails(
    outcome: Result<MailReceipt, Failure>,
    number: u32,
    code: &str,
    known: Outcome,
    words: &[&str],
) -> Failure {
    let failure = outcome.expect_err("it fails");
    let answer = failure.answer();
    assert_eq!(
        (answer.number, &*answer.code, answer.outcome),
        (number, code, known),
        "{}",
        answer.message
    );
    for word in words {
        assert!(
            answer.message.contains(word),
            "\"{word}\" is missing in: {}",
            answer.message
        );
    }
    failure
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() {
    let sink = Sink::start(Abilities::default()).await;
    let mut mail = sink.plain();
    mail.cc = Some(Addresses::Many(vec!["Carl <carl@c.test>".into()]));
    mail.bcc = Some("secret@d.test".into());
    mail.headers = Some([("X-Order".to_owned(), "4711".to_owned())].into());
    let gate = TestGate::new();
    let receipt = send_by(&gate, mail).await.unwrap();
    assert_eq!(
        receipt.accepted,
        ["bob@b.test", "carl@c.test", "secret@d.test"]
    );
    assert_eq!(receipt.answer, "250 2.0.0 taken as test-1");
    assert!(receipt.rejected.is_empty());
    assert_eq!(gate.asked(), 1);

    let taken = sink.taken().remove(0);
    assert_eq!(taken.sender, "anna@a.test");
    assert_eq!(taken.recipients, receipt.accepted);
    for line in [
        "From: Anna <anna@a.test>",
        "To: bob@b.test",
        "Cc: Carl <carl@c.test>",
        "X-Order: 4711",
        "Content-Type: text/plain; charset=utf-8",
        &format!("Message-ID: {}", receipt.message_id),
    ] {
        assert!(
            taken.text.lines().any(|there| there == line),
            "{line} is missing in\n{}",
            taken.text
        );
    }
    assert!(taken.text.contains("\nDate: "));
    assert!(
        taken.text.contains("Subject: Rechnung =?utf-8?b?"),
        "{}",
        taken.text
    );
    assert!(
        taken.text.contains("\n.\nGr=C3=BC=C3=9Fe"),
        "{}",
        taken.text
    );
    assert!(!taken.text.contains("secret"));
}

#[tokio::test]
async fn text_html_pictures_and_files_travel_together() {
    let sink = Sink::start(Abilities::default()).await;
    let mut mail = sink.plain();
    mail.html = Some("<img src=\"cid:logo\">".into());
    let file = |name: &str, cid: Option<&str>, content: &[u8]| Attachment {
        name: name.into(),
        content: Binary(content.to_vec()),
        content_type: None,
        cid: cid.map(Into::into),
    };
    mail.attachments = Some(vec![
        file("Übersicht.pdf", None, b"%PDF \x00\xff"),
        file("logo.png", Some("logo"), b"PNG"),
    ]);
    send(mail).await.unwrap();
    let text = sink.taken().remove(0).text;
    let places: Vec<_> = [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "Content-ID: <logo>",
        "image/png",
        "application/pdf",
        "JVBERiAA/w==",
    ]
    .map(|word| {
        text.find(word)
            .unwrap_or_else(|| panic!("{word} is missing in\n{text}"))
    })
    .into();
    let outer = [
        places[0], places[1], places[2], places[3], places[4], places[7], places[8],
    ];
    assert!(outer.is_sorted(), "{outer:?} in\n{text}");
}

#[tokio::test]
async fn a_large_attachment_arrives_whole() {
    let sink = Sink::start(Abilities::default()).await;
    let content: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let mut mail = sink.plain();
    mail.attachments = Some(vec![Attachment {
        name: "big.bin".into(),
        content: Binary(content.clone()),
        ..Attachment::default()
    }]);
    send(mail).await.unwrap();
    let text = sink.taken().remove(0).text;
    let body = text
        .rsplit_once("Content-Transfer-Encoding: base64\n\n")
        .unwrap()
        .1;
    let body: String = body
        .lines()
        .take_while(|line| !line.starts_with("--"))
        .collect();
    use base64::Engine as _;
    assert!(
        base64::engine::general_purpose::STANDARD
            .decode(body)
            .unwrap()
            == content
    );
}
