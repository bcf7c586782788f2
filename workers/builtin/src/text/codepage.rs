//! `text.decode` and `text.encode`: bytes of a code page to text and back.

use encoding_rs::{DecoderResult, EncoderResult, Encoding};
use schemars::JsonSchema;
use serde::Deserialize;
use standin_worker::{Failure, Method, Outcome, Replay, shown};

use super::{
    RESULT_SIZE_MAX,
    page::{Page, PageName},
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
        None => (Page::of(codepage)?, 0),
    };
    page.decode(&content[mark..], None)
        .map_err(|bad| bad.in_bytes(content, mark, codepage))
}

fn decode(arguments: &Decode) -> Result<String, Failure> {
    let page = Page::of(&arguments.codepage.0)?;
    page.decode(&arguments.bytes.0, arguments.replacement.as_deref())
        .map_err(|bad| bad.in_bytes(&arguments.bytes.0, 0, &arguments.codepage.0))
}

fn encode(arguments: &Encode) -> Result<Vec<u8>, Failure> {
    let Encode {
        text,
        codepage,
        replacement,
    } = arguments;
    let codepage = &codepage.0;
    let page = Page::of(codepage)?;
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

/// Why bytes could not be read.
enum Bad {
    /// The one at this position means nothing.
    Byte(usize),
    /// What stands for those that mean nothing comes to too much.
    TooMuch,
}

impl Bad {
    fn in_bytes(&self, bytes: &[u8], offset: usize, codepage: &str) -> Failure {
        let position = match self {
            Bad::Byte(position) => position + offset,
            Bad::TooMuch => return too_many_replacements(),
        };
        let what = bytes.get(position).map_or_else(
            || "The end".to_owned(),
            |byte| format!("The byte 0x{byte:02x}"),
        );
        unmappable(&what, codepage, position)
    }
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

impl Page {
    fn decode(self, bytes: &[u8], replacement: Option<&str>) -> Result<String, Bad> {
        match self {
            Page::Ascii => decode_each(bytes, replacement, |byte| {
                byte.is_ascii().then_some(char::from(byte))
            }),
            Page::Dos(number) => {
                let table = &oem_cp::code_table::DECODING_TABLE_CP_MAP[&number];
                decode_each(bytes, replacement, |byte| table.decode_char_checked(byte))
            }
            Page::Iso { windows } => decode_each(bytes, replacement, |byte| {
                if byte < 0xa0 {
                    return Some(char::from(byte));
                }
                let text = windows.decode_without_bom_handling_and_without_replacement(
                    std::slice::from_ref(&byte),
                )?;
                text.chars().next()
            }),
            Page::Utf16 { big_endian: true } => {
                decode_stream(encoding_rs::UTF_16BE, bytes, replacement)
            }
            Page::Utf16 { big_endian: false } => {
                decode_stream(encoding_rs::UTF_16LE, bytes, replacement)
            }
            Page::Encoding(encoding) => decode_stream(encoding, bytes, replacement),
        }
    }

    /// Appends the text up to the first character that is not there, and tells how many bytes of text that was.
    fn encode(self, text: &str, out: &mut Vec<u8>) -> usize {
        match self {
            Page::Ascii => encode_each(text, out, |_| None),
            Page::Dos(number) => {
                let table = &oem_cp::code_table::ENCODING_TABLE_CP_MAP[&number];
                encode_each(text, out, |character| table.get(&character).copied())
            }
            Page::Iso { windows } => encode_each(text, out, |character| {
                if ('\u{80}'..'\u{a0}').contains(&character) {
                    return u8::try_from(u32::from(character)).ok();
                }
                let mut buffer = [0; 4];
                let (bytes, _, failed) = windows.encode(character.encode_utf8(&mut buffer));
                (!failed && bytes[0] >= 0xa0).then(|| bytes[0])
            }),
            Page::Utf16 { big_endian } => {
                for unit in text.encode_utf16() {
                    out.extend(if big_endian {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    });
                }
                text.len()
            }
            Page::Encoding(encoding) => encode_stream(encoding, text, out),
        }
    }
}

fn decode_each(
    bytes: &[u8],
    replacement: Option<&str>,
    decode: impl Fn(u8) -> Option<char>,
) -> Result<String, Bad> {
    let mut out = String::with_capacity(bytes.len());
    for (position, byte) in bytes.iter().enumerate() {
        match (decode(*byte), replacement) {
            (Some(character), _) => out.push(character),
            (None, Some(replacement)) => replace(&mut out, replacement)?,
            (None, None) => return Err(Bad::Byte(position)),
        }
    }
    Ok(out)
}

fn replace(out: &mut String, replacement: &str) -> Result<(), Bad> {
    if out.len() + replacement.len() > RESULT_SIZE_MAX {
        return Err(Bad::TooMuch);
    }
    out.push_str(replacement);
    Ok(())
}

fn decode_stream(
    encoding: &'static Encoding,
    bytes: &[u8],
    replacement: Option<&str>,
) -> Result<String, Bad> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut out = String::with_capacity(bytes.len());
    // The decoder touches all the room it is given each time it is asked, and it is asked again behind every mistake:
    // with the whole result as room, a text of nothing but mistakes would take the square of its length.
    let mut room = [0; 4096];
    let mut read = 0;
    loop {
        let (result, taken, written) =
            decoder.decode_to_utf8_without_replacement(&bytes[read..], &mut room, true);
        read += taken;
        out.push_str(std::str::from_utf8(&room[..written]).expect("a decoder writes UTF-8"));
        match (result, replacement) {
            (DecoderResult::InputEmpty, _) => return Ok(out),
            (DecoderResult::OutputFull, _) => {}
            (DecoderResult::Malformed(..), Some(replacement)) => replace(&mut out, replacement)?,
            (DecoderResult::Malformed(bad, after), None) => {
                let behind = usize::from(bad) + usize::from(after);
                return Err(Bad::Byte(read.saturating_sub(behind)));
            }
        }
    }
}

/// ASCII is the same in all of these pages.
fn encode_each(text: &str, out: &mut Vec<u8>, encode: impl Fn(char) -> Option<u8>) -> usize {
    for (position, character) in text.char_indices() {
        let ascii = character.is_ascii().then_some(character as u8);
        let Some(byte) = ascii.or_else(|| encode(character)) else {
            return position;
        };
        out.push(byte);
    }
    text.len()
}

fn encode_stream(encoding: &'static Encoding, text: &str, out: &mut Vec<u8>) -> usize {
    let mut encoder = encoding.new_encoder();
    let mut read = 0;
    loop {
        let (result, taken) =
            encoder.encode_from_utf8_to_vec_without_replacement(&text[read..], out, true);
        read += taken;
        match result {
            EncoderResult::InputEmpty => return read,
            EncoderResult::OutputFull => out.reserve((text.len() - read) * 2 + 64),
            EncoderResult::Unmappable(character) => return read - character.len_utf8(),
        }
    }
}

#[cfg(test)]
mod tests;
