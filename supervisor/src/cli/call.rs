//! `standin call`.

use std::io::Read;

use serde_json::{Map, Value};

use super::{CommandError, client, options::CallOptions, output, value};

/// The longest idempotency key that the protocol allows.
const KEY_LENGTH_MAX: usize = 128;

pub(super) fn run(options: &CallOptions) -> Result<(), CommandError> {
    let params = value::from_json(arguments(&options.arguments, std::io::stdin)?);
    let key = options.key.as_deref().map(checked_key).transpose()?;
    let client = client::connect(&options.service)?;
    let mut call = client.request(&options.method).raw_params(params);
    if let Some(timeout) = &options.timeout {
        call = call.timeout(timeout.0);
    }
    if options.idempotent {
        call = call.idempotent();
    }
    if let Some(key) = key {
        call = call.key(key);
    }
    let result = client.send_raw(call)?;
    if options.output.raw
        && let Some(contents) = value::contents(&result)
    {
        output::contents(&contents);
    } else if options.output.json {
        output::line(&value::to_json(&result).to_string());
    } else {
        output::json(&value::to_json(&result));
    }
    Ok(())
}

fn checked_key(key: &str) -> Result<Vec<u8>, CommandError> {
    if (1..=KEY_LENGTH_MAX).contains(&key.len()) {
        return Ok(key.as_bytes().to_vec());
    }
    let length = key.len();
    Err(CommandError::Usage(format!(
        "the key is {length} bytes long; 1 to {KEY_LENGTH_MAX} are allowed"
    )))
}

/// The parameters, an array: NAME=VALUE each, one JSON object, the whole array as JSON, or `-` for JSON from `input`.
pub(super) fn arguments<R: Read>(
    given: &[String],
    input: impl FnOnce() -> R,
) -> Result<Value, CommandError> {
    match given {
        [one] if one == "-" => {
            let mut text = String::new();
            input()
                .read_to_string(&mut text)
                .map_err(CommandError::Input)?;
            from_text(&text)
        }
        [one] if one.trim_start().starts_with(['{', '[']) => from_text(one),
        pairs => {
            let arguments = pairs
                .iter()
                .map(|argument| pair(argument))
                .collect::<Result<Map<_, _>, _>>()?;
            Ok(Value::Array(vec![arguments.into()]))
        }
    }
}

fn from_text(text: &str) -> Result<Value, CommandError> {
    match serde_json::from_str(text) {
        Ok(arguments @ Value::Object(_)) => Ok(Value::Array(vec![arguments])),
        Ok(params @ Value::Array(_)) => Ok(params),
        Ok(_) => Err(CommandError::Usage(
            "the arguments are JSON, but no object".to_owned(),
        )),
        Err(error) => Err(CommandError::Usage(format!(
            "the arguments are no JSON object: {error}"
        ))),
    }
}

fn pair(argument: &str) -> Result<(String, Value), CommandError> {
    let (name, value) = argument.split_once('=').ok_or_else(|| {
        let hint = "write NAME=VALUE, or one JSON object in quotes";
        CommandError::Usage(format!("`{argument}` is no argument\n(hint: {hint})"))
    })?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn given(texts: &[&str]) -> Result<Value, CommandError> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        arguments(&texts, || br#"{"from": "input"}"#.as_slice())
    }

    #[test]
    fn arguments_are_pairs_one_object_a_whole_array_or_come_from_standard_input() {
        let is = |texts: &[&str], wanted: Value| {
            assert_eq!(given(texts).expect("they are arguments"), wanted)
        };
        is(&[], json!([{}]));
        is(
            &[
                "text=one two",
                "count=3",
                "list=[1]",
                "equation=a=b",
                "digits=\"3\"",
            ],
            json!([{"text": "one two", "count": 3, "list": [1], "equation": "a=b", "digits": "3"}]),
        );
        is(&["{\"a\": 1}"], json!([{"a": 1}]));
        is(&["[1, 2]"], json!([1, 2]));
        is(&["-"], json!([{"from": "input"}]));
    }

    #[test]
    fn what_is_no_argument_is_refused_with_a_hint() {
        for wrong in ["{broken", "lonely", "[1"] {
            assert!(
                matches!(given(&[wrong]), Err(CommandError::Usage(_))),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_key_has_a_length_that_the_service_takes() {
        assert!(checked_key("invoice-4711").is_ok());
        assert!(checked_key("").is_err());
        assert!(checked_key(&"k".repeat(129)).is_err());
    }
}
