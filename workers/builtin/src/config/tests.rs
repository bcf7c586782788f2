//! What `config.parse` promises for every format.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::parse::parse;

fn read(format: &str, text: &str) -> Result<Value, String> {
    ask(json!({ "format": format, "text": text }))
}

fn ask(arguments: Value) -> Result<Value, String> {
    let arguments = serde_json::from_value(arguments).expect("the arguments fit");
    parse(&arguments).map_err(|failure| failure.answer().message.clone())
}

#[test]
fn every_format_gives_its_values_in_their_order() {
    let ini = "; mine\ntop = 1\n[Paths]\r\nzeta = C:\\new\\text ; stays\nalpha=\"a b \"\nempty=\n[ Other ]\nx=y=z\n";
    let wanted = json!({
        "top": "1",
        "Paths": { "zeta": "C:\\new\\text ; stays", "alpha": "a b ", "empty": "" },
        "Other": { "x": "y=z" },
    });
    let values = read("ini", ini).expect("it is INI");
    assert_eq!(values, wanted);
    assert_eq!(values.to_string(), wanted.to_string());

    let toml = "z = 1\na = [1.5, true]\nd = 2024-02-29T12:00:00Z\n[t]\nx = \"ü\"\n";
    let wanted =
        json!({ "z": 1, "a": [1.5, true], "d": "2024-02-29T12:00:00Z", "t": { "x": "ü" } });
    assert_eq!(
        read("toml", toml).expect("it is TOML").to_string(),
        wanted.to_string()
    );

    let yaml = "z: &one {x: 1}\na: [yes, ~, 'no', 1.5]\n7: *one\n";
    let wanted = json!({ "z": { "x": 1 }, "a": ["yes", null, "no", 1.5], "7": { "x": 1 } });
    assert_eq!(
        read("yaml", yaml).expect("it is YAML").to_string(),
        wanted.to_string()
    );

    let json = r#"{"z":1,"a":[null,18446744073709551615]}"#;
    assert_eq!(read("json", json).expect("it is JSON").to_string(), json);

    let properties = "z.a = long \\\n   line\n! no\n# no\nb: \\u00fc\nc\n";
    let wanted = json!({ "z.a": "long line", "b": "ü", "c": "" });
    let values = read("properties", properties).expect("they are properties");
    assert_eq!(values.to_string(), wanted.to_string());
}

#[test]
fn a_mistake_is_placed_by_line_and_column_in_a_sentence() {
    for (format, text, place) in [
        ("ini", "[a]\n  what is this\n", "line 2, column 3"),
        ("ini", "[a\n", "line 1, column 1"),
        ("ini", "[a] b\n", "line 1, column 1"),
        ("ini", "= 5\n", "line 1, column 1"),
        ("ini", "a=1\n[a]\n", "line 2, column 1"),
        ("toml", "a = 1\nü = = 2\n", "line 2, column"),
        ("toml", "a = 1\na = 2\n", "line 2, column 1"),
        ("yaml", "a: 1\nb: [1, 2\n", "line"),
        ("yaml", "a: 1\nb:\n\t- c\n", "line 3"),
        ("json", "{\n \"a\": 1,\n}", "line 3, column 1"),
        ("json", "{} x", "line 1, column"),
        ("properties", "a=1\nb=\\u12x\n", "line 2"),
    ] {
        let message = read(format, text).expect_err(text);
        assert!(message.contains(place), "{format}: {message}");
        assert!(
            message.ends_with('.') && !message.contains('\n'),
            "{message}"
        );
    }
}

#[test]
fn a_name_that_stands_twice_is_a_mistake_unless_the_caller_decides() {
    for (format, text) in [
        ("ini", "[s]\na=1\n[t]\n[s]\na=2\n"),
        ("yaml", "s:\n  a: '1'\n  a: '2'\n"),
        ("json", "{\"s\":{\"a\":\"1\",\n\"a\":\"2\"}}"),
    ] {
        let message = read(format, text).expect_err(text);
        assert!(
            message.contains('a') && message.contains("line"),
            "{message}"
        );
        for (duplicates, value) in [("first", "1"), ("last", "2")] {
            let asked = json!({ "format": format, "text": text, "duplicates": duplicates });
            assert_eq!(
                ask(asked).expect("it is decided")["s"]["a"],
                value,
                "{format}"
            );
        }
    }
    let message = read("properties", "a=1\n\na=2\n").expect_err("it stands twice");
    assert!(message.contains("line 3"), "{message}");
}

#[test]
fn the_bytes_of_a_file_are_read_in_their_code_page_and_a_byte_order_mark_goes_before_it() {
    let ask = |content: &[u8], codepage: Option<&str>| {
        let arguments = super::arguments::Parse {
            format: super::arguments::Format::Ini,
            text: None,
            content: Some(crate::Binary(content.to_vec())),
            codepage: codepage.map(|page| crate::text::PageName(page.to_owned())),
            duplicates: crate::plain::Duplicates::Error,
        };
        parse(&arguments).map_err(|failure| failure.answer().message.clone())
    };
    assert_eq!(
        ask(b"\xef\xbb\xbfa=\xc3\xbc", None),
        Ok(json!({ "a": "ü" }))
    );
    assert_eq!(ask(b"a=\xfc", Some("1252")), Ok(json!({ "a": "ü" })));
    assert_eq!(ask(b"\xff\xfea\0=\0\xfc\0", None), Ok(json!({ "a": "ü" })));
    let message = ask(b"a=\xfc", None).expect_err("it is no UTF-8");
    assert!(message.contains("position 2"), "{message}");
}

#[test]
fn what_is_in_the_file_stays_what_it_is() {
    let toml_date = r#"{"$__toml_private_datetime":"1"}"#;
    assert_eq!(
        read("json", toml_date).expect("it is JSON").to_string(),
        toml_date
    );
    let yaml = "zip: 01234\nthousand: 1_000\nhex: 0x10\ntagged: !mine x\n";
    let wanted = json!({ "zip": "01234", "thousand": "1_000", "hex": 16, "tagged": "x" });
    assert_eq!(read("yaml", yaml), Ok(wanted));
    let often = format!("- &a {{x: 1}}\n{}", "- *a\n".repeat(3000));
    let values = read("yaml", &often).expect("an alias may be used often");
    assert_eq!(values.as_array().map(Vec::len), Some(3001));
}

#[test]
fn the_words_of_a_mistake_are_those_of_the_format() {
    for (format, text, says) in [
        ("yaml", "--- 1\n--- 2\n", "more than one document"),
        ("yaml", "a: &a [*a]", "inside what it stands for"),
        ("yaml", "a: *b", "no anchor has the name"),
        ("yaml", "a: .inf", "\".inf\" is not a number"),
        (
            "yaml",
            &format!("[{}1]", "1, ".repeat(300_000)),
            "too large",
        ),
        ("json", "{\"a\": tru}", "true, false and null"),
        ("json", "[1, 2", "ends inside a list"),
        ("properties", "a=\\u12", "The properties are wrong"),
        ("ini", &"x\u{1}".repeat(1000), "\\u{1}x"),
    ] {
        let message = read(format, text).expect_err(text);
        assert!(message.contains(says), "{message}");
        assert!(message.len() < 350, "{message}");
    }
    assert_eq!(
        ask(json!({ "format": "INI", "text": "a=1" })),
        Ok(json!({ "a": "1" }))
    );
}

#[test]
fn bombs_are_refused() {
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    assert!(read("json", &deep).is_err_and(|why| why.contains("deep")));
    assert!(read("yaml", &deep).is_err());
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = vec![format!("*a{}", level - 1); 9].join(", ");
        laughs.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    assert!(read("yaml", &laughs).is_err());
}

#[test]
fn settings_come_once() {
    assert!(ask(json!({ "format": "ini" })).is_err());
    assert!(ask(json!({ "format": "ini", "text": "", "content": "" })).is_err());
    assert_eq!(ask(json!({ "format": "ini", "text": "" })), Ok(json!({})));
}

proptest! {
    #[test]
    fn no_text_whatever_brings_a_format_down(text in "(?s).{0,80}") {
        for format in ["ini", "toml", "yaml", "json", "properties"] {
            let _ = read(format, &text);
        }
    }

    #[test]
    fn ini_gives_back_what_was_put_in(entries in proptest::collection::btree_map("[a-z]{1,8}", "[!-~ü&&[^\"';#]]{0,12}", 0..8)) {
        let text: String = entries.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        prop_assert_eq!(read("ini", &text), Ok(json!(entries)));
    }
}
