//! The bytes of a file as text. Editors write UTF-8, and on Windows UTF-16 as well, which they mark as such.

/// A unit that means nothing without another, in place of half a unit at the end.
const HALF_A_LETTER: u16 = 0xd800;

/// The text, or the first line that is not in an encoding that can be told.
pub(super) fn decode(bytes: Vec<u8>) -> Result<String, usize> {
    let units = |of: fn([u8; 2]) -> u16| {
        let units = bytes[2..].chunks(2).map(|pair| match *pair {
            [first, second] => of([first, second]),
            _ => HALF_A_LETTER,
        });
        units.collect::<Vec<u16>>()
    };
    let units = match bytes.get(..2) {
        Some(b"\xff\xfe") => units(u16::from_le_bytes),
        Some(b"\xfe\xff") => units(u16::from_be_bytes),
        _ => return String::from_utf8(bytes).map_err(|error| line_of(&error)),
    };
    let line = |at: usize| 1 + units[..at].iter().filter(|unit| **unit == 10).count();
    let mut text = String::new();
    let mut at = 0;
    for letter in char::decode_utf16(units.iter().copied()) {
        let letter = letter.map_err(|_| line(at))?;
        at += letter.len_utf16();
        text.push(letter);
    }
    Ok(text)
}

fn line_of(error: &std::string::FromUtf8Error) -> usize {
    let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
    1 + good.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a = \"Gr\u{fc}\u{df}e \u{1f980}\"\n";

    fn wide(text: &str, of: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let marked = std::iter::once(0xfeff).chain(text.encode_utf16());
        marked.flat_map(of).collect()
    }

    #[test]
    fn a_file_is_read_in_any_encoding_that_can_be_told() {
        assert_eq!(decode(TEXT.into()).unwrap(), TEXT);
        assert_eq!(decode(wide(TEXT, u16::to_le_bytes)).unwrap(), TEXT);
        assert_eq!(decode(wide(TEXT, u16::to_be_bytes)).unwrap(), TEXT);
        assert_eq!(decode(Vec::new()).unwrap(), "");
    }

    #[test]
    fn the_first_line_that_is_no_text_is_named() {
        assert_eq!(decode(b"good\nb\xe4d\n".to_vec()), Err(2));
        let mut cut = wide("good\nbad", u16::to_le_bytes);
        cut.pop();
        assert_eq!(decode(cut), Err(2));
        let mut half = wide("good\n", u16::to_le_bytes);
        half.extend([0x3d, 0xd8, b'x', 0]);
        assert_eq!(decode(half), Err(2));
    }
}
