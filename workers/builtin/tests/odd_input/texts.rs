//! `text.*`.

use serde_json::json;

use crate::{Caller, is_a_sentence};

#[tokio::test]
async fn bad_patterns_and_huge_texts_are_answered() {
    let mut caller = Caller::new().await;
    let patterns = [
        "(?=x)",
        r"(a)\1",
        "[z-a]",
        "*",
        "(",
        "\n(\n",
        r"\",
        "(?P<a>x)(?P<a>y)",
        r"\p{No}\q",
    ];
    let long = [
        "(".repeat(5_000),
        format!("{}(", "x".repeat(100_000)),
        r"(\w{999}){999}".to_owned(),
    ];
    let all = patterns
        .iter()
        .map(|pattern| (*pattern).to_owned())
        .chain(long);
    let all: Vec<_> = all
        .map(|pattern| json!({ "text": "x", "pattern": pattern }))
        .collect();
    caller.refuses("text.match", "text.bad_pattern", all).await;

    let huge = "abc ".repeat(1_000_000);
    for method in ["text.find", "text.split"] {
        let too_many = json!({ "text": huge, "pattern": "b" });
        caller.refuses(method, "text.too_large", [too_many]).await;
    }
    let growing = json!({ "text": huge, "pattern": ".", "with": "x".repeat(1000) });
    caller
        .refuses("text.replace", "text.too_large", [growing])
        .await;
    // What takes other engines for ever takes this one a moment.
    let backtracking = json!({ "text": format!("{}!", "a".repeat(100_000)), "pattern": "(a+)+$" });
    assert_eq!(
        caller.call("text.match", &backtracking).await,
        Ok(json!(false))
    );
    for (method, arguments, result) in [
        (
            "text.match",
            json!({ "text": "", "pattern": "" }),
            json!(true),
        ),
        (
            "text.find",
            json!({ "text": "", "pattern": "x" }),
            json!([]),
        ),
        (
            "text.split",
            json!({ "text": "", "pattern": "," }),
            json!([""]),
        ),
        (
            "text.replace",
            json!({ "text": "", "pattern": "", "with": "x" }),
            json!("x"),
        ),
    ] {
        assert_eq!(
            caller.call(method, &arguments).await,
            Ok(result),
            "{method}"
        );
    }
}

#[tokio::test]
async fn bad_templates_are_explained_and_monsters_are_refused() {
    let mut caller = Caller::new().await;
    let written = [
        "{{",
        "{% if %}",
        "{{ a }}",
        "{{ x|nofilter }}",
        "{{ x.y.z }}",
        "{% for %}",
        "{% include \"/etc/passwd\" %}",
        "{% extends 'x' %}",
        "{{ 1/0 }}",
        "{{ x|upper(1, 2, 3) }}",
        "{% endif %}",
        "{{ x() }}",
        "{{ 'x }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}",
    ];
    let made = [
        format!("{{{{ {}1 }}}}", "-".repeat(200_000)),
        format!("{{{{ {} }}}}", "[".repeat(200_000)),
        format!("{{{{ x{} }}}}", " + x".repeat(200_000)),
        "{% if x %}".repeat(10_000),
        "{% if x %}{% elif x %}{% endif %}".repeat(10_000),
    ];
    let all = written
        .iter()
        .map(|template| (*template).to_owned())
        .chain(made);
    let all: Vec<_> = all
        .map(|template| json!({ "template": template, "values": { "x": 1 } }))
        .collect();
    caller
        .refuses("text.template", "text.bad_template", all)
        .await;
    let bomb =
        json!({ "template": "{{ x|replace('a', x) }}", "values": { "x": "a".repeat(1_000_000) } });
    caller
        .refuses("text.template", "text.bad_template", [bomb])
        .await;
    let values = json!({ "template": "{{ x }}", "values": [1] });
    caller
        .refuses("text.template", "invalid_params", [values])
        .await;
}

#[tokio::test]
async fn code_pages_lack_what_they_lack() {
    let mut caller = Caller::new().await;
    for (codepage, lacks) in [
        ("1252", "→"),
        ("850", "€"),
        ("437", "Š"),
        ("ISO8859-15", "ł"),
        ("ascii", "ü"),
    ] {
        let text = format!("abc{lacks}");
        let mistake = json!({ "text": text, "codepage": codepage });
        caller
            .refuses("text.encode", "text.unmappable", [mistake])
            .await;
        let replaced = json!({ "text": text, "codepage": codepage, "replacement": "?" });
        assert!(caller.call("text.encode", &replaced).await.is_ok());
    }
    let invalid = serde_bytes::Bytes::new(b"ab\xff");
    let utf8 = [
        ("bytes", invalid),
        ("codepage", serde_bytes::Bytes::new(b"UTF-8")),
    ];
    let utf8: std::collections::BTreeMap<_, _> = utf8.into();
    let error = caller
        .call("text.decode", &utf8)
        .await
        .expect_err("0xff is not UTF-8");
    assert_eq!(error.code, "text.unmappable");
    is_a_sentence(&error.message);
    let names = ["", "?", "undefined", "ebcdic", "\n", "0"].map(str::to_owned);
    let names = names.into_iter().chain(["9".repeat(100_000)]);
    let all: Vec<_> = names
        .map(|name| json!({ "text": "x", "codepage": name }))
        .collect();
    caller
        .refuses("text.encode", "text.unknown_codepage", all)
        .await;
    let endless = json!({ "text": "→".repeat(1_000_000), "codepage": "850", "replacement": "x".repeat(1000) });
    caller
        .refuses("text.encode", "text.too_large", [endless])
        .await;
    let wrong = [
        json!({ "text": "x", "codepage": null }),
        json!({ "text": "x", "codepage": true }),
        json!({ "text": "x", "codepage": "850", "replacement": "→" }),
    ];
    caller.refuses("text.encode", "invalid_params", wrong).await;
}

#[tokio::test]
async fn broken_csv_and_json_lose_nothing_without_a_word() {
    let mut caller = Caller::new().await;
    let csv = [
        "a,b\n1",
        "a,b\n1,2,3",
        "a,a\n1,2",
        "a,b\n\"1,2\n3,4",
        "a,b\n\"1\"x,2",
    ];
    let all: Vec<_> = csv.iter().map(|text| json!({ "text": text })).collect();
    caller.refuses("text.csv_parse", "text.bad_csv", all).await;
    let signs = ["", ";;", "ä", "\n", "\""];
    let all: Vec<_> = signs
        .iter()
        .map(|sign| json!({ "text": "a", "delimiter": sign }))
        .collect();
    caller
        .refuses("text.csv_parse", "invalid_params", all)
        .await;
    let rows = [
        json!([1]),
        json!([{ "a": 1 }, { "b": 2 }]),
        json!(["x"]),
        json!([null]),
    ];
    let all: Vec<_> = rows.iter().map(|rows| json!({ "rows": rows })).collect();
    caller.refuses("text.csv_write", "text.bad_csv", all).await;
    for (text, rows) in [
        ("", json!([])),
        ("a", json!([])),
        ("\u{feff}a\r\n1\r\n", json!([{ "a": "1" }])),
    ] {
        assert_eq!(
            caller
                .call("text.csv_parse", &json!({ "text": text }))
                .await,
            Ok(rows)
        );
    }

    let written = [
        "",
        " ",
        "{\"a\":1,\"a\":2}",
        "{'a':1}",
        "{\"a\":1,}",
        "[1,2",
        "\"\\ud800\"",
        "\"\u{1}\"",
        "nan",
        "1e999",
        "01",
        "[1]x",
        "// c\n1",
        "{\"a\":tru}",
        "{\"a\"",
        "\"never ended",
    ];
    let made = [
        "[".repeat(200_000),
        "{\"a\":".repeat(200_000),
        "\"".repeat(99_999),
    ];
    let all = written.iter().map(|text| (*text).to_owned()).chain(made);
    let all: Vec<_> = all.map(|text| json!({ "text": text })).collect();
    caller
        .refuses("text.json_parse", "text.bad_json", all)
        .await;
}
