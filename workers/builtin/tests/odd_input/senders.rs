//! `http.request` and `mail.send`: nothing of this is sent.

use serde_json::{Value, json};

use crate::Caller;

#[tokio::test]
async fn requests_and_mails_that_cannot_be_sent_are_not() {
    let mut caller = Caller::new().await;
    let urls = [
        "",
        "x",
        "ftp://x",
        "http://",
        "http://localhost:99999/",
        "http://a b/",
        "http://[",
        "\n",
    ];
    let all: Vec<_> = urls.iter().map(|url| json!({ "url": url })).collect();
    caller.refuses("http.request", "http.bad_url", all).await;
    let mistakes = [
        json!({ "method": "" }),
        json!({ "method": "GET\r\nX: y" }),
        json!({ "method": "CONNECT" }),
        json!({ "headers": { "a b": "c" } }),
        json!({ "headers": { "a": "b\r\nc: d" } }),
        json!({ "headers": "x" }),
        json!({ "headers": { "a": { "b": 1 } } }),
        json!({ "headers": { "Content-Length": 5 } }),
        json!({ "query": [1] }),
        json!({ "text": "a", "json": 1 }),
        json!({ "basic": "x" }),
        json!({ "basic": { "user": "x" }, "bearer": "y" }),
        json!({ "bearer": "a\nb" }),
        json!({ "ca_pem": "x" }),
        json!({ "client_pem": "x" }),
        json!({ "proxy": "x" }),
        json!({ "proxy": "ftp://x" }),
        json!({ "response_as": "picture" }),
        json!({ "redirects": -1 }),
        json!({ "timeout_ms": "1" }),
        json!({ "url": 5 }),
    ];
    let all: Vec<_> = mistakes
        .into_iter()
        .map(|mut mistake| {
            let entries = mistake.as_object_mut().expect("it is a map");
            entries
                .entry("url")
                .or_insert_with(|| json!("http://localhost:1/"));
            mistake
        })
        .collect();
    caller.refuses("http.request", "invalid_params", all).await;
    let endless =
        json!({ "url": "http://localhost:1/", "connect_ms": u64::MAX, "timeout_ms": u64::MAX });
    caller
        .refuses("http.request", "http.connect", [endless])
        .await;

    let mail = |change: Value| {
        let mut mail =
            json!({ "server": { "host": "localhost", "port": 1 }, "from": "a@b.c", "to": "x@y.z" });
        let entries = mail.as_object_mut().expect("it is a map");
        entries.extend(change.as_object().expect("it is a map").clone());
        mail
    };
    for (code, changes) in [
        (
            "invalid_params",
            vec![
                json!({ "server": "localhost" }),
                json!({ "server": { "host": "" } }),
                json!({ "server": { "host": "a b" } }),
                json!({ "server": { "host": "x", "port": 70_000 } }),
                json!({ "server": { "host": "x", "port": "25" } }),
                json!({ "server": { "host": "x", "tls": "ssl" } }),
                json!({ "server": { "host": "x", "user": "u", "auth": "ntlm" } }),
                json!({ "to": 5 }),
                json!({ "to": [5] }),
                json!({ "text": 5 }),
                json!({ "attachments": "x" }),
                json!({ "attachments": [{}] }),
                json!({ "headers": { "X": 5 } }),
            ],
        ),
        (
            "mail.bad_address",
            vec![
                json!({ "from": "a" }),
                json!({ "from": "a@b.c, d@e.f" }),
                json!({ "to": "a\nb@c.d" }),
                json!({ "cc": "x".repeat(100_000) }),
            ],
        ),
        (
            "mail.bad_message",
            vec![
                json!({ "from": "" }),
                json!({ "from": null }),
                json!({ "to": "" }),
                json!({ "to": [] }),
                json!({ "subject": "a\nb" }),
                json!({ "message_id": "x" }),
                json!({ "headers": { "Subject": "x" } }),
                json!({ "headers": { "": "x" } }),
                json!({ "attachments": [{ "name": "a", "content": "x", "content_type": "foo" }] }),
            ],
        ),
        (
            "smtp.connect",
            vec![
                json!({}),
                json!({ "server": { "host": "localhost", "port": 1, "timeout_ms": u64::MAX } }),
            ],
        ),
    ] {
        caller
            .refuses("mail.send", code, changes.into_iter().map(mail))
            .await;
    }
}
