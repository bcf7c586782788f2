//! Whatever a program gives to a method: a mistake is a sentence for a message box with the right code, nothing hangs,
//! and the worker serves on.

#[expect(
    dead_code,
    reason = "the service that the SDK's own tests play can do more"
)]
#[path = "../../../sdk/tests/serving/service.rs"]
mod service;

mod senders;
mod settings;
mod texts;

use serde_json::{Value, json};
use service::Service;
use standin_protocol::{self as protocol, ErrorAnswer, Outcome};

/// A message box holds about so much without scrolling.
const SENTENCE_MAX: usize = 500;

/// Words of programmers that say nothing to somebody with a message box.
const JARGON: [&str; 12] = [
    "msgpack",
    "struct",
    "enum",
    "usize",
    "u16",
    "u64",
    "variant",
    "EOF",
    "unit value",
    "a sequence",
    "a borrowed",
    "utf8",
];

struct Caller {
    service: Service,
    attempt: u64,
}

impl Caller {
    async fn new() -> Self {
        let (service, _) = Service::with(standin_builtin::worker()).await;
        Self {
            service,
            attempt: 0,
        }
    }

    async fn call(
        &mut self,
        method: &str,
        arguments: &impl serde::Serialize,
    ) -> Result<Value, ErrorAnswer> {
        self.attempt += 1;
        self.service.ask(self.attempt, method, &[arguments]);
        let answer = self.service.answered(self.attempt).await?;
        Ok(protocol::decode_exact(&answer).unwrap_or(Value::Null))
    }

    /// Each of these is a mistake of that code.
    async fn refuses(
        &mut self,
        method: &str,
        code: &str,
        mistakes: impl IntoIterator<Item = Value>,
    ) {
        for mistake in mistakes {
            let shown: String = mistake.to_string().chars().take(200).collect();
            let answer = self.call(method, &mistake).await;
            let error = answer.expect_err(&format!("{method} {shown}"));
            assert_eq!(error.code, code, "{method} {shown}: {error}");
            assert_eq!(error.outcome, Outcome::NotExecuted, "{method} {shown}");
            is_a_sentence(&error.message);
        }
        let alive = self
            .call("text.match", &json!({ "text": "x", "pattern": "x" }))
            .await;
        assert_eq!(alive, Ok(Value::Bool(true)));
    }
}

fn is_a_sentence(message: &str) {
    assert!(
        message.len() <= SENTENCE_MAX,
        "{} bytes: {message}",
        message.len()
    );
    assert!(!message.contains(char::is_control), "{message:?}");
    let (first, last) = (message.chars().next(), message.chars().last());
    assert!(
        first.is_some_and(|c| c.is_alphanumeric() || c == '"'),
        "{message}"
    );
    assert_eq!(last, Some('.'), "{message}");
    assert!(
        !message.contains("..\"") || message.contains("...\""),
        "{message}"
    );
    for word in JARGON {
        assert!(!message.contains(word), "{word}: {message}");
    }
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_named() {
    let mut caller = Caller::new().await;
    let every: Vec<String> = standin_builtin::worker()
        .methods()
        .iter()
        .map(|method| method.name.clone())
        .collect();
    for method in &every {
        caller
            .refuses(
                method,
                "invalid_params",
                [json!([]), json!({ "no such": 1 }), json!(5)],
            )
            .await;
    }
    caller
        .refuses(
            "text.find",
            "invalid_params",
            [
                json!({}),
                json!({ "text": "x" }),
                json!({ "text": null, "pattern": "x" }),
                json!({ "text": 5, "pattern": "x" }),
                json!({ "text": "x", "pattern": ["x"] }),
                json!({ "text": "x", "pattern": "x", "limit": -1 }),
                json!({ "text": "x", "pattern": "x", "limit": "1" }),
                json!({ "text": "x", "pattern": "x", "case_insensitive": "yes" }),
                json!({ "text": "x", "pattern": "x", "multi_line": 1 }),
                json!({ "text": "x", "pattern": "x", "flags\n": "y".repeat(100_000) }),
                json!({ "text": "x", "pattern": { "y".repeat(100_000): 1 } }),
            ],
        )
        .await;
    // Bytes that are no text, and an extension of MessagePack.
    let invalid = serde_bytes::Bytes::new(b"\xff\xfe");
    for arguments in [
        [("text", invalid), ("pattern", invalid)],
        [("pattern", invalid), ("text", invalid)],
    ] {
        let arguments: std::collections::BTreeMap<_, _> = arguments.into();
        let error = caller
            .call("text.match", &arguments)
            .await
            .expect_err("it is no text");
        assert!(error.message.contains("not valid UTF-8"), "{error}");
        is_a_sentence(&error.message);
    }
}

#[tokio::test]
async fn nil_is_as_if_left_out_wherever_something_may_be() {
    let mut caller = Caller::new().await;
    for (method, arguments, result) in [
        (
            "text.match",
            json!({ "text": "x", "pattern": "X", "case_insensitive": null, "multi_line": null, "dot_all": null, "limit": null }),
            json!(false),
        ),
        (
            "text.replace",
            json!({ "text": "x", "pattern": "x", "with": "y", "limit": null, "dot_all": null }),
            json!("y"),
        ),
        (
            "text.template",
            json!({ "template": "a", "values": null, "html": null }),
            json!("a"),
        ),
        (
            "text.decode",
            json!({ "bytes": "x", "codepage": 850.0, "replacement": null }),
            json!("x"),
        ),
        (
            "text.csv_write",
            json!({ "rows": [["a"]], "columns": null, "delimiter": null, "quote": null, "header": null }),
            json!("a\n"),
        ),
        (
            "text.json_parse",
            json!({ "text": "1", "numbers_as_text": null, "duplicates": null }),
            json!(1),
        ),
        (
            "text.json_write",
            json!({ "value": null, "pretty": null }),
            json!("null"),
        ),
        (
            "config.parse",
            json!({ "format": "INI", "text": "a=1", "content": null, "codepage": null, "duplicates": null }),
            json!({ "a": "1" }),
        ),
    ] {
        assert_eq!(
            caller.call(method, &arguments).await,
            Ok(result),
            "{method}"
        );
    }
}
