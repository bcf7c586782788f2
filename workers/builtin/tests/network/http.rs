//! `http.request` against a real server on loopback.

mod failures;
mod tls;

use standin_builtin::http::{Basic, BodyKind, Http, HttpRequest, HttpResponse, Scalars};
use standin_worker::{Failure, Outcome};

use crate::{http_server::HttpServer, test_gate::TestGate};

/// A request that no proxy of the machine gets between.
fn to(url: &str) -> HttpRequest {
    HttpRequest {
        url: url.to_owned(),
        proxy: Some("none".into()),
        ..HttpRequest::default()
    }
}

fn with(method: &str, url: &str) -> HttpRequest {
    HttpRequest {
        method: Some(method.to_owned()),
        ..to(url)
    }
}

async fn ask(request: HttpRequest) -> Result<HttpResponse, Failure> {
    Http::default().request(&TestGate::new(), request).await
}

#[track_caller]
fn fails(
    outcome: Result<HttpResponse, Failure>,
    number: u32,
    code: &str,
    known: Outcome,
    words: &[&str],
) {
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
    assert!(answer.message.ends_with(['.', '?']), "{}", answer.message);
}

#[tokio::test]
async fn a_page_comes_with_status_headers_and_text() {
    let server = HttpServer::start(None).await;
    let page = ask(to(&server.url("/hello"))).await.unwrap();
    assert_eq!(
        (page.status, page.reason.as_str(), page.ok),
        (200, "OK", true)
    );
    assert_eq!(page.text.as_deref(), Some("hello"));
    assert_eq!(page.headers["x-twice"], "a, b");
    assert_eq!(
        page.header_list
            .iter()
            .filter(|(name, _)| name == "x-twice")
            .count(),
        2
    );
    assert_eq!(page.url, server.url("/hello"));
}

#[tokio::test]
async fn a_404_is_a_result() {
    let server = HttpServer::start(None).await;
    let page = ask(to(&server.url("/missing"))).await.unwrap();
    assert_eq!((page.status, page.ok), (404, false));
    assert_eq!(page.text.as_deref(), Some("{\"why\":\"gone\"}"));
}

#[tokio::test]
async fn a_body_is_text_where_it_says_so_and_is_and_bytes_otherwise() {
    let server = HttpServer::start(None).await;
    let body = async |path: &str, kind: BodyKind| {
        let request = HttpRequest {
            response_as: Some(kind),
            ..to(&server.url(path))
        };
        let page = ask(request).await.unwrap();
        (page.text, page.bytes.map(|bytes| bytes.0))
    };
    assert_eq!(
        body("/latin", BodyKind::Auto).await,
        (Some("grüße".into()), None)
    );
    assert_eq!(
        body("/bytes", BodyKind::Auto).await,
        (None, Some(vec![0, 255]))
    );
    assert_eq!(
        body("/liar", BodyKind::Auto).await,
        (None, Some(vec![255, 254, 253]))
    );
    assert_eq!(
        body("/latin", BodyKind::Bytes)
            .await
            .1
            .map(|bytes| bytes.len()),
        Some(5)
    );
    assert!(body("/bytes", BodyKind::Text).await.0.is_some());
    assert_eq!(
        body("/packed", BodyKind::Auto).await,
        (Some("packed and unpacked".into()), None)
    );
}

#[tokio::test]
async fn what_is_sent_arrives() {
    let server = HttpServer::start(None).await;
    let mut request = with("put", &server.url("/echo"));
    request.json = Some(serde_json::json!({ "a": [1, "ä"] }));
    request.headers = Some([("X-Mine".to_owned(), Scalars::from("yes"))].into());
    request.query = Some([("q".to_owned(), Scalars::from("a b"))].into());
    request.basic = Some(Basic {
        user: "anna".into(),
        password: Some("geheim".into()),
    });
    let page = ask(request).await.unwrap();
    assert_eq!(
        page.status,
        500,
        "the query is part of the path: {:?}",
        server.seen()
    );
    let seen = &server.seen()[0];
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str()),
        ("PUT", "/echo?q=a+b")
    );
    assert_eq!(seen.body, "{\"a\":[1,\"ä\"]}".as_bytes());
    for (name, value) in [
        ("x-mine", "yes"),
        ("content-type", "application/json"),
        ("authorization", "Basic YW5uYTpnZWhlaW0="),
    ] {
        assert!(
            seen.headers.contains(&(name.to_owned(), value.to_owned())),
            "{seen:?}"
        );
    }
}

#[tokio::test]
async fn a_user_in_the_address_logs_in_and_is_not_given_back() {
    let server = HttpServer::start(None).await;
    let url = server
        .url("/hello")
        .replace("http://", "http://anna:geheim@");
    let page = ask(to(&url)).await.unwrap();
    assert_eq!(page.url, server.url("/hello"));
    let headers = &server.seen()[0].headers;
    assert!(
        headers
            .iter()
            .any(|(name, value)| name == "authorization" && value == "Basic YW5uYTpnZWhlaW0=")
    );
}

#[tokio::test]
async fn redirects_are_followed_to_the_limit_and_no_further() {
    let server = HttpServer::start(None).await;
    let page = ask(to(&server.url("/again/4"))).await.unwrap();
    assert_eq!((page.redirects, page.text.as_deref()), (5, Some("hello")));
    assert_eq!(page.url, server.url("/hello"));
    let endless = ask(to(&server.url("/again/5"))).await;
    fails(
        endless,
        1307,
        "http.redirect",
        Outcome::Executed,
        &["127.0.0.1", "5 redirects"],
    );
    let none = HttpRequest {
        redirects: Some(0),
        ..to(&server.url("/again/4"))
    };
    assert_eq!(ask(none).await.unwrap().headers["location"], "/again/3");
    let nowhere = ask(to(&server.url("/to/file:///etc/passwd"))).await;
    fails(
        nowhere,
        1307,
        "http.redirect",
        Outcome::Executed,
        &["file:///etc/passwd"],
    );
}

#[tokio::test]
async fn a_redirected_post_keeps_or_drops_its_body_as_the_status_says() {
    let server = HttpServer::start(None).await;
    for (path, method, body) in [("/see-other", "GET", ""), ("/same-again", "POST", "data")] {
        let request = HttpRequest {
            text: Some("data".into()),
            ..with("POST", &server.url(path))
        };
        assert_eq!(ask(request).await.unwrap().text.as_deref(), Some(body));
        let seen = server.seen();
        assert_eq!(seen.last().map(|seen| seen.method.as_str()), Some(method));
    }
}

#[tokio::test]
async fn another_server_never_gets_the_password() {
    let (first, second) = (HttpServer::start(None).await, HttpServer::start(None).await);
    let mut request = to(&first.url(&format!("/to/{}", second.url("/hello"))));
    request.bearer = Some("secret".into());
    assert_eq!(ask(request).await.unwrap().text.as_deref(), Some("hello"));
    let has_token = |server: &HttpServer| {
        server.seen()[0]
            .headers
            .iter()
            .any(|(name, _)| name == "authorization")
    };
    assert_eq!((has_token(&first), has_token(&second)), (true, false));
}

#[tokio::test]
async fn connections_are_kept_for_the_next_request() {
    let server = HttpServer::start(None).await;
    let (http, gate) = (Http::default(), TestGate::new());
    for _ in 0..3 {
        http.request(&gate, to(&server.url("/hello")))
            .await
            .unwrap();
    }
    assert!(
        server.seen().iter().all(|seen| seen.connection == 1),
        "{:?}",
        server.seen()
    );
}
