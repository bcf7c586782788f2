//! `text.csv_parse` and `text.csv_write` (RFC 4180, with the delimiter and quote of one's choice).

use csv::{ReaderBuilder, WriterBuilder};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use standin_worker::{Failure, Method, Outcome, Replay};

use crate::plain::Plain;

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
    /// What stands between fields.
    #[serde(default = "comma")]
    delimiter: char,
    /// What stands around a field that holds a delimiter or a line's end.
    #[serde(default = "quote")]
    quote: char,
    /// The first line names the columns.
    #[serde(default = "yes")]
    header: bool,
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
    /// What stands between fields.
    #[serde(default = "comma")]
    delimiter: char,
    /// What stands around a field that needs it.
    #[serde(default = "quote")]
    quote: char,
    /// Write the names of the columns first, for maps.
    #[serde(default = "yes")]
    header: bool,
}

fn comma() -> char {
    ','
}

fn quote() -> char {
    '"'
}

fn yes() -> bool {
    true
}

fn failure(why: String) -> Failure {
    Failure::new(1105, "text.bad_csv", why).outcome(Outcome::NotExecuted)
}

fn byte(what: &str, character: char) -> Result<u8, Failure> {
    u8::try_from(character)
        .ok()
        .filter(u8::is_ascii)
        .ok_or_else(|| {
            Failure::invalid_arguments(format!(
                "The {what} must be a plain character, and \"{character}\" is not."
            ))
        })
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
                "The row at line {line} has {len} fields, and the first one has {expected_len}."
            )
        }
        _ => format!("The CSV cannot be read: {error}."),
    })
}

/// A name that more than one column has.
fn twice(header: &csv::StringRecord) -> Option<&str> {
    let mut seen = std::collections::HashSet::new();
    header.iter().find(|name| !seen.insert(*name))
}

fn parse(arguments: &Parse) -> Result<Value, Failure> {
    let mut reader = ReaderBuilder::new()
        .delimiter(byte("delimiter", arguments.delimiter)?)
        .quote(byte("quote", arguments.quote)?)
        .has_headers(arguments.header)
        .from_reader(arguments.text.as_bytes());
    let header = if arguments.header {
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
            "Two columns have the name \"{twice}\". Read the CSV with \"header\" off to get lists."
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
    let mut writer = WriterBuilder::new()
        .delimiter(byte("delimiter", arguments.delimiter)?)
        .quote(byte("quote", arguments.quote)?)
        .flexible(true)
        .from_writer(Vec::new());
    let broken = |error: csv::Error| failure(format!("The CSV cannot be written: {error}."));
    let columns = arguments.columns.clone().or_else(|| {
        let first = arguments.rows.first()?.0.as_object()?;
        Some(first.keys().cloned().collect::<Vec<_>>())
    });
    if let Some(columns) = columns.as_ref().filter(|_| arguments.header) {
        writer.write_record(columns).map_err(broken)?;
    }
    for (number, row) in arguments.rows.iter().enumerate() {
        let fields: Vec<String> = match (&row.0, &columns) {
            (Value::Array(fields), _) => fields.iter().map(field).collect(),
            (Value::Object(fields), Some(columns)) => {
                if let Some(unknown) = fields.keys().find(|name| !columns.contains(name)) {
                    return Err(failure(format!(
                        "Row {} has an entry \"{unknown}\" that is no column.",
                        number + 1
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
    fn columns_of_the_same_name_are_not_lost() {
        let arguments = serde_json::from_value(json!({ "text": "a,b,a\n1,2,3\n" }));
        let failure = parse(&arguments.expect("it fits")).expect_err("it is wrong");
        assert!(failure.answer().message.contains("\"a\""), "{failure}");
        let lists = json!({ "text": "a,b,a\n1,2,3\n", "header": false });
        let lists = parse(&serde_json::from_value(lists).expect("it fits"));
        assert_eq!(
            lists.expect("it is read"),
            json!([["a", "b", "a"], ["1", "2", "3"]])
        );
    }
}
