//! What is known when there is no answer.

use std::time::Duration;

use standin_builtin::http::{Http, HttpRequest};
use standin_worker::Outcome;

use super::{ask, fails, to, with};
use crate::{http_server::HttpServer, test_gate::TestGate};

#[tokio::test]
async fn only_verbs_that_may_not_be_repeated_ask_for_leave() {
    let server = HttpServer::start(None).await;
    for (method, asked) in [
        ("GET", 0),
        ("HEAD", 0),
        ("PUT", 0),
        ("DELETE", 0),
        ("OPTIONS", 0),
        ("POST", 1),
        ("PATCH", 1),
        ("FROB", 1),
    ] {
        let gate = TestGate::new();
        Http::default()
            .request(&gate, with(method, &server.url("/hello")))
            .await
            .unwrap();
        assert_eq!(gate.asked(), asked, "{method}");
    }
}

#[tokio::test]
async fn a_refused_post_is_never_sent() {
    let server = HttpServer::start(None).await;
    let gate = TestGate {
        refuses: true,
        ..TestGate::new()
    };
    let outcome = Http::default()
        .request(&gate, with("POST", &server.url("/hello")))
        .await;
    assert_eq!(outcome.unwrap_err().answer().outcome, Outcome::NotExecuted);
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_get_survives_a_kept_connection_that_closes_and_a_post_is_not_sent_twice() {
    let server = HttpServer::start(None).await;
    let (http, gate) = (Http::default(), TestGate::new());
    let url = server.url("/drops-when-reused");
    http.request(&gate, to(&url)).await.unwrap();
    let again = http.request(&gate, to(&url)).await.unwrap();
    assert_eq!(again.text.as_deref(), Some("once"));
    assert_eq!(server.seen().len(), 3, "the second GET went out twice");

    let post = http.request(&gate, with("POST", &url)).await;
    fails(
        post,
        1308,
        "http.protocol",
        Outcome::Unknown,
        &["127.0.0.1"],
    );
    let posts = server
        .seen()
        .iter()
        .filter(|seen| seen.method == "POST")
        .count();
    assert_eq!(posts, 1);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_an_error_and_not_memory() {
    let server = HttpServer::start(None).await;
    let limited = |path: &str, size_max| HttpRequest {
        response_size_max: Some(size_max),
        ..to(&server.url(path))
    };
    let endless = ask(limited("/large/1099511627776", 1 << 20)).await;
    fails(
        endless,
        1306,
        "http.too_large",
        Outcome::Executed,
        &["1048576"],
    );
    let announced = ask(limited("/hello", 4)).await;
    fails(
        announced,
        1306,
        "http.too_large",
        Outcome::Executed,
        &["4 bytes"],
    );
    let packed = ask(limited("/packed", 10)).await;
    fails(
        packed,
        1306,
        "http.too_large",
        Outcome::Executed,
        &["10 bytes"],
    );
    let fits = ask(limited("/large/1048576", 1 << 20)).await.unwrap();
    assert_eq!(fits.bytes.unwrap().0.len(), 1 << 20);
}

#[tokio::test]
async fn silence_ends_at_the_limit_and_says_what_is_known() {
    let server = HttpServer::start(None).await;
    let limited = |method: &str, path: &str| HttpRequest {
        timeout_ms: Some(100),
        ..with(method, &server.url(path))
    };
    for path in ["/silent", "/stalls"] {
        fails(
            ask(limited("POST", path)).await,
            1305,
            "http.timeout",
            Outcome::Unknown,
            &["127.0.0.1"],
        );
    }
    // The attempt's own limit is the shorter one here.
    let gate = TestGate {
        timeout: Duration::from_millis(100),
        ..TestGate::new()
    };
    let outcome = Http::default()
        .request(&gate, to(&server.url("/silent")))
        .await;
    fails(
        outcome,
        1305,
        "http.timeout",
        Outcome::Unknown,
        &["127.0.0.1"],
    );
}

#[tokio::test]
async fn a_cancelled_call_ends_at_once() {
    let server = HttpServer::start(None).await;
    let gate = TestGate::new();
    gate.cancel.notify_one();
    let outcome = Http::default()
        .request(&gate, to(&server.url("/silent")))
        .await;
    assert_eq!(outcome.unwrap_err().answer().code, "cancelled");
}

#[tokio::test]
async fn a_connection_that_never_was_executed_nothing() {
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let refused = ask(with("POST", &format!("http://{closed}/"))).await;
    fails(
        refused,
        1303,
        "http.connect",
        Outcome::NotExecuted,
        &["127.0.0.1", "nobody listens"],
    );
    let unknown = ask(with("POST", "http://no-such-host.invalid/")).await;
    fails(
        unknown,
        1302,
        "http.dns",
        Outcome::NotExecuted,
        &["no-such-host.invalid"],
    );
}

#[tokio::test]
async fn what_is_not_http_is_a_protocol_error() {
    let server = HttpServer::start(None).await;
    let nonsense = ask(with("POST", &server.url("/nonsense"))).await;
    fails(
        nonsense,
        1308,
        "http.protocol",
        Outcome::Unknown,
        &["127.0.0.1"],
    );
    let cut = ask(to(&server.url("/cut"))).await;
    fails(
        cut,
        1308,
        "http.protocol",
        Outcome::Executed,
        &["127.0.0.1"],
    );
}
