//! `text.csv_parse` and `text.csv_write` (RFC 4180, with the delimiter and quote of one's choice).

use csv::{ReaderBuilder, WriterBuilder};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use standin_worker::{Failure, Method, Outcome, Replay, shown};

use self::quotes::{BrokenQuote, broken_quote};
use crate::plain::Plain;

mod quotes;

pub(super) fn methods() -> Vec<Method> {
    vec![
        Method::blocking("text.csv_parse", |_, arguments| parse(&arguments))
            .replay(Replay::Always)
            .doc("Reads CSV: with a header a list of maps, without one a list of lists."),
        Method::blocking("text.csv_write", |_, arguments| write(&arguments))
            .replay(Replay::Always)
            .doc("Writes CSV from a list of maps or of lists."),
    ]
}

/// CSV text.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parse {
    /// The CSV.
    text: String,
    /// What stands between fields; a comma if left out.
    #[serde(default)]
    delimiter: Option<char>,
    /// What stands around a field that holds a delimiter or a line's end; " if left out.
    #[serde(default)]
    quote: Option<char>,
    /// The first line names the columns; yes if left out.
    #[serde(default)]
    header: Option<bool>,
}

/// Rows for CSV.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Write {
    /// The rows: lists, or maps with one entry for each column.
    rows: Vec<Plain>,
    /// The columns and their order, for maps. Without it, those of the first row.
    #[serde(default)]
    columns: Option<Vec<String>>,
    /// What stands between fields; a comma if left out.
    #[serde(default)]
    delimiter: Option<char>,
    /// What stands around a field that needs it; " if left out.
    #[serde(default)]
    quote: Option<char>,
    /// Write the names of the columns first, for maps; yes if left out.
    #[serde(default)]
    header: Option<bool>,
}

fn failure(why: String) -> Failure {
    Failure::new(1105, "text.bad_csv", why).outcome(Outcome::NotExecuted)
}

/// The characters that have a meaning, as bytes: delimiter and quote.
fn signs(delimiter: Option<char>, quote: Option<char>) -> Result<(u8, u8), Failure> {
    let sign = |what: &str, given: Option<char>, usual: u8| {
        let Some(character) = given else {
            return Ok(usual);
        };
        u8::try_from(character)
            .ok()
            .filter(|byte| byte.is_ascii() && !matches!(byte, b'\r' | b'\n'))
            .ok_or_else(|| {
                let shown = shown(&character.to_string());
                Failure::invalid_arguments(format!(
                    "The {what} must be a plain character on the line, and {shown} is not."
                ))
            })
    };
    let signs = (
        sign("delimiter", delimiter, b',')?,
        sign("quote", quote, b'"')?,
    );
    if signs.0 == signs.1 {
        let why = "The delimiter and the quote must be different characters.";
        return Err(Failure::invalid_arguments(why));
    }
    Ok(signs)
}

fn unreadable(error: &csv::Error) -> Failure {
    failure(match error.kind() {
        csv::ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            format!(
                "The row at line {line} has {}, and the first one has {expected_len}.",
                fields(*len)
            )
        }
        _ => format!("The CSV cannot be read: {error}."),
    })
}

fn fields(count: u64) -> String {
    match count {
        1 => "1 field".to_owned(),
        count => format!("{count} fields"),
    }
}

/// A name that more than one column has.
fn twice<'a>(header: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::HashSet::new();
    header.into_iter().find(|name| !seen.insert(*name))
}

fn parse(arguments: &Parse) -> Result<Value, Failure> {
    let (delimiter, quote) = signs(arguments.delimiter, arguments.quote)?;
    let broken = broken_quote(&arguments.text, delimiter, quote).map(|broken| match broken {
        BrokenQuote::Open { line } => {
            format!("The quote that opens at line {line} is never closed.")
        }
        BrokenQuote::TextBehind { line } => {
            format!("At line {line} something stands behind a closing quote.")
        }
    });
    if let Some(why) = broken {
        return Err(failure(why));
    }
    let has_header = arguments.header.unwrap_or(true);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .quote(quote)
        .has_headers(has_header)
        .from_reader(arguments.text.as_bytes());
    let header = if has_header {
        Some(
            reader
                .headers()
                .map_err(|error| unreadable(&error))?
                .clone(),
        )
    } else {
        None
    };
    if let Some(header) = &header
        && let Some(twice) = twice(header)
    {
        let why = format!(
            "Two columns have the name {}. Read the CSV with \"header\" off to get lists.",
            shown(twice)
        );
        return Err(failure(why));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(&error))?;
        let fields = record.iter().map(Value::from);
        rows.push(match &header {
            None => fields.collect(),
            Some(header) => Value::Object(header.iter().map(str::to_owned).zip(fields).collect()),
        });
    }
    Ok(Value::Array(rows))
}

fn write(arguments: &Write) -> Result<String, Failure> {
    let (delimiter, quote) = signs(arguments.delimiter, arguments.quote)?;
    let mut writer = WriterBuilder::new()
        .delimiter(delimiter)
        .quote(quote)
        .flexible(true)
        .from_writer(Vec::new());
    let broken = |error: csv::Error| failure(format!("The CSV cannot be written: {error}."));
    let columns = arguments.columns.clone().or_else(|| {
        let first = arguments.rows.first()?.0.as_object()?;
        Some(first.keys().cloned().collect::<Vec<_>>())
    });
    if let Some(twice) = columns
        .as_ref()
        .and_then(|columns| twice(columns.iter().map(String::as_str)))
    {
        let why = format!("Two columns have the name {}.", shown(twice));
        return Err(failure(why));
    }
    let has_header = arguments.header.unwrap_or(true);
    if let Some(columns) = columns.as_ref().filter(|_| has_header) {
        writer.write_record(columns).map_err(broken)?;
    }
    for (number, row) in arguments.rows.iter().enumerate() {
        let fields: Vec<String> = match (&row.0, &columns) {
            (Value::Array(fields), _) => fields.iter().map(field).collect(),
            (Value::Object(fields), Some(columns)) => {
                if let Some(unknown) = fields.keys().find(|name| !columns.contains(name)) {
                    return Err(failure(format!(
                        "Row {} has an entry {} that is no column.",
                        number + 1,
                        shown(unknown)
                    )));
                }
                columns
                    .iter()
                    .map(|name| fields.get(name).map(field).unwrap_or_default())
                    .collect()
            }
            _ => {
                return Err(failure(format!(
                    "Row {} is neither a list nor a map.",
                    number + 1
                )));
            }
        };
        writer.write_record(&fields).map_err(broken)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| failure(format!("The CSV cannot be written: {error}.")))?;
    Ok(String::from_utf8(bytes).expect("every field was text"))
}

fn field(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read_again_whatever_is_in_the_fields() {
        let rows = json!([{ "name": "a,\"b\"\nc", "n": "1" }, { "name": "", "n": "x;y" }]);
        for delimiter in [",", ";", "\t"] {
            let write_arguments = json!({ "rows": rows, "delimiter": delimiter });
            let text = write(&serde_json::from_value(write_arguments).expect("it fits"))
                .expect("it is written");
            let parse_arguments = json!({ "text": text, "delimiter": delimiter });
            assert_eq!(
                parse(&serde_json::from_value(parse_arguments).expect("it fits"))
                    .expect("it is read"),
                rows
            );
        }
    }

    #[test]
    fn a_row_with_too_many_fields_is_named() {
        let arguments =
            serde_json::from_value(json!({ "text": "a,b\n1,2\n1,2,3\n" })).expect("it fits");
        let failure = parse(&arguments).expect_err("it is wrong");
        assert!(failure.answer().message.contains("line 3"), "{failure}");
    }

    #[test]
    fn a_quote_that_is_broken_loses_no_rows_without_a_word() {
        for (text, says) in [
            ("a,b\n1,\"2\n3,4\n", "line 2 is never closed"),
            ("a,b\n\"1\"x,2\n", "At line 2 something stands behind"),
        ] {
            let arguments = serde_json::from_value(json!({ "text": text })).expect("it fits");
            let failure = parse(&arguments).expect_err("it is wrong");
            assert_eq!(failure.answer().code, "text.bad_csv");
            assert!(failure.answer().message.contains(says), "{failure}");
        }
    }

    #[test]
    fn delimiter_and_quote_are_two_plain_characters() {
        for signs in [
            json!({ "delimiter": "\n" }),
            json!({ "delimiter": "ä" }),
            json!({ "delimiter": "\"" }),
            json!({ "quote": "," }),
            json!({ "quote": "\r" }),
        ] {
            for mut arguments in [json!({ "text": "a" }), json!({ "rows": [["a"]] })] {
                let entries = arguments.as_object_mut().expect("it is a map");
                entries.extend(signs.as_object().expect("it is a map").clone());
                let done = if entries.contains_key("text") {
                    parse(&serde_json::from_value(arguments).expect("it fits")).map(drop)
                } else {
                    write(&serde_json::from_value(arguments).expect("it fits")).map(drop)
                };
                let failure = done.expect_err("they do not do");
                assert_eq!(failure.answer().code, "invalid_params", "{signs}");
            }
        }
        let nothing = json!({ "text": "a\n1", "delimiter": null, "quote": null, "header": null });
        let rows = parse(&serde_json::from_value(nothing).expect("it fits"));
        assert_eq!(rows.expect("it is read"), json!([{ "a": "1" }]));
    }

    #[test]
    fn columns_of_the_same_name_are_not_lost() {
        let arguments = serde_json::from_value(json!({ "text": "a,b,a\n1,2,3\n" }));
        let failure = parse(&arguments.expect("it fits")).expect_err("it is wrong");
        assert!(failure.answer().message.contains("\"a\""), "{failure}");
        let again = json!({ "rows": [[1, 2]], "columns": ["a", "a"] });
        let failure = write(&serde_json::from_value(again).expect("it fits"));
        assert!(failure.is_err());
        let lists = json!({ "text": "a,b,a\n1,2,3\n", "header": false });
        let lists = parse(&serde_json::from_value(lists).expect("it fits"));
        assert_eq!(
            lists.expect("it is read"),
            json!([["a", "b", "a"], ["1", "2", "3"]])
        );
    }
}
