//! `http.request` and `mail.send` against nginx and Postfix, as `.ci/mail-and-web` starts them.

#![expect(
    clippy::unwrap_used,
    reason = "a server that is not as the script made it is a test that fails"
)]

#[path = "support/test_gate.rs"]
mod test_gate;

use std::{env, fs, path::PathBuf, time::Duration};

use standin_builtin::{
    Binary,
    http::{Http, HttpRequest, HttpResponse},
    mail::{Attachment, Mail, MailDefaults, MailReceipt, MailRequest, MailServer},
};
use standin_worker::{Failure, Outcome};
use test_gate::TestGate;

fn setting(name: &str) -> String {
    env::var(format!("STANDIN_TEST_{name}")).expect("run this through .ci/mail-and-web")
}

fn authority() -> String {
    fs::read_to_string(setting("CA")).unwrap()
}

fn page(path: &str) -> HttpRequest {
    HttpRequest {
        url: format!("https://localhost:{}{path}", setting("HTTPS")),
        ca_pem: Some(authority()),
        proxy: Some("none".into()),
        ..HttpRequest::default()
    }
}

async fn ask(request: HttpRequest) -> Result<HttpResponse, Failure> {
    Http::default().request(&TestGate::new(), request).await
}

fn mail(port: &str) -> MailRequest {
    let server = MailServer {
        host: Some("localhost".into()),
        port: Some(setting(port).parse().unwrap()),
        ca_pem: Some(authority()),
        ..MailServer::default()
    };
    MailRequest {
        server: Some(server),
        from: Some("Anna <anna@elsewhere.test>".into()),
        to: Some("bob@standin.test".into()),
        subject: Some("Grüße aus dem Test".into()),
        text: Some("Hallo Bob,\n.\n.. bis bald\n".into()),
        ..MailRequest::default()
    }
}

/// Sends a mail. Leave to act is asked once for a mail that went out, and never for one that did not.
async fn send(mail: MailRequest) -> Result<MailReceipt, Failure> {
    let gate = TestGate::new();
    let sent = Mail::new(MailDefaults::default()).send(&gate, mail).await;
    assert_eq!(gate.asked(), u32::from(sent.is_ok()));
    sent
}

/// The mail in somebody's folder, once Postfix has put it there.
async fn delivered(user: &str, message_id: &str) -> String {
    let folder = PathBuf::from(setting("MAIL")).join(user).join("new");
    let arrived = async {
        loop {
            let files = fs::read_dir(&folder).into_iter().flatten();
            let texts = files.filter_map(|file| fs::read_to_string(file.unwrap().path()).ok());
            if let Some(text) = texts.into_iter().find(|text| text.contains(message_id)) {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let arrived = tokio::time::timeout(Duration::from_secs(30), arrived).await;
    arrived.unwrap_or_else(|_| panic!("{message_id} never arrived in {}", folder.display()))
}

#[tokio::test]
async fn postfix_delivers_over_starttls() {
    let mut request = mail("SMTP");
    request.server.as_mut().unwrap().tls = Some("starttls_required".into());
    request.to = Some("bob@standin.test, nobody@standin.test; stranger@other.test".into());
    request.bcc = Some("carl@standin.test".into());
    request.html = Some("<p>Hallo</p>".into());
    let content: Vec<u8> = (0..2_000_000_u32).map(|n| (n % 253) as u8).collect();
    request.attachments = Some(vec![Attachment {
        name: "Übersicht.bin".into(),
        content: Binary(content),
        ..Attachment::default()
    }]);
    let receipt = send(request).await.unwrap();
    assert_eq!(receipt.accepted, ["bob@standin.test", "carl@standin.test"]);
    let refused: Vec<_> = receipt
        .rejected
        .iter()
        .map(|one| (one.address.as_str(), one.enhanced_code.as_deref()))
        .collect();
    assert_eq!(
        refused,
        [
            ("nobody@standin.test", Some("5.1.1")),
            // Postfix puts relaying off rather than refuse it: a mistake in its settings must not lose mail.
            ("stranger@other.test", Some("4.7.1"))
        ]
    );
    for user in ["bob", "carl"] {
        let text = delivered(user, &receipt.message_id).await;
        assert!(text.contains("multipart/alternative") && text.contains("\n.\n.. bis bald\n"));
        assert!(
            text.contains("using TLSv1.3") || text.contains("with ESMTPS"),
            "{}",
            &text[..500]
        );
        assert!(!text.contains("carl@standin.test") || user == "carl");
    }
}

#[tokio::test]
async fn postfix_lets_in_who_knows_the_password() {
    for auth in ["auto", "plain", "login"] {
        let mut request = mail("SMTPS");
        let server = request.server.as_mut().unwrap();
        server.tls = Some("implicit".into());
        server.auth = Some(auth.into());
        (server.user, server.password) = (Some("anna".into()), Some("geheim".into()));
        let receipt = send(request.clone()).await.unwrap();
        let text = delivered("bob", &receipt.message_id).await;
        assert!(text.contains("with ESMTPSA"), "{text}");
        request.server.as_mut().unwrap().password = Some("falsch".into());
        let failure = send(request).await.unwrap_err();
        assert_eq!(
            (&*failure.answer().code, failure.answer().outcome),
            ("smtp.auth", Outcome::NotExecuted)
        );
    }
}

#[tokio::test]
async fn postfix_with_an_unknown_authority_gets_nothing() {
    let mut request = mail("SMTP");
    request.server.as_mut().unwrap().ca_pem = None;
    let failure = send(request).await.unwrap_err();
    assert_eq!(
        (&*failure.answer().code, failure.answer().outcome),
        ("smtp.tls", Outcome::NotExecuted)
    );
}

#[tokio::test]
async fn nginx_redirects_to_tls_and_sends_text() {
    let mut request = page("/");
    request.url = format!("http://localhost:{}/again", setting("HTTP"));
    let answer = ask(request).await.unwrap();
    assert_eq!(
        (answer.redirects, answer.text.as_deref()),
        (2, Some("Grüße\n"))
    );
    assert_eq!(
        answer.url,
        format!("https://localhost:{}/hello.txt", setting("HTTPS"))
    );
}

#[tokio::test]
async fn nginx_sends_a_large_file_whole() {
    let answer = ask(page("/large.bin")).await.unwrap();
    let there = fs::read(PathBuf::from(setting("WEB")).join("large.bin")).unwrap();
    assert!(answer.bytes.unwrap().0 == there);
    let limited = HttpRequest {
        response_size_max: Some(1_000_000),
        ..page("/large.bin")
    };
    assert_eq!(
        ask(limited).await.unwrap_err().answer().code,
        "http.too_large"
    );
}

#[tokio::test]
async fn nginx_takes_a_large_body_and_a_json_one() {
    let upload = HttpRequest {
        method: Some("POST".into()),
        bytes: Some(Binary(vec![7; 3_000_000])),
        ..page("/upload")
    };
    assert_eq!(ask(upload).await.unwrap().text.as_deref(), Some("3000000"));
    let json = HttpRequest {
        method: Some("PUT".into()),
        json: Some(serde_json::json!([1, 2])),
        ..page("/json")
    };
    let answer = ask(json).await.unwrap();
    assert_eq!(
        answer.text.as_deref(),
        Some(r#"{"method":"PUT","type":"application/json"}"#)
    );
}

#[tokio::test]
async fn nginx_opens_for_a_client_certificate() {
    assert_eq!(ask(page("/who")).await.unwrap().status, 403);
    let known = HttpRequest {
        client_pem: Some(fs::read_to_string(setting("CLIENT")).unwrap()),
        ..page("/who")
    };
    let answer = ask(known).await.unwrap();
    assert_eq!(
        (answer.status, answer.text.as_deref()),
        (200, Some("CN=anna"))
    );
}

#[tokio::test]
async fn nginx_with_an_unknown_authority_is_refused() {
    let failure = ask(HttpRequest {
        ca_pem: None,
        ..page("/")
    })
    .await
    .unwrap_err();
    assert_eq!(
        (&*failure.answer().code, failure.answer().outcome),
        ("http.tls", Outcome::NotExecuted)
    );
}
