//! `text.json_parse` and `text.json_write`: JSON text to values and back. The order of keys and whole numbers up to
//! 64 bit are kept.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use standin_worker::{Failure, Method, Outcome, Replay};

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
struct Parse {
    /// The JSON.
    text: String,
}

/// A value for JSON.
#[derive(Debug, Deserialize, JsonSchema)]
struct Write {
    /// The value. Bytes cannot stand in JSON.
    value: Value,
    /// On several lines, for people.
    #[serde(default)]
    pretty: bool,
}

fn parse(arguments: &Parse) -> Result<Value, Failure> {
    serde_json::from_str(&arguments.text).map_err(|error| {
        let why = format!(
            "The JSON is wrong at line {}, column {}: {error}.",
            error.line(),
            error.column()
        );
        Failure::new(1106, "text.bad_json", why).outcome(Outcome::NotExecuted)
    })
}

fn write(arguments: &Write) -> String {
    let written = if arguments.pretty {
        serde_json::to_string_pretty(&arguments.value)
    } else {
        serde_json::to_string(&arguments.value)
    };
    written.expect("a JSON value can be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_and_the_order_of_keys_are_kept() {
        let text = r#"{"z":18446744073709551615,"a":[-9223372036854775808,1.5,null,true,"ü"]}"#;
        let value = parse(&Parse {
            text: text.to_owned(),
        })
        .expect("it is JSON");
        assert_eq!(
            write(&Write {
                value,
                pretty: false
            }),
            text
        );
    }

    #[test]
    fn a_mistake_is_placed() {
        let failure = parse(&Parse {
            text: "{\n\"a\": }".to_owned(),
        })
        .expect_err("it is wrong");
        assert!(
            failure.answer().message.contains("line 2, column 6"),
            "{failure}"
        );
    }
}
