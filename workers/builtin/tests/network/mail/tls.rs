//! Whom a mail trusts, and who logs in.

use std::sync::Arc;

use standin_worker::Outcome;

use super::{Sink, fails, send};
use crate::{certificates::Authority, smtp_server::Abilities};

#[tokio::test]
async fn starttls_is_used_where_it_is_offered() {
    let authority = Authority::new();
    let sink = Sink::start(Abilities {
        tls: Some(authority.acceptor(&["localhost"])),
        ..Abilities::default()
    })
    .await;
    for tls in [None, Some("starttls"), Some("starttls_required")] {
        let mail = sink.with(|server| {
            server.tls = tls.map(Into::into);
            server.ca_pem = Some(authority.pem.clone());
        });
        send(mail).await.unwrap();
    }
    send(sink.with(|server| server.tls = Some("none".into())))
        .await
        .unwrap();
    let secret: Vec<_> = sink.taken().iter().map(|mail| mail.was_secret).collect();
    assert_eq!(secret, [true, true, true, false]);
}

#[tokio::test]
async fn implicit_tls_works_and_checks_the_name() {
    let authority = Authority::new();
    let sink = Sink::start(Abilities {
        tls: Some(authority.acceptor(&["localhost"])),
        is_implicit: true,
        ..Abilities::default()
    })
    .await;
    let mut mail = sink.with(|server| {
        server.tls = Some("implicit".into());
        server.ca_pem = Some(authority.pem.clone());
    });
    send(mail.clone()).await.unwrap();
    assert!(sink.taken()[0].was_secret);
    mail.server.as_mut().unwrap().host = Some("127.0.0.1".into());
    fails(
        send(mail.clone()).await,
        1412,
        "smtp.tls",
        Outcome::NotExecuted,
        &["another name"],
    );
    mail.server.as_mut().unwrap().verify = Some(false);
    send(mail).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_cannot_be_trusted_sends_nothing() {
    let authority = Authority::new();
    let tls = Some(authority.acceptor(&["localhost"]));
    let sink = Sink::start(Abilities {
        tls: tls.clone(),
        ..Abilities::default()
    })
    .await;
    fails(
        send(sink.with(|_| ())).await,
        1412,
        "smtp.tls",
        Outcome::NotExecuted,
        &["localhost", "ca_pem"],
    );

    let plain = Sink::start(Abilities::default()).await;
    let required = plain.with(|server| server.tls = Some("starttls_required".into()));
    fails(
        send(required).await,
        1412,
        "smtp.tls",
        Outcome::NotExecuted,
        &["does not offer STARTTLS"],
    );
    let implicit = plain.with(|server| server.tls = Some("implicit".into()));
    fails(
        send(implicit).await,
        1412,
        "smtp.tls",
        Outcome::NotExecuted,
        &["TLS"],
    );
    let login = plain.with(|server| server.user = Some("anna".into()));
    fails(
        send(login).await,
        1412,
        "smtp.tls",
        Outcome::NotExecuted,
        &["readable"],
    );

    let attacked = Sink::start(Abilities {
        tls,
        injected: "\r\n250 believe me",
        ..Abilities::default()
    })
    .await;
    let trusting = attacked.with(|server| server.ca_pem = Some(authority.pem.clone()));
    fails(
        send(trusting).await,
        1412,
        "smtp.tls",
        Outcome::NotExecuted,
        &["before it was secure"],
    );
    assert!(sink.taken().is_empty() && plain.taken().is_empty() && attacked.taken().is_empty());
}

#[tokio::test]
async fn trouble_with_tls_that_may_pass_says_when_to_come_back_and_a_certificate_does_not() {
    let authority = Authority::new();
    let away = |words| Abilities {
        tls: Some(authority.acceptor(&["localhost"])),
        no_tls_now: words,
        ..Abilities::default()
    };
    let trusting = |sink: &Sink| sink.with(|server| server.ca_pem = Some(authority.pem.clone()));
    let refused = async |words, number, code: &str| {
        let sink = Sink::start(away(words)).await;
        let told = &[words];
        let sent = send(trusting(&sink)).await;
        let failure = fails(sent, number, code, Outcome::NotExecuted, told);
        failure.answer().retry_after_ms
    };
    let now = refused("454 4.7.0 TLS not available now", 1415, "smtp.temporary").await;
    assert!(now.is_some());
    let never = refused("554 5.7.0 no TLS", 1412, "smtp.tls").await;
    assert_eq!(never, None);

    // A balancer before a server that is being restarted: it takes the connection, and then ends it or says nothing.
    for is_silent in [false, true] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let balancer = Sink {
            address: listener.local_addr().unwrap(),
            events: Arc::default(),
        };
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                kept.extend(is_silent.then_some(stream));
            }
        });
        let mail = balancer.with(|server| {
            server.tls = Some("implicit".into());
            server.timeout_ms = Some(300);
        });
        let sent = send(mail).await;
        let failure = fails(sent, 1412, "smtp.tls", Outcome::NotExecuted, &["localhost"]);
        assert!(failure.answer().retry_after_ms.is_some(), "{is_silent}");
    }

    let strange = Sink::start(away("")).await;
    let sent = send(strange.with(|_| ())).await;
    let failure = fails(sent, 1412, "smtp.tls", Outcome::NotExecuted, &["ca_pem"]);
    assert_eq!(failure.answer().retry_after_ms, None);
}

#[tokio::test]
async fn every_way_to_log_in_works_and_a_wrong_password_is_told() {
    let authority = Authority::new();
    let abilities = |mechanisms| Abilities {
        tls: Some(authority.acceptor(&["localhost"])),
        mechanisms,
        login: ("anna", "geheim"),
        ..Abilities::default()
    };
    for (mechanisms, auth) in [
        ("PLAIN LOGIN", None),
        ("LOGIN", None),
        ("PLAIN LOGIN", Some("login")),
        ("XOAUTH2", Some("xoauth2")),
    ] {
        let sink = Sink::start(abilities(mechanisms)).await;
        let mut mail = sink.with(|server| {
            server.ca_pem = Some(authority.pem.clone());
            server.auth = auth.map(Into::into);
            (server.user, server.password) = (Some("anna".into()), Some("geheim".into()));
        });
        send(mail.clone()).await.unwrap();
        assert_eq!(sink.taken()[0].user.as_deref(), Some("anna"));
        mail.server.as_mut().unwrap().password = Some("falsch".into());
        fails(
            send(mail).await,
            1413,
            "smtp.auth",
            Outcome::NotExecuted,
            &["localhost", "535", "wrong user or password"],
        );
    }
    let odd = Sink::start(abilities("GSSAPI")).await;
    let mail = odd.with(|server| {
        server.ca_pem = Some(authority.pem.clone());
        server.user = Some("anna".into());
    });
    fails(
        send(mail).await,
        1413,
        "smtp.auth",
        Outcome::NotExecuted,
        &["GSSAPI"],
    );
}
