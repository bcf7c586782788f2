//! A text that is read in pieces, in the code page of the program.

use crate::{code::Code, codepage::Codepage, failure::Failure};

/// The whole of it as it is given out, kept from one piece to the next.
#[derive(Debug)]
pub(crate) struct Part {
    at: usize,
    bytes: Vec<u8>,
    /// Where characters begin, if they may be longer than a byte; the end is one of them.
    places: Option<Vec<u32>>,
}

impl Part {
    fn new(at: usize, text: &str, page: &Codepage) -> Result<Self, Failure> {
        let bytes = page.bytes(text)?.into_owned();
        let mut places = None;
        if !page.is_single_byte() && !page.is_utf_8() {
            let mut found = vec![0];
            let mut place = 0;
            let mut buffer = [0; 4];
            for character in text.chars() {
                place += page.bytes(character.encode_utf8(&mut buffer))?.len();
                found.push(u32::try_from(place).map_err(|_| super::broken())?);
            }
            places = Some(found);
        }
        Ok(Self { at, bytes, places })
    }

    /// The last place at or before this one where a character begins.
    fn boundary(&self, place: usize) -> usize {
        match &self.places {
            None => place,
            Some(places) => {
                let after = places.partition_point(|known| *known as usize <= place);
                places[after - 1] as usize
            }
        }
    }
}

/// The piece of a text that begins at `offset` and is no longer than `capacity`, and the length of the whole. `part` is
/// what was kept of the text at the place `at`, if it was this one.
pub(super) fn piece(
    part: &mut Option<Part>,
    at: usize,
    text: &str,
    page: &Codepage,
    (offset, capacity): (usize, usize),
) -> Result<(Vec<u8>, usize), Failure> {
    let inside = || {
        let why = format!("The offset {offset} is inside of a character.");
        Failure::new(Code::BadArgument, why)
    };
    if page.is_utf_8() {
        let from = offset.min(text.len());
        if !text.is_char_boundary(from) {
            return Err(inside());
        }
        let end = text.floor_char_boundary(from.saturating_add(capacity));
        return Ok((text.as_bytes()[from..end].to_vec(), text.len()));
    }
    if part.as_ref().is_none_or(|part| part.at != at) {
        *part = Some(Part::new(at, text, page)?);
    }
    let part = part.as_ref().expect("it was just made");
    let total = part.bytes.len();
    let from = offset.min(total);
    if part.boundary(from) != from {
        return Err(inside());
    }
    let end = part.boundary(from.saturating_add(capacity).min(total));
    Ok((part.bytes[from..end].to_vec(), total))
}
