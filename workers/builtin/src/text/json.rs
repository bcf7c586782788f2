//! `text.json_parse` and `text.json_write`: JSON text to values and back. The order of names is kept, and so is every
//! digit of a whole number.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{
    Deserialize,
    de::{DeserializeSeed, IgnoredAny},
};
use serde_json::Value;
use standin_worker::{Failure, Method, Outcome, Replay};

use crate::{
    optional::{or_default, word_or_default},
    plain::{Duplicates, Plain, Reading},
};

pub(super) fn methods() -> Vec<Method> {
    vec![
        Method::blocking("text.json_parse", |_, arguments| parse(&arguments))
            .replay(Replay::Always)
            .doc("Reads JSON text into a value."),
        Method::blocking("text.json_write", |_, arguments| Ok(write(&arguments)))
            .replay(Replay::Always)
            .doc("Writes a value as JSON text."),
    ]
}

/// JSON text.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parse {
    /// The JSON.
    text: String,
    /// Give every number as text, exactly as it stands there: for amounts of money with many digits. Without it only
    /// whole numbers that do not fit into 64 bits are given so.
    #[serde(default, deserialize_with = "or_default")]
    numbers_as_text: bool,
    /// What happens when a name stands twice in one object.
    #[serde(default, deserialize_with = "word_or_default")]
    duplicates: Duplicates,
}

/// A value for JSON.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Write {
    /// The value. Bytes are taken as text.
    value: Plain,
    /// On several lines, for people.
    #[serde(default, deserialize_with = "or_default")]
    pretty: bool,
}

/// Reads JSON; a mistake is a line, a column in characters, both from 1, and what is wrong.
pub(crate) fn read_json(
    text: &str,
    duplicates: Duplicates,
    numbers_as_text: bool,
) -> Result<Value, (usize, usize, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mistake = |error: serde_json::Error| {
        let line = text.split('\n').nth(error.line().saturating_sub(1));
        let before = line
            .unwrap_or_default()
            .char_indices()
            .take_while(|(byte, _)| byte + 1 < error.column())
            .count();
        (error.line().max(1), before + 1, in_words(&error))
    };
    let read = |text: &str| {
        let mut decoder = serde_json::Deserializer::from_str(text);
        let value = Reading::new(duplicates).deserialize(&mut decoder)?;
        decoder.end().map(|()| value)
    };
    match read(text) {
        Ok(value) if !numbers_as_text && !has_large_number(text) => return Ok(value),
        Err(error) if !error.to_string().starts_with(OUT_OF_RANGE) => return Err(mistake(error)),
        Ok(_) | Err(_) => {}
    }
    // Numbers stand in the way that no f64 holds. Whether the text is JSON apart from that is seen first, and with a
    // zero in their place, so that mistakes are found at their places in the caller's text.
    serde_json::from_str::<IgnoredAny>(text).map_err(mistake)?;
    read(&replace_numbers(text, numbers_as_text, In::Zeros)).map_err(mistake)?;
    read(&replace_numbers(text, numbers_as_text, In::Quotes)).map_err(mistake)
}

const OUT_OF_RANGE: &str = "number out of range";

/// What the JSON reader says, in words. It says the place behind them, and that is said elsewhere.
fn in_words(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let what = said.split(" at line ").next().unwrap_or_default();
    match what {
        "EOF while parsing a value" => "it ends where a value is expected",
        "EOF while parsing a list" => "it ends inside a list",
        "EOF while parsing an object" => "it ends inside an object",
        "EOF while parsing a string" => "it ends inside a text",
        "expected ident" => "the only words without quotes are true, false and null",
        "expected value" => "a value is expected",
        "key must be a string" => "a name must be a text in double quotes",
        "trailing comma" => "a comma stands behind the last entry",
        "trailing characters" => "something stands behind the end",
        "recursion limit exceeded" => "it nests too deep",
        "control character (\\u0000-\\u001F) found while parsing a string" => {
            "a line break or another control character inside a text must be written as an escape"
        }
        "unexpected end of hex escape" | "lone leading surrogate in hex escape" => {
            "half a character is written as an escape"
        }
        OUT_OF_RANGE => "the number is larger than any that can be counted with",
        other => other,
    }
    .to_owned()
}

/// What becomes of a number.
#[derive(Clone, Copy, PartialEq)]
enum In {
    /// It is put into quotes, and so a text.
    Quotes,
    /// A zero stands in its place, as wide as it was.
    Zeros,
}

fn has_large_number(text: &str) -> bool {
    matches!(replace_numbers(text, false, In::Quotes), Cow::Owned(_))
}

/// Replaces numbers: all, or the whole ones that 64 bits do not hold. The text must be valid JSON.
fn replace_numbers(text: &str, all: bool, with: In) -> Cow<'_, str> {
    let mut out = String::new();
    let (mut copied, mut position) = (0, 0);
    let bytes = text.as_bytes();
    while position < bytes.len() {
        match bytes[position] {
            b'"' => position = string_end(bytes, position),
            b'-' | b'0'..=b'9' => {
                let part_of_number =
                    |byte: &&u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                let length = bytes[position..].iter().take_while(part_of_number).count();
                let number = &text[position..position + length];
                let is_whole = !number.contains(['.', 'e', 'E']);
                let fits = number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok();
                if all || (is_whole && !fits) {
                    out.push_str(&text[copied..position]);
                    match with {
                        In::Quotes => out.extend(["\"", number, "\""]),
                        In::Zeros => {
                            out.push('0');
                            out.extend(std::iter::repeat_n(' ', length - 1));
                        }
                    }
                    copied = position + length;
                }
                position += length;
            }
            _ => position += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// Behind the closing quote of the string that opens at `start`.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut position = start + 1;
    while position < bytes.len() {
        match bytes[position] {
            b'\\' => position += 2,
            b'"' => return position + 1,
            _ => position += 1,
        }
    }
    bytes.len()
}

fn parse(arguments: &Parse) -> Result<Value, Failure> {
    let Parse {
        text,
        numbers_as_text,
        duplicates,
    } = arguments;
    read_json(text, *duplicates, *numbers_as_text).map_err(|(line, column, what)| {
        let why = format!(
            "The JSON is wrong at line {line}, column {column}: {}.",
            what.replace('`', "\"")
        );
        Failure::new(1106, "text.bad_json", why)
            .outcome(Outcome::NotExecuted)
            .data(&std::collections::BTreeMap::from([
                ("line", line),
                ("column", column),
            ]))
    })
}

fn write(arguments: &Write) -> String {
    let written = if arguments.pretty {
        serde_json::to_string_pretty(&arguments.value.0)
    } else {
        serde_json::to_string(&arguments.value.0)
    };
    written.expect("a plain value can be written")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, numbers_as_text: bool) -> Result<Value, Failure> {
        parse(&Parse {
            text: text.to_owned(),
            numbers_as_text,
            duplicates: Duplicates::Error,
        })
    }

    fn written(value: Value) -> String {
        write(&Write {
            value: Plain(value),
            pretty: false,
        })
    }

    #[test]
    fn the_order_of_names_and_every_digit_of_a_whole_number_are_kept() {
        let text = r#"{"z":18446744073709551615,"a":[-9223372036854775808,1.5,null,true,"ü"]}"#;
        assert_eq!(written(read(text, false).expect("it is JSON")), text);
        let large = r#"{"a":18446744073709551616,"b":[-9223372036854775809,1e3],"c":"\"5"}"#;
        assert_eq!(
            written(read(large, false).expect("it is JSON")),
            r#"{"a":"18446744073709551616","b":["-9223372036854775809",1000.0],"c":"\"5"}"#
        );
        assert_eq!(
            written(read(r#"[0.10, "1", -5, 1E+2]"#, true).expect("it is JSON")),
            r#"["0.10","1","-5","1E+2"]"#
        );
    }

    #[test]
    fn a_number_of_any_length_keeps_its_digits_and_mistakes_their_places() {
        let long = "7".repeat(1000);
        let text = format!(r#"{{"a":{long},"b":1}}"#);
        assert_eq!(
            written(read(&text, false).expect("it is JSON")),
            format!(r#"{{"a":"{long}","b":1}}"#)
        );
        assert_eq!(
            written(read("[1e999, -0.0]", true).expect("it is JSON")),
            r#"["1e999","-0.0"]"#
        );
        for (text, all, place) in [
            ("[1e999]", false, "column 6: the number is larger"),
            ("[1e999,", true, "column 7: it ends"),
            ("[1e999, 01]", true, "column 10: invalid number"),
            (
                "{\"a\":1e999,\"a\":2}",
                true,
                "column 17: the name \"a\" stands twice",
            ),
        ] {
            let failure = read(text, all).expect_err("it is wrong");
            assert!(failure.answer().message.contains(place), "{failure}");
        }
    }

    #[test]
    fn a_mistake_is_placed() {
        for (text, place) in [
            ("{\n\"a\": }", "line 2, column 6"),
            ("", "line 1, column 1"),
            ("[1] [2]", "line 1, column 5"),
            ("{\"ü\": x}", "line 1, column 7"),
            ("{\"a\":1,\n\"a\":2}", "line 2"),
            (&"[".repeat(100), "deep"),
        ] {
            let failure = read(text, false).expect_err("it is wrong");
            assert_eq!(failure.answer().code, "text.bad_json");
            assert!(failure.answer().message.contains(place), "{failure}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e15..1e15).prop_map(Value::from),
            "(?s).{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::vec(("(?s).{0,6}", inner), 0..5)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value in any_value(), pretty: bool) {
            let text = write(&Write { value: Plain(value.clone()), pretty });
            prop_assert_eq!(read(&text, false).map_err(|failure| failure.to_string()), Ok(value));
        }

        #[test]
        fn a_value_survives_the_wire_as_it_is(value in any_value()) {
            let wire = standin_protocol::encode(&value);
            let read: Plain = standin_protocol::decode_exact(&wire).expect("it is a value");
            prop_assert_eq!(read.0, value);
        }

        #[test]
        fn quoting_numbers_leaves_valid_json(value in any_value()) {
            let quoted = replace_numbers(&value.to_string(), true, In::Quotes).into_owned();
            prop_assert!(serde_json::from_str::<Value>(&quoted).is_ok());
        }
    }
}
