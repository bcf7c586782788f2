//! From a value of the file to a value of the settings, with words for what does not fit.

use std::{collections::BTreeMap, path::PathBuf};

use toml::{Spanned, de::DeValue};

use super::{
    mistake::{Misread, nearest},
    settings::{LogFormat, Scope},
    units::{Bytes, Mode, Span},
};

/// A mistake and the byte where it begins.
pub(super) type Misplaced = (usize, Misread);

/// Something that one setting can hold.
pub(super) trait Setting: Sized {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<Self, Misplaced>;
}

/// What kind of value it is, for a person.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn wanted(what: &str, hint: &str, value: &Spanned<DeValue<'_>>) -> Misplaced {
    let message = format!("{what} belongs here, not {}", kind(value.get_ref()));
    (value.span().start, Misread::new(message, hint))
}

fn text<'a>(what: &str, hint: &str, value: &'a Spanned<DeValue<'_>>) -> Result<&'a str, Misplaced> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text),
        _ => Err(wanted(what, hint, value)),
    }
}

impl Setting for bool {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<Self, Misplaced> {
        match value.get_ref() {
            DeValue::Boolean(value) => Ok(*value),
            _ => Err(wanted("true or false", "write it without quotes", value)),
        }
    }
}

impl Setting for String {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<Self, Misplaced> {
        text("a text", "put it in quotes", value).map(str::to_owned)
    }
}

impl Setting for PathBuf {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<Self, Misplaced> {
        text("a path", "put it in quotes", value).map(PathBuf::from)
    }
}

macro_rules! whole_number {
    ($($type:ty)*) => {$(
        impl Setting for $type {
            fn read(value: &Spanned<DeValue<'_>>) -> Result<Self, Misplaced> {
                let DeValue::Integer(number) = value.get_ref() else {
                    return Err(wanted("a whole number", "write it without quotes, like 1_000", value));
                };
                <$type>::from_str_radix(number.as_str(), number.radix()).map_err(|_| {
                    let message = match number.as_str().starts_with('-') {
                        true => format!("{number} is less than 0"),
                        false => format!("{number} is more than {}", <$type>::MAX),
                    };
                    (value.span().start, Misread::new(message, ""))
                })
            }
        }
    )*};
}

whole_number!(u32 u64 usize);

macro_rules! with_unit {
    ($($type:ty, $what:literal, $example:literal;)*) => {$(
        impl Setting for $type {
            fn read(value: &Spanned<DeValue<'_>>) -> Result<Self, Misplaced> {
                let text = text($what, concat!("write it in quotes and with its unit, like ", $example), value)?;
                text.parse().map_err(|what| (value.span().start, what))
            }
        }
    )*};
}

with_unit! {
    Span, "a duration", "\"10s\"";
    Bytes, "a size", "\"16MiB\"";
}

impl Setting for Mode {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<Self, Misplaced> {
        let text = text("a file mode", "write it in quotes, like \"0660\"", value)?;
        text.parse().map_err(|what| (value.span().start, what))
    }
}

fn one_of<T: Copy>(words: &[(&str, T)], value: &Spanned<DeValue<'_>>) -> Result<T, Misplaced> {
    let all = words
        .iter()
        .map(|(word, _)| format!("\"{word}\""))
        .collect::<Vec<_>>()
        .join(" or ");
    let text = text(&all, "put it in quotes", value)?;
    if let Some((_, found)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*found);
    }
    let hint = match nearest(text, words.iter().map(|(word, _)| *word)) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("write {all}"),
    };
    Err((
        value.span().start,
        Misread::new(format!("\"{text}\" is none of the choices"), hint),
    ))
}

impl Setting for LogFormat {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<Self, Misplaced> {
        one_of(
            &[("text", LogFormat::Text), ("json", LogFormat::Json)],
            value,
        )
    }
}

impl Setting for Scope {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<Self, Misplaced> {
        one_of(
            &[
                ("shared", Scope::Shared),
                ("user", Scope::User),
                ("session", Scope::Session),
            ],
            value,
        )
    }
}

impl Setting for Vec<String> {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<Self, Misplaced> {
        let hint = "write a list, like [\"program\", \"argument\"]";
        let DeValue::Array(items) = value.get_ref() else {
            return Err(wanted("a list of texts", hint, value));
        };
        items.iter().map(String::read).collect()
    }
}

impl Setting for BTreeMap<String, String> {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<Self, Misplaced> {
        let hint = "write a table, like { NAME = \"value\" }";
        let DeValue::Table(entries) = value.get_ref() else {
            return Err(wanted("a table of texts", hint, value));
        };
        entries
            .iter()
            .map(|(name, value)| Ok((name.get_ref().to_string(), String::read(value)?)))
            .collect()
    }
}
