//! What is known when a mail is refused or the server falls silent.

use std::{sync::Arc, time::Duration};

use standin_builtin::mail::MailRequest;
use standin_worker::Outcome;

use super::{Sink, fails, send, send_by};
use crate::{smtp_server::Abilities, test_gate::TestGate};

#[tokio::test]
async fn a_recipient_that_is_refused_does_not_stop_the_others() {
    let sink = Sink::start(Abilities::default()).await;
    let mut mail = sink.plain();
    mail.to = Some("bob@b.test, unknown@b.test, later@b.test".into());
    let receipt = send(mail.clone()).await.unwrap();
    assert_eq!(receipt.accepted, ["bob@b.test"]);
    let seen: Vec<_> = receipt
        .rejected
        .iter()
        .map(|one| {
            (
                one.address.as_str(),
                one.code,
                one.enhanced_code.as_deref(),
                one.message.as_str(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("unknown@b.test", 550, Some("5.1.1"), "no such user here"),
            (
                "later@b.test",
                451,
                Some("4.7.1"),
                "greylisted, try again later"
            ),
        ]
    );
    // Who needs all of them need not wait for the one who was put off: the other will be refused again.
    mail.require_all = Some(true);
    let never = fails(
        send(mail.clone()).await,
        1414,
        "smtp.rejected",
        Outcome::NotExecuted,
        &["2 recipients", "unknown@b.test"],
    );
    assert_eq!(never.answer().retry_after_ms, None);
    mail.to = Some("bob@b.test, later@b.test".into());
    let later = fails(
        send(mail).await,
        1415,
        "smtp.temporary",
        Outcome::NotExecuted,
        &["later@b.test"],
    );
    assert!(later.answer().retry_after_ms.is_some());
    assert_eq!(sink.taken().len(), 1);
}

#[tokio::test]
async fn a_refusal_says_whether_trying_again_helps() {
    let sink = Sink::start(Abilities::default()).await;
    let to = |to: &str| MailRequest {
        to: Some(to.into()),
        ..sink.plain()
    };
    let from = |from: &str| MailRequest {
        from: Some(from.into()),
        ..sink.plain()
    };
    let never = fails(
        send(to("unknown@b.test")).await,
        1414,
        "smtp.rejected",
        Outcome::NotExecuted,
        &["unknown@b.test", "550", "no such user"],
    );
    assert_eq!(never.answer().retry_after_ms, None);
    assert!(never.answer().data.is_some());
    let later = fails(
        send(to("later@b.test")).await,
        1415,
        "smtp.temporary",
        Outcome::NotExecuted,
        &["later@b.test", "451"],
    );
    assert!(later.answer().retry_after_ms.is_some());
    fails(
        send(from("refused@a.test")).await,
        1414,
        "smtp.rejected",
        Outcome::NotExecuted,
        &["spam"],
    );
    fails(
        send(from("busy@a.test")).await,
        1415,
        "smtp.temporary",
        Outcome::NotExecuted,
        &["try again later"],
    );
}

#[tokio::test]
async fn leave_is_asked_only_when_the_server_is_ready_for_the_text() {
    let sink = Sink::start(Abilities::default()).await;
    let gate = TestGate::new();
    let unknown = MailRequest {
        to: Some("unknown@b.test".into()),
        ..sink.plain()
    };
    send_by(&gate, unknown).await.unwrap_err();
    assert_eq!(gate.asked(), 0);
}

#[tokio::test]
async fn a_mail_that_gets_no_leave_never_ends() {
    let sink = Sink::start(Abilities::default()).await;
    let gate = TestGate {
        refuses: true,
        ..TestGate::new()
    };
    fails(
        send_by(&gate, sink.plain()).await,
        6,
        "cancelled",
        Outcome::NotExecuted,
        &[],
    );
    let broken_off = async {
        while sink.events.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), broken_off)
        .await
        .expect("the server sees the end");
    assert!(sink.taken().is_empty());
}

#[tokio::test]
async fn after_the_dot_without_an_answer_nobody_claims_to_know() {
    let sink = Sink::start(Abilities::default()).await;
    let dropped = MailRequest {
        from: Some("drop@a.test".into()),
        ..sink.plain()
    };
    fails(
        send(dropped).await,
        1417,
        "smtp.no_answer",
        Outcome::Unknown,
        &["hung up", "not known"],
    );
    let mut silent = sink.plain();
    silent.from = Some("silent@a.test".into());
    silent.server.as_mut().unwrap().timeout_ms = Some(200);
    fails(
        send(silent.clone()).await,
        1417,
        "smtp.no_answer",
        Outcome::Unknown,
        &["in time", "not known"],
    );
    // The attempt's own limit, and a caller who gives up, are no different.
    silent.server.as_mut().unwrap().timeout_ms = None;
    let gate = TestGate {
        timeout: Duration::from_millis(300),
        ..TestGate::new()
    };
    fails(
        send_by(&gate, silent.clone()).await,
        1417,
        "smtp.no_answer",
        Outcome::Unknown,
        &["in time"],
    );
    assert_eq!(sink.taken().len(), 3, "and in truth they all arrived");
}

#[tokio::test]
async fn a_server_that_is_not_there_or_no_mail_server_is_told() {
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        Sink {
            address: listener.local_addr().unwrap(),
            events: Arc::default(),
        }
    };
    fails(
        send(closed.plain()).await,
        1411,
        "smtp.connect",
        Outcome::NotExecuted,
        &["127.0.0.1", "nobody listens"],
    );
    fails(
        send(closed.mail("no-such-host.invalid")).await,
        1411,
        "smtp.connect",
        Outcome::NotExecuted,
        &["no-such-host.invalid"],
    );

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let web = Sink {
        address: listener.local_addr().unwrap(),
        events: Arc::default(),
    };
    tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        while let Ok((mut stream, _)) = listener.accept().await {
            stream
                .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                .await
                .unwrap();
        }
    });
    fails(
        send(web.plain()).await,
        1416,
        "smtp.protocol",
        Outcome::NotExecuted,
        &["HTTP/1.1 400"],
    );
}

#[tokio::test]
async fn an_address_with_letters_beyond_ascii_needs_a_server_that_takes_them() {
    let sink = Sink::start(Abilities::default()).await;
    let mail = MailRequest {
        to: Some("jörg@b.test".into()),
        ..sink.plain()
    };
    fails(
        send(mail).await,
        1401,
        "mail.bad_address",
        Outcome::NotExecuted,
        &["jörg@b.test"],
    );
}
