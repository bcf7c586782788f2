//! `text.decode` and `text.encode`: bytes of a code page to text and back.

use encoding_rs::Encoding;
use schemars::JsonSchema;
use serde::Deserialize;
use standin_codepages::{Bad, Page};
use standin_worker::{Failure, Method, Outcome, Replay, shown};

use super::{
    RESULT_SIZE_MAX,
    page::{PageName, page_of},
    too_large,
};
use crate::net::Binary;

pub(super) fn methods() -> Vec<Method> {
    let decode = Method::blocking("text.decode", |_, arguments| decode(&arguments));
    let encode = Method::blocking("text.encode", |_, arguments| encode(&arguments).map(Binary));
    vec![
        decode
            .replay(Replay::Always)
            .doc("Turns bytes of a code page into text."),
        encode
            .replay(Replay::Always)
            .doc("Turns text into bytes of a code page."),
    ]
}

/// Bytes of a code page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Decode {
    /// The bytes.
    bytes: Binary,
    /// Their code page: 1252, ISO8859-15, ibm850, UTF-8 and so on.
    codepage: PageName,
    /// What stands for bytes that mean nothing there. Without it they are an error.
    #[serde(default)]
    replacement: Option<String>,
}

/// Text for a code page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Encode {
    /// The text.
    text: String,
    /// The code page: 1252, ISO8859-15, ibm850, UTF-8 and so on.
    codepage: PageName,
    /// What stands for characters that are not there. Without it they are an error.
    #[serde(default)]
    replacement: Option<String>,
}

/// The text of a file: what a byte order mark says goes before the code page, and the mark is no part of the text.
pub(crate) fn decode_content(content: &[u8], codepage: &str) -> Result<String, Failure> {
    let (page, mark) = match Encoding::for_bom(content) {
        Some((encoding, mark)) if encoding == encoding_rs::UTF_8 => {
            (Page::Encoding(encoding), mark)
        }
        Some((encoding, mark)) => (
            Page::Utf16 {
                big_endian: encoding == encoding_rs::UTF_16BE,
            },
            mark,
        ),
        None => (page_of(codepage)?, 0),
    };
    page.decode(&content[mark..], None, RESULT_SIZE_MAX)
        .map_err(|bad| in_bytes(bad, content, mark, codepage))
}

fn decode(arguments: &Decode) -> Result<String, Failure> {
    let page = page_of(&arguments.codepage.0)?;
    let replacement = arguments.replacement.as_deref();
    page.decode(&arguments.bytes.0, replacement, RESULT_SIZE_MAX)
        .map_err(|bad| in_bytes(bad, &arguments.bytes.0, 0, &arguments.codepage.0))
}

fn encode(arguments: &Encode) -> Result<Vec<u8>, Failure> {
    let Encode {
        text,
        codepage,
        replacement,
    } = arguments;
    let codepage = &codepage.0;
    let page = page_of(codepage)?;
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_str();
    let replacement = match replacement {
        None => None,
        Some(replacement) => {
            let mut bytes = Vec::new();
            if page.encode(replacement, &mut bytes) < replacement.len() {
                let why = format!(
                    "The replacement {} itself is not in code page {}.",
                    shown(replacement),
                    shown(codepage)
                );
                return Err(Failure::invalid_arguments(why));
            }
            Some(bytes)
        }
    };
    loop {
        rest = &rest[page.encode(rest, &mut out)..];
        let Some(character) = rest.chars().next() else {
            return Ok(out);
        };
        let Some(replacement) = &replacement else {
            let position = text[..text.len() - rest.len()].chars().count();
            return Err(unmappable(
                &format!("The character {}", shown(&character.to_string())),
                codepage,
                position,
            ));
        };
        if out.len() + replacement.len() > RESULT_SIZE_MAX {
            return Err(too_many_replacements());
        }
        out.extend_from_slice(replacement);
        rest = &rest[character.len_utf8()..];
    }
}

fn too_many_replacements() -> Failure {
    too_large(format!(
        "With its replacements the text would be larger than {RESULT_SIZE_MAX} bytes."
    ))
}

/// Why bytes could not be read, in a sentence.
fn in_bytes(bad: Bad, bytes: &[u8], offset: usize, codepage: &str) -> Failure {
    let position = match bad {
        Bad::Byte(position) => position + offset,
        Bad::TooMuch => return too_many_replacements(),
    };
    let what = bytes.get(position).map_or_else(
        || "The end".to_owned(),
        |byte| format!("The byte 0x{byte:02x}"),
    );
    unmappable(&what, codepage, position)
}

/// Positions count from 0: bytes when decoding, characters when encoding.
fn unmappable(what: &str, codepage: &str, position: usize) -> Failure {
    let why = format!(
        "{what} at position {position} has no meaning in code page {}.",
        shown(codepage)
    );
    Failure::new(1104, "text.unmappable", why)
        .outcome(Outcome::NotExecuted)
        .data(&std::collections::BTreeMap::from([("position", position)]))
}

#[cfg(test)]
mod tests;
