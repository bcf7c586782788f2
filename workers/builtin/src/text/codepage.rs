//! `text.decode` and `text.encode`: code pages to UTF-8 and back. The Windows and ISO pages are those of the WHATWG
//! Encoding Standard (`encoding_rs`), the DOS pages those of Microsoft's tables (`oem_cp`).

use encoding_rs::Encoding;
use schemars::JsonSchema;
use serde::Deserialize;
use standin_worker::{Failure, Method, Outcome, Replay};

pub(super) fn methods() -> Vec<Method> {
    vec![
        Method::blocking("text.decode", |_, arguments| decode(&arguments))
            .replay(Replay::Always)
            .doc("Turns bytes of a code page into text."),
        Method::blocking("text.encode", |_, arguments| {
            encode(&arguments).map(serde_bytes::ByteBuf::from)
        })
        .replay(Replay::Always)
        .doc("Turns text into bytes of a code page."),
    ]
}

/// Bytes of a code page.
#[derive(Debug, Deserialize, JsonSchema)]
struct Decode {
    /// The bytes.
    #[serde(with = "serde_bytes")]
    #[schemars(with = "String")]
    bytes: Vec<u8>,
    /// Their code page: 1252, windows-1252, ISO8859-15, ibm850, 437, UTF-8, ...
    codepage: String,
    /// What stands for bytes that mean nothing there. Without it they are an error.
    #[serde(default)]
    replacement: Option<String>,
}

/// Text for a code page.
#[derive(Debug, Deserialize, JsonSchema)]
struct Encode {
    /// The text.
    text: String,
    /// The code page: 1252, windows-1252, ISO8859-15, ibm850, 437, UTF-8, ...
    codepage: String,
    /// What stands for characters that are not there. Without it they are an error.
    #[serde(default)]
    replacement: Option<String>,
}

enum Page {
    Encoding(&'static Encoding),
    Dos(u16),
}

/// The page of a name as OpenEdge, Windows or the Web writes it.
fn page(name: &str) -> Result<Page, Failure> {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    let digits = plain.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: Option<u16> = digits.parse().ok();
    if let Some(number) =
        number.filter(|number| oem_cp::code_table::DECODING_TABLE_CP_MAP.contains_key(number))
    {
        return Ok(Page::Dos(number));
    }
    let label = match (number, plain.starts_with("iso8859")) {
        (Some(1250..=1258), _) => format!("windows-{digits}"),
        (_, true) => format!("iso-8859-{}", plain.trim_start_matches("iso8859")),
        (Some(65001), _) => "utf-8".to_owned(),
        (Some(932), _) => "shift_jis".to_owned(),
        (Some(936), _) => "gbk".to_owned(),
        (Some(949), _) => "euc-kr".to_owned(),
        (Some(950), _) => "big5".to_owned(),
        _ if plain == "utf8" => "utf-8".to_owned(),
        _ => name.to_owned(),
    };
    Encoding::for_label(label.as_bytes()).map(Page::Encoding).ok_or_else(|| {
        let why = format!("The code page \"{name}\" is not known. Examples are 1252, ISO8859-15, ibm850 and UTF-8.");
        Failure::new(1103, "text.unknown_codepage", why).outcome(Outcome::NotExecuted)
    })
}

fn unmappable(what: &str, codepage: &str, position: usize) -> Failure {
    let why = format!("{what} at position {position} has no meaning in code page \"{codepage}\".");
    Failure::new(1104, "text.unmappable", why)
        .data(&std::collections::BTreeMap::from([("position", position)]))
}

fn decode(arguments: &Decode) -> Result<String, Failure> {
    let wrong = |position: usize| {
        let what = arguments.bytes.get(position).map_or_else(
            || "The end".to_owned(),
            |byte| format!("The byte 0x{byte:02x}"),
        );
        unmappable(&what, &arguments.codepage, position)
    };
    match page(&arguments.codepage)? {
        Page::Dos(number) => {
            let table = &oem_cp::code_table::DECODING_TABLE_CP_MAP[&number];
            let mut out = String::with_capacity(arguments.bytes.len());
            for (position, byte) in arguments.bytes.iter().enumerate() {
                match (table.decode_char_checked(*byte), &arguments.replacement) {
                    (Some(character), _) => out.push(character),
                    (None, Some(replacement)) => out.push_str(replacement),
                    (None, None) => return Err(wrong(position)),
                }
            }
            Ok(out)
        }
        Page::Encoding(encoding) => {
            let mut decoder = encoding.new_decoder_without_bom_handling();
            let capacity = decoder
                .max_utf8_buffer_length(arguments.bytes.len())
                .unwrap_or(arguments.bytes.len() * 3);
            let mut out = String::with_capacity(capacity);
            let mut read = 0;
            loop {
                let (result, taken) = decoder.decode_to_string_without_replacement(
                    &arguments.bytes[read..],
                    &mut out,
                    true,
                );
                read += taken;
                match (result, &arguments.replacement) {
                    (encoding_rs::DecoderResult::InputEmpty, _) => return Ok(out),
                    (encoding_rs::DecoderResult::OutputFull, _) => out.reserve(capacity.max(64)),
                    (encoding_rs::DecoderResult::Malformed(..), Some(replacement)) => {
                        out.reserve(replacement.len() + capacity - out.len().min(capacity));
                        out.push_str(replacement);
                    }
                    (encoding_rs::DecoderResult::Malformed(bad, after), None) => {
                        return Err(wrong(read - usize::from(bad) - usize::from(after)));
                    }
                }
            }
        }
    }
}

fn encode(arguments: &Encode) -> Result<Vec<u8>, Failure> {
    let page = page(&arguments.codepage)?;
    let mut out = Vec::with_capacity(arguments.text.len());
    let mut buffer = [0; 4];
    for (position, character) in arguments.text.chars().enumerate() {
        if put(&page, character, &mut buffer, &mut out) {
            continue;
        }
        let Some(replacement) = &arguments.replacement else {
            return Err(unmappable(
                &format!("The character \"{character}\""),
                &arguments.codepage,
                position,
            ));
        };
        for character in replacement.chars() {
            if !put(&page, character, &mut buffer, &mut out) {
                let why = format!(
                    "The replacement \"{replacement}\" itself is not in code page \"{}\".",
                    arguments.codepage
                );
                return Err(Failure::invalid_arguments(why));
            }
        }
    }
    Ok(out)
}

/// Appends one character; false if the page does not have it.
fn put(page: &Page, character: char, buffer: &mut [u8; 4], out: &mut Vec<u8>) -> bool {
    match page {
        Page::Dos(number) => {
            let table = &oem_cp::code_table::ENCODING_TABLE_CP_MAP[number];
            if character.is_ascii() {
                out.push(character as u8);
            } else if let Some(byte) = table.get(&character) {
                out.push(*byte);
            } else {
                return false;
            }
        }
        Page::Encoding(encoding) => {
            let (bytes, _, failed) = encoding.encode(character.encode_utf8(buffer));
            if failed {
                return false;
            }
            out.extend_from_slice(&bytes);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(text: &str, codepage: &str) -> Result<Vec<u8>, Failure> {
        encode(&Encode {
            text: text.into(),
            codepage: codepage.into(),
            replacement: None,
        })
    }

    fn from(bytes: &[u8], codepage: &str) -> Result<String, Failure> {
        decode(&Decode {
            bytes: bytes.into(),
            codepage: codepage.into(),
            replacement: None,
        })
    }

    #[test]
    fn a_text_comes_back_from_every_code_page_that_has_its_characters() {
        for codepage in [
            "1252",
            "windows-1252",
            "ISO8859-1",
            "ISO8859-15",
            "ibm850",
            "IBM437",
            "437",
            "UTF-8",
            "utf8",
        ] {
            let bytes = to("Grüße", codepage).expect(codepage);
            assert_eq!(from(&bytes, codepage).expect(codepage), "Grüße");
        }
        assert_eq!(to("ü", "ibm850").expect("it is there"), [0x81]);
        assert_eq!(to("ü", "1252").expect("it is there"), [0xfc]);
    }

    #[test]
    fn what_a_code_page_lacks_is_named_with_its_position_or_replaced() {
        let failure = to("a€", "ibm437").expect_err("it has no euro");
        assert!(failure.answer().message.contains("position 1"), "{failure}");
        let failure = from(b"ab\xff", "UTF-8").expect_err("that is no UTF-8");
        assert!(failure.answer().message.contains("position 2"), "{failure}");
        let replaced = Decode {
            bytes: b"a\xffb".into(),
            codepage: "UTF-8".into(),
            replacement: Some("?".into()),
        };
        assert_eq!(decode(&replaced).expect("it is replaced"), "a?b");
        let replaced = Encode {
            text: "a€b".into(),
            codepage: "437".into(),
            replacement: Some("EUR".into()),
        };
        assert_eq!(encode(&replaced).expect("it is replaced"), b"aEURb");
        assert_eq!(
            to("x", "ebcdic-what")
                .expect_err("nobody knows it")
                .answer()
                .code,
            "text.unknown_codepage"
        );
    }
}
