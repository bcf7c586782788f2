//! What a decoder says about arguments that do not fit, in words for a message box.
//!
//! serde's sentences have fixed forms; each is taken apart here and said anew, without the names of Rust's types.

use crate::shown::{shown as quoted, visible};

/// The whole sentence. `place` is where it went wrong, such as `lines[0].amount`, or nothing for the arguments as such.
pub(super) fn sentence(place: Option<&str>, said: &str) -> String {
    let said = said.trim_end_matches('.');
    if let Some(name) = enclosed(said, "missing field `") {
        return match place {
            None => format!("The argument {} is missing.", quoted(name)),
            Some(place) => format!(
                "In {} the entry {} is missing.",
                quoted(place),
                quoted(name)
            ),
        };
    }
    if let Some(name) = enclosed(said, "duplicate field `") {
        return format!("The argument {} was given twice.", quoted(name));
    }
    if let Some(rest) = said.strip_prefix("unknown field `")
        && let Some((name, known)) = rest.split_once("`, ")
    {
        let name = quoted(place.unwrap_or(name));
        return match known.strip_prefix("expected ") {
            Some(known) => format!(
                "There is no argument {name}, only {}.",
                list(known.strip_prefix("one of ").unwrap_or(known))
            ),
            None => format!("There is no argument {name}; none is taken."),
        };
    }
    let what = what(said);
    match place {
        None => format!("The arguments do not fit: {what}."),
        Some(place) => format!("The argument {} does not fit: {what}.", quoted(place)),
    }
}

/// What is wrong with one value.
fn what(said: &str) -> String {
    if let Some(rest) = said.strip_prefix("unknown variant `")
        && let Some((name, known)) = rest.split_once("`, expected ")
    {
        return format!("{} is not {}", quoted(name), list(known));
    }
    for beginning in ["invalid type: ", "invalid value: "] {
        if let Some(rest) = said.strip_prefix(beginning)
            && let Some((given, wanted)) = rest.rsplit_once(", expected ")
        {
            return format!(
                "{} is wanted, and it is {}",
                wanted_in_words(wanted),
                given_in_words(given)
            );
        }
    }
    let plain: String = said.chars().flat_map(visible).collect();
    plain.replace('`', "\"")
}

/// The name between backquotes, if that is all there is behind the beginning.
fn enclosed<'a>(said: &'a str, beginning: &str) -> Option<&'a str> {
    said.strip_prefix(beginning)?.strip_suffix('`')
}

/// serde's list of names: `a` or `b`, or one of `a`, `b`, `c`.
fn list(known: &str) -> String {
    known.replace('`', "\"")
}

fn given_in_words(given: &str) -> String {
    let inner = |beginning: &str| {
        given
            .strip_prefix(beginning)
            .map(|rest| rest.trim_matches('`'))
    };
    if let Some(number) = inner("integer `").or_else(|| inner("floating point `")) {
        return format!("the number {number}");
    }
    if let Some(truth) = inner("boolean `") {
        return truth.to_owned();
    }
    if let Some(character) = inner("character `") {
        return format!("the text {}", quoted(character));
    }
    // Here serde has put it into quotes and escaped it already.
    if let Some(text) = given
        .strip_prefix("string \"")
        .and_then(|rest| rest.strip_suffix('"'))
    {
        return format!("the text {}", quoted(text));
    }
    match given {
        "unit value" | "Option value" => "nothing",
        "byte array" => "bytes",
        "sequence" => "a list",
        "map" => "a map",
        "newtype struct" => "an extension of MessagePack",
        other => other,
    }
    .to_owned()
}

fn wanted_in_words(wanted: &str) -> String {
    match wanted {
        "a string" | "a borrowed string" | "variant identifier" => "a text",
        "a boolean" => "true or false",
        "a character" => "a single character",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0 on",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "byte array" => "bytes",
        "a sequence" => "a list",
        "field identifier" => "a name",
        "any valid JSON value" => "a value",
        "unit" => "nothing",
        other if other.starts_with("struct ") => "a map of names and values",
        other if other.starts_with("enum ") => "a text",
        other => return other.replace('`', "\""),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_serde_says_is_said_without_the_names_of_types() {
        for (place, said, wanted) in [
            (
                None,
                "missing field `text`",
                "The argument \"text\" is missing.",
            ),
            (
                Some("files[0]"),
                "missing field `name`",
                "In \"files[0]\" the entry \"name\" is missing.",
            ),
            (
                None,
                "duplicate field `a`",
                "The argument \"a\" was given twice.",
            ),
            (
                Some("flags"),
                "unknown field `flags`, expected one of `text`, `limit`",
                "There is no argument \"flags\", only \"text\", \"limit\".",
            ),
            (
                Some("how"),
                "unknown variant `odd`, expected `first` or `last`",
                "The argument \"how\" does not fit: \"odd\" is not \"first\" or \"last\".",
            ),
            (
                Some("text"),
                "invalid type: unit value, expected a string",
                "The argument \"text\" does not fit: a text is wanted, and it is nothing.",
            ),
            (
                Some("port"),
                "invalid value: integer `70000`, expected u16",
                "The argument \"port\" does not fit: a whole number from 0 to 65535 is wanted, and it is the number 70000.",
            ),
            (
                Some("on"),
                "invalid type: string \", expected \\\"x\\n\", expected a boolean",
                "The argument \"on\" does not fit: true or false is wanted, and it is the text \", expected \\\"x\\n\".",
            ),
            (
                Some("server"),
                "invalid type: string \"here\", expected struct Server",
                "The argument \"server\" does not fit: a map of names and values is wanted, and it is the text \"here\".",
            ),
            (None, "a `b`\nc.", "The arguments do not fit: a \"b\"\\nc."),
        ] {
            assert_eq!(sentence(place, said), wanted);
        }
    }

    #[test]
    fn what_is_long_is_shown_by_its_beginning() {
        let said = format!("unknown field `{}\n`, there are no fields", "ü".repeat(59));
        let wanted = format!(
            "There is no argument \"{}\\n\"; none is taken.",
            "ü".repeat(59)
        );
        assert_eq!(sentence(None, &said), wanted);
        let said = format!(
            "invalid type: string \"{}\", expected u8",
            "x".repeat(100_000)
        );
        let sentence = sentence(Some("n"), &said);
        assert!(
            sentence.len() < 200 && sentence.ends_with("xxx...\"."),
            "{sentence}"
        );
    }
}
