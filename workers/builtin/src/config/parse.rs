//! From the arguments of `config.parse` to a value.

use serde_json::Value;
use standin_worker::Failure;

use super::{
    arguments::{Format, Parse},
    ini,
    mistake::{Mistake, Place},
    properties, yaml,
};
use crate::{
    plain::{Duplicates, PlainToml},
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
        Format::Yaml => yaml::parse(text, duplicates),
        Format::Json => json(text, duplicates),
        Format::Properties => properties::parse(text, duplicates),
    };
    parsed.map_err(|mistake| mistake.into_failure(format))
}

fn toml(text: &str) -> Result<Value, Mistake> {
    let value: PlainToml = toml::from_str(text).map_err(|error| Mistake {
        place: error.span().map(|span| Place::of_byte(text, span.start)),
        what: error.message().lines().collect::<Vec<_>>().join(", "),
    })?;
    Ok(value.0)
}

fn json(text: &str, duplicates: Duplicates) -> Result<Value, Mistake> {
    read_json(text, duplicates, false)
        .map_err(|(line, column, what)| Mistake::at(line, column, what))
}
