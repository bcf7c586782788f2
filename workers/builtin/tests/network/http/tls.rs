//! Whom a request trusts.

use standin_builtin::http::HttpRequest;
use standin_worker::Outcome;
use tokio::io::AsyncReadExt;

use super::{ask, fails, to, with};
use crate::{certificates::Authority, http_server::HttpServer};

#[tokio::test]
async fn tls_trusts_the_authority_that_the_caller_brings() {
    let authority = Authority::new();
    let server = HttpServer::start(Some(authority.acceptor(&["localhost"]))).await;
    let url = server.secure_url("/hello");
    let trusting = HttpRequest {
        ca_pem: Some(authority.pem.clone()),
        ..to(&url)
    };
    assert_eq!(ask(trusting).await.unwrap().text.as_deref(), Some("hello"));
    fails(
        ask(with("POST", &url)).await,
        1304,
        "http.tls",
        Outcome::NotExecuted,
        &["localhost", "ca_pem"],
    );
    let careless = HttpRequest {
        verify: Some(false),
        ..to(&url)
    };
    assert_eq!(ask(careless).await.unwrap().status, 200);
    let nonsense = HttpRequest {
        ca_pem: Some("x".into()),
        ..to(&url)
    };
    fails(
        ask(nonsense).await,
        4,
        "invalid_params",
        Outcome::NotExecuted,
        &["ca_pem"],
    );
}

#[tokio::test]
async fn bad_certificates_are_refused_with_their_reason() {
    let authority = Authority::new();
    let trusting = |server: &HttpServer| HttpRequest {
        ca_pem: Some(authority.pem.clone()),
        ..with("POST", &server.secure_url("/hello"))
    };
    let misnamed = HttpServer::start(Some(authority.acceptor(&["elsewhere.test"]))).await;
    fails(
        ask(trusting(&misnamed)).await,
        1304,
        "http.tls",
        Outcome::NotExecuted,
        &["another name"],
    );
    let expired = HttpServer::start(Some(authority.expired_acceptor(&["localhost"]))).await;
    fails(
        ask(trusting(&expired)).await,
        1304,
        "http.tls",
        Outcome::NotExecuted,
        &["expired"],
    );
    let plain = HttpServer::start(None).await;
    fails(
        ask(trusting(&plain)).await,
        1304,
        "http.tls",
        Outcome::NotExecuted,
        &["speak TLS"],
    );
}

#[tokio::test]
async fn who_hangs_up_before_tls_may_be_there_later_and_a_certificate_does_not_get_right() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // With something unread the end would be a reset.
            let mut greeting = [0; 16 << 10];
            let _ = stream.read(&mut greeting).await;
        }
    });
    let refused = ask(to(&url)).await.unwrap_err();
    let answer = refused.answer();
    assert_eq!(answer.code, "http.tls", "{answer}");
    assert!(answer.retry_after_ms.is_some(), "{answer}");
    assert_eq!(answer.outcome, Outcome::NotExecuted);
    let authority = Authority::new();
    let server = HttpServer::start(Some(authority.acceptor(&["localhost"]))).await;
    let refused = ask(to(&server.secure_url("/hello"))).await.unwrap_err();
    assert_eq!(refused.answer().code, "http.tls");
    assert_eq!(refused.answer().retry_after_ms, None);
}

#[tokio::test]
async fn a_client_certificate_opens_the_door() {
    let authority = Authority::new();
    let server = HttpServer::start(Some(authority.strict_acceptor(&["localhost"]))).await;
    let mut request = HttpRequest {
        ca_pem: Some(authority.pem.clone()),
        ..to(&server.secure_url("/hello"))
    };
    let refused = ask(request.clone()).await.unwrap_err();
    assert_eq!(refused.answer().code, "http.tls");
    request.client_pem = Some(authority.client_pem());
    assert_eq!(ask(request).await.unwrap().status, 200);
}
