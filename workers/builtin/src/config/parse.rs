//! From the arguments of `config.parse` to a value.

use serde_json::Value;
use standin_worker::Failure;

use super::{
    arguments::{Format, Parse},
    ini,
    mistake::{Mistake, Place},
    properties,
};
use crate::{
    plain::{Duplicates, Plain, PlainLast},
    text::{decode_content, read_json},
};

pub(super) fn parse(arguments: &Parse) -> Result<Value, Failure> {
    let decoded;
    let text = match (&arguments.text, &arguments.content) {
        (Some(text), None) => text.strip_prefix('\u{feff}').unwrap_or(text),
        (None, Some(content)) => {
            let codepage = arguments.codepage.as_ref().map_or("UTF-8", |page| &page.0);
            decoded = decode_content(&content.0, codepage)?;
            &decoded
        }
        (Some(_), Some(_)) => {
            let why = "The settings came twice, as \"text\" and as \"content\".";
            return Err(Failure::invalid_arguments(why));
        }
        (None, None) => {
            let why = "The settings are missing: give them as \"text\" or as \"content\".";
            return Err(Failure::invalid_arguments(why));
        }
    };
    let (format, duplicates) = (arguments.format, arguments.duplicates);
    let parsed = match format {
        Format::Ini => ini::parse(text, duplicates),
        Format::Toml => toml(text),
        Format::Yaml => yaml(text, duplicates),
        Format::Json => json(text, duplicates),
        Format::Properties => properties::parse(text, duplicates),
    };
    parsed.map_err(|mistake| mistake.into_failure(format))
}

fn toml(text: &str) -> Result<Value, Mistake> {
    let value: Plain = toml::from_str(text).map_err(|error| Mistake {
        place: error.span().map(|span| Place::of_byte(text, span.start)),
        what: error.message().lines().collect::<Vec<_>>().join(", "),
    })?;
    Ok(value.0)
}

fn json(text: &str, duplicates: Duplicates) -> Result<Value, Mistake> {
    read_json(text, duplicates, false)
        .map_err(|(line, column, what)| Mistake::at(line, column, what))
}

fn yaml(text: &str, duplicates: Duplicates) -> Result<Value, Mistake> {
    use serde_saphyr::DuplicateKeyPolicy;
    let options = serde_saphyr::options! {
        with_snippet: false,
        // YAML 1.2: yes, no, on and off are texts.
        strict_booleans: true,
        duplicate_keys: match duplicates {
            Duplicates::Error => DuplicateKeyPolicy::Error,
            Duplicates::First => DuplicateKeyPolicy::FirstWins,
            Duplicates::Last => DuplicateKeyPolicy::LastWins,
        },
    };
    let read = match duplicates {
        Duplicates::Error | Duplicates::First => {
            serde_saphyr::from_str_with_options::<Plain>(text, options).map(|value| value.0)
        }
        // The reader hands on all of them, and the last is taken here.
        Duplicates::Last => {
            serde_saphyr::from_str_with_options::<PlainLast>(text, options).map(|value| value.0)
        }
    };
    read.map_err(|error| {
        let words = error.to_string();
        Mistake {
            place: error.location().map(|location| Place {
                line: usize::try_from(location.line()).unwrap_or(usize::MAX),
                column: usize::try_from(location.column()).unwrap_or(usize::MAX),
            }),
            what: without_place(words.lines().next().unwrap_or_default()),
        }
    })
}

/// The YAML reader says the place in its words, before or behind; it is said once here.
fn without_place(words: &str) -> String {
    let behind = words.split(" at line ").next().unwrap_or(words);
    let before = behind
        .strip_prefix("line ")
        .and_then(|rest| rest.split_once(": "))
        .map_or(behind, |(_, rest)| rest);
    before.strip_prefix("error: ").unwrap_or(before).to_owned()
}
