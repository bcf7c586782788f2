//! Between the bytes of a page and text.

use encoding_rs::{DecoderResult, EncoderResult, Encoding};

use crate::Page;

/// Why bytes could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bad {
    /// The one at this position means nothing.
    Byte(usize),
    /// What stands for those that mean nothing comes to too much.
    TooMuch,
}

impl Page {
    /// The text of bytes in this page. What means nothing there is replaced by `replacement`, as long as the text is no
    /// longer than `limit`.
    ///
    /// # Errors
    /// The first byte that means nothing, if there is no replacement; else that the text would be too long.
    pub fn decode(
        self,
        bytes: &[u8],
        replacement: Option<&str>,
        limit: usize,
    ) -> Result<String, Bad> {
        let replacement = replacement.map(|text| Replacement { text, limit });
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
    #[must_use]
    pub fn encode(self, text: &str, out: &mut Vec<u8>) -> usize {
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
    replacement: Option<Replacement<'_>>,
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

/// What stands for bytes that mean nothing.
#[derive(Clone, Copy)]
struct Replacement<'a> {
    text: &'a str,
    limit: usize,
}

fn replace(out: &mut String, replacement: Replacement<'_>) -> Result<(), Bad> {
    if out.len() + replacement.text.len() > replacement.limit {
        return Err(Bad::TooMuch);
    }
    out.push_str(replacement.text);
    Ok(())
}

fn decode_stream(
    encoding: &'static Encoding,
    bytes: &[u8],
    replacement: Option<Replacement<'_>>,
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
