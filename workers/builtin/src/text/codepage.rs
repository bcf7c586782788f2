//! `text.decode` and `text.encode`: bytes of a code page to text and back.

use encoding_rs::{DecoderResult, EncoderResult, Encoding};
use schemars::JsonSchema;
use serde::Deserialize;
use standin_worker::{Failure, Method, Outcome, Replay};

use super::page::{Page, PageName};
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
                    "The replacement \"{replacement}\" itself is not in code page \"{codepage}\"."
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
                &format!("The character \"{character}\""),
                codepage,
                position,
            ));
        };
        out.extend_from_slice(replacement);
        rest = &rest[character.len_utf8()..];
    }
}

/// The position, in bytes, of what means nothing.
struct Bad(usize);

impl Bad {
    fn in_bytes(&self, bytes: &[u8], offset: usize, codepage: &str) -> Failure {
        let position = self.0 + offset;
        let what = bytes.get(position).map_or_else(
            || "The end".to_owned(),
            |byte| format!("The byte 0x{byte:02x}"),
        );
        unmappable(&what, codepage, position)
    }
}

/// Positions count from 0: bytes when decoding, characters when encoding.
fn unmappable(what: &str, codepage: &str, position: usize) -> Failure {
    let why = format!("{what} at position {position} has no meaning in code page \"{codepage}\".");
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
            (None, Some(replacement)) => out.push_str(replacement),
            (None, None) => return Err(Bad(position)),
        }
    }
    Ok(out)
}

fn decode_stream(
    encoding: &'static Encoding,
    bytes: &[u8],
    replacement: Option<&str>,
) -> Result<String, Bad> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut out = String::with_capacity(bytes.len() + 16);
    let mut read = 0;
    loop {
        let (result, taken) =
            decoder.decode_to_string_without_replacement(&bytes[read..], &mut out, true);
        read += taken;
        match (result, replacement) {
            (DecoderResult::InputEmpty, _) => return Ok(out),
            (DecoderResult::OutputFull, _) => out.reserve((bytes.len() - read) * 3 / 2 + 64),
            (DecoderResult::Malformed(..), Some(replacement)) => out.push_str(replacement),
            (DecoderResult::Malformed(bad, after), None) => {
                return Err(Bad(
                    read.saturating_sub(usize::from(bad) + usize::from(after))
                ));
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn to(text: &str, codepage: &str, replacement: Option<&str>) -> Result<Vec<u8>, Failure> {
        encode(&Encode {
            text: text.into(),
            codepage: PageName(codepage.into()),
            replacement: replacement.map(str::to_owned),
        })
    }

    fn from(bytes: &[u8], codepage: &str, replacement: Option<&str>) -> Result<String, Failure> {
        decode(&Decode {
            bytes: Binary(bytes.into()),
            codepage: PageName(codepage.into()),
            replacement: replacement.map(str::to_owned),
        })
    }

    const SINGLE_BYTE: [&str; 12] = [
        "1250",
        "1251",
        "1252",
        "1253",
        "ISO8859-1",
        "ISO8859-9",
        "ISO8859-15",
        "ibm437",
        "ibm850",
        "ibm852",
        "866",
        "koi8-r",
    ];

    #[test]
    fn every_byte_of_a_page_of_single_bytes_comes_back() {
        for codepage in SINGLE_BYTE {
            for byte in 0..=u8::MAX {
                if let Ok(text) = from(&[byte], codepage, None) {
                    assert_eq!(
                        to(&text, codepage, None).expect(&text),
                        [byte],
                        "{codepage}"
                    );
                }
            }
        }
    }

    #[test]
    fn each_page_has_its_own_bytes_for_the_same_text() {
        for (codepage, bytes) in [
            ("1252", b"\xfc\x80".as_slice()),
            ("ISO8859-15", b"\xfc\xa4"),
            ("ibm858", b"\x81\xd5"),
            ("UTF-8", b"\xc3\xbc\xe2\x82\xac"),
            ("UCS2", b"\xfc\0\xac\x20"),
            ("utf-16be", b"\0\xfc\x20\xac"),
        ] {
            assert_eq!(
                to("ü€", codepage, None).expect("it has both"),
                bytes,
                "{codepage}"
            );
            assert_eq!(from(bytes, codepage, None).expect("they mean that"), "ü€");
        }
        assert!(to("€", "ISO8859-1", None).is_err());
        assert_eq!(
            from(b"\x80", "ISO8859-1", None).expect("it is a control"),
            "\u{80}"
        );
    }

    #[test]
    fn what_a_code_page_lacks_is_named_with_its_position_or_replaced() {
        for (failure, place) in [
            (
                to("a€", "ibm437", None).expect_err("it has no euro"),
                "position 1",
            ),
            (
                to("ü→", "1252", None).expect_err("it has no arrow"),
                "position 1",
            ),
            (
                from(b"ab\xff", "UTF-8", None).expect_err("that is none"),
                "position 2",
            ),
            (
                from(b"ab\xe2\x82", "UTF-8", None).expect_err("it is cut off"),
                "position 2",
            ),
            (
                from(b"a\0b", "UCS2", None).expect_err("it is cut off"),
                "position 2",
            ),
            (
                from(b"\x80", "ascii", None).expect_err("it is none"),
                "position 0",
            ),
        ] {
            assert_eq!(failure.answer().code, "text.unmappable");
            assert!(failure.answer().message.contains(place), "{failure}");
        }
        assert_eq!(
            from(b"a\xffb", "UTF-8", Some("?")).expect("it is replaced"),
            "a?b"
        );
        assert_eq!(
            to("a€b", "437", Some("EUR")).expect("it is replaced"),
            b"aEURb"
        );
        assert_eq!(to("€→", "1252", Some("")).expect("it is left out"), b"\x80");
        let failure = to("a", "437", Some("€")).expect_err("it has no euro");
        assert_eq!(failure.answer().code, "invalid_params");
        let failure = to("x", "ebcdic-what", None).expect_err("nobody knows it");
        assert_eq!(failure.answer().code, "text.unknown_codepage");
    }

    #[test]
    fn a_code_page_may_be_named_by_its_bare_number() {
        let arguments = serde_json::json!({ "text": "ü", "codepage": 850 });
        let arguments: Encode = serde_json::from_value(arguments).expect("they fit");
        assert_eq!(encode(&arguments).expect("it is there"), [0x81]);
    }

    proptest! {
        #[test]
        fn whatever_can_be_written_is_read_again(text in "(?s).{0,40}") {
            for codepage in ["UTF-8", "UTF-16LE", "utf-16be", "shift-jis", "gb18030"].into_iter().chain(SINGLE_BYTE) {
                if let Ok(bytes) = to(&text, codepage, None) {
                    let again = from(&bytes, codepage, None).expect("it was written so");
                    // Shift JIS has one byte for two signs each.
                    if codepage != "shift-jis" {
                        prop_assert_eq!(&again, &text, "{}", codepage);
                    }
                }
            }
        }

        #[test]
        fn with_a_replacement_nothing_is_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            for codepage in ["UTF-8", "UCS2", "euc-jp", "big-5", "ascii"].into_iter().chain(SINGLE_BYTE) {
                let text = from(&bytes, codepage, Some("?")).expect("what is bad is replaced");
                to(&text, codepage, Some("?")).expect("what is missing is replaced");
            }
        }
    }
}
