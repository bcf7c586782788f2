//! `config.parse`.

use serde_json::json;

use crate::Caller;

#[tokio::test]
async fn broken_settings_are_told_with_their_place() {
    let mut caller = Caller::new().await;
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    let long = "x".repeat(100_000);
    let broken = [
        (
            "ini",
            vec!["[a", "[a] b", "=1", "x", "a=1\na=2", "a=1\n[a]", &long],
        ),
        (
            "yaml",
            vec![
                "a: b: c",
                "- a\nb: c",
                "--- 1\n--- 2",
                "a: &a [*a]",
                "*x",
                "a: .nan",
                "? [a]\n: b",
                "a: \"x",
                "a: 1\na: 2",
                "{",
                &bomb,
            ],
        ),
        (
            "toml",
            vec!["a", "a = ", "a=1\na=2", "a = nan", "[a]\n[a]", &long],
        ),
        ("json", vec!["", "{\"a\":1,\"a\":2}", "[1", &long]),
        ("properties", vec!["a=1\na=2", r"a=\u12", r"a=\ud83d"]),
    ];
    for (format, texts) in broken {
        let texts = texts.into_iter();
        let all: Vec<_> = texts
            .map(|text| json!({ "format": format, "text": text }))
            .collect();
        caller.refuses("config.parse", "config.syntax", all).await;
    }
    for format in ["yaml", "toml", "json"] {
        let deep = json!({ "format": format, "text": format!("{}{}", if format == "toml" { "a=" } else { "" }, "[".repeat(100_000)) });
        caller
            .refuses("config.parse", "config.syntax", [deep])
            .await;
    }
    let wrong = [
        json!({ "format": "xml", "text": "x" }),
        json!({ "format": null, "text": "x" }),
        json!({ "format": "ini" }),
        json!({ "format": "ini", "text": "x", "content": "x" }),
        json!({ "format": "ini", "text": "x", "duplicates": "middle" }),
        json!({ "format": "ini", "text": "x", "duplicates": 1 }),
    ];
    caller
        .refuses("config.parse", "invalid_params", wrong)
        .await;
}
