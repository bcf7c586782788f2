//! Between the texts of a program, which are in the code page that it named, and UTF-8.

use std::{
    borrow::Cow,
    sync::{Mutex, PoisonError},
};

use encoding_rs::{DecoderResult, ISO_2022_JP, UTF_8};
use standin_codepages::{Bad, Page};

use crate::{code::Code, failure::Failure};

/// The code page of a client.
#[derive(Debug)]
pub(crate) struct Codepage {
    page: Page,
    name: String,
    /// What stands for a character that the page has not, in the page.
    replacement: Mutex<Option<Vec<u8>>>,
}

impl Codepage {
    pub(crate) fn utf_8() -> Self {
        Self {
            page: Page::Encoding(UTF_8),
            name: "UTF-8".to_owned(),
            replacement: Mutex::default(),
        }
    }

    /// The page of that name.
    pub(crate) fn find(name: &[u8]) -> Result<Self, Failure> {
        let name = String::from_utf8_lossy(name).into_owned();
        if name.is_empty() {
            return Ok(Self::utf_8());
        }
        let wrong = |why: &str| {
            let why = format!(
                "The code page \"{name}\" {why}. Examples are 1252, ISO8859-15, IBM850 and UTF-8."
            );
            Failure::new(Code::BadArgument, why)
        };
        let page = Page::find(&name).ok_or_else(|| wrong("is not known"))?;
        // Texts of C end with a zero byte, and paths are in ASCII: in a page where these mean something else nothing works.
        if matches!(page, Page::Utf16 { .. }) || page == Page::Encoding(ISO_2022_JP) {
            return Err(wrong("cannot be used for the texts of a program"));
        }
        Ok(Self {
            page,
            name,
            replacement: Mutex::default(),
        })
    }

    pub(crate) fn is_utf_8(&self) -> bool {
        self.page == Page::Encoding(UTF_8)
    }

    /// Whether each byte is a character.
    pub(crate) fn is_single_byte(&self) -> bool {
        match self.page {
            Page::Encoding(encoding) => encoding.is_single_byte(),
            Page::Utf16 { .. } => false,
            Page::Ascii | Page::Iso { .. } | Page::Dos(_) => true,
        }
    }

    /// What stands for a character that the page has not; an empty text: nothing does.
    pub(crate) fn replace_with(&self, replacement: &[u8]) -> Result<(), Failure> {
        // It must be a text there itself.
        self.text(replacement)?;
        let replacement = Some(replacement.to_vec()).filter(|bytes| !bytes.is_empty());
        *self
            .replacement
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = replacement;
        Ok(())
    }

    /// A text of the program.
    pub(crate) fn text<'a>(&self, bytes: &'a [u8]) -> Result<Cow<'a, str>, Failure> {
        // Which searches faster than `position` does.
        if bytes.contains(&0) {
            let position = bytes.iter().position(|byte| *byte == 0).unwrap_or_default();
            let why = format!(
                "There is a NUL at position {} (counted from 1), which no text can have. Bytes are set with standin_set_bytes.",
                position + 1
            );
            return Err(Failure::new(Code::BadText, why));
        }
        if self.is_utf_8() {
            let text = std::str::from_utf8(bytes);
            return text
                .map(Cow::Borrowed)
                .map_err(|error| self.no_text(bytes, error.valid_up_to()));
        }
        if bytes.is_ascii() && self.page_has_ascii() {
            return Ok(Cow::Borrowed(
                std::str::from_utf8(bytes).expect("ASCII is UTF-8"),
            ));
        }
        self.page
            .decode(bytes, None, usize::MAX)
            .map(Cow::Owned)
            .map_err(|bad| {
                let position = match bad {
                    Bad::Byte(position) => position,
                    Bad::TooMuch => bytes.len(),
                };
                self.no_text(bytes, position)
            })
    }

    /// The bytes up to 127 are those of ASCII. In Shift_JIS and its like they may be halves of a character, so there only
    /// the whole text can tell; but they are themselves where no other byte stands before them.
    fn page_has_ascii(&self) -> bool {
        match self.page {
            Page::Encoding(encoding) => encoding.is_ascii_compatible(),
            Page::Utf16 { .. } => false,
            Page::Ascii | Page::Iso { .. } | Page::Dos(_) => true,
        }
    }

    fn no_text(&self, bytes: &[u8], position: usize) -> Failure {
        let what = bytes.get(position).map_or_else(
            || "The end of the text".to_owned(),
            |byte| format!("The byte 0x{byte:02x}"),
        );
        let why = format!(
            "{what} at position {} (counted from 1) has no meaning in the code page {}.",
            position + 1,
            self.name
        );
        Failure::new(Code::BadText, why)
    }

    /// A text for the program.
    pub(crate) fn bytes<'a>(&self, text: &'a str) -> Result<Cow<'a, [u8]>, Failure> {
        if self.is_utf_8() || (text.is_ascii() && self.page_has_ascii()) {
            return Ok(Cow::Borrowed(text.as_bytes()));
        }
        let replacement = self
            .replacement
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (bytes, bad) = self.encode(text, replacement.as_deref());
        match bad {
            None => Ok(Cow::Owned(bytes)),
            Some(position) => {
                let place = text[..position].chars().count() + 1;
                let character = text[position..].chars().next().unwrap_or_default();
                let why = format!(
                    "The character U+{:04X} at position {place} (counted from 1) is not in the code page {}.",
                    u32::from(character),
                    self.name
                );
                Err(Failure::new(Code::BadText, why))
            }
        }
    }

    /// The same for a sentence, which is always told: what the page has not becomes a question mark.
    pub(crate) fn readable(&self, text: &str) -> Vec<u8> {
        let text = text.replace('\0', " ");
        if self.is_utf_8() {
            return text.into_bytes();
        }
        self.encode(&text, Some(b"?")).0
    }

    /// The bytes of a text, and where there was a character that has none and is not replaced.
    fn encode(&self, text: &str, replacement: Option<&[u8]>) -> (Vec<u8>, Option<usize>) {
        let mut out = Vec::with_capacity(text.len());
        let mut at = 0;
        loop {
            at += self.page.encode(&text[at..], &mut out);
            let Some(character) = text[at..].chars().next() else {
                return (out, None);
            };
            let Some(replacement) = replacement else {
                return (out, Some(at));
            };
            out.extend_from_slice(replacement);
            at += character.len_utf8();
        }
    }

    /// A text that comes in pieces.
    pub(crate) fn begin_pieces(&self) -> Pieces {
        let decoder = match self.page {
            Page::Encoding(encoding) if !encoding.is_single_byte() => {
                Some(encoding.new_decoder_without_bom_handling())
            }
            _ => None,
        };
        Pieces { decoder }
    }
}

/// What is between two pieces of a text: perhaps the beginning of a character.
pub(crate) struct Pieces {
    decoder: Option<encoding_rs::Decoder>,
}

impl std::fmt::Debug for Pieces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pieces")
    }
}

impl Pieces {
    /// Appends a piece to the text. After an error nothing more can be appended.
    pub(crate) fn append(
        &mut self,
        page: &Codepage,
        text: &mut String,
        piece: &[u8],
    ) -> Result<(), Failure> {
        let Some(decoder) = &mut self.decoder else {
            let piece = page.text(piece)?;
            reserve(text, piece.len())?;
            text.push_str(&piece);
            return Ok(());
        };
        if let Some(position) = piece.iter().position(|byte| *byte == 0) {
            return Err(page
                .text(&piece[..=position])
                .err()
                .unwrap_or_else(|| page.no_text(piece, position)));
        }
        let room = decoder
            .max_utf8_buffer_length_without_replacement(piece.len())
            .unwrap_or(usize::MAX);
        reserve(text, room)?;
        let (result, read) = decoder.decode_to_string_without_replacement(piece, text, false);
        match result {
            DecoderResult::Malformed(bad, after) => {
                let behind = usize::from(bad) + usize::from(after);
                Err(page.no_text(piece, read.saturating_sub(behind)))
            }
            DecoderResult::InputEmpty | DecoderResult::OutputFull => Ok(()),
        }
    }

    /// Whether the text ends with a whole character.
    pub(crate) fn finish(&mut self) -> bool {
        let Some(decoder) = &mut self.decoder else {
            return true;
        };
        let mut rest = String::with_capacity(16);
        let (result, _) = decoder.decode_to_string_without_replacement(b"", &mut rest, true);
        matches!(result, DecoderResult::InputEmpty) && rest.is_empty()
    }
}

/// Makes room, or says that there is none.
pub(crate) fn reserve(text: &mut String, more: usize) -> Result<(), Failure> {
    text.try_reserve(more).map_err(|_| no_room(more))
}

pub(crate) fn no_room(bytes: usize) -> Failure {
    let why = format!("There is no room for {bytes} bytes more in this process.");
    Failure::new(Code::Limit, why)
}

#[cfg(test)]
mod tests;
