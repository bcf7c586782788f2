//! Quotes in CSV that are broken. The reader takes what it can get out of them; a file that was cut off, or was
//! written without care, would lose rows that way without a word.

/// What is wrong with a quote, and its line, from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BrokenQuote {
    /// Nothing closes it.
    Open { line: usize },
    /// Something other than a delimiter or the line's end is behind the closing one.
    TextBehind { line: usize },
}

#[derive(PartialEq)]
enum At {
    FieldStart,
    Plain,
    Quoted {
        since: usize,
    },
    /// It may have been the closing one, or the first of two that stand for one.
    BehindQuote {
        since: usize,
    },
}

/// The first broken quote of a text. Both characters are ASCII, so bytes do.
pub(super) fn broken_quote(text: &str, delimiter: u8, quote: u8) -> Option<BrokenQuote> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut at = At::FieldStart;
    let mut line = 1;
    for byte in text.bytes() {
        let ends_field = byte == delimiter || matches!(byte, b'\r' | b'\n');
        at = match at {
            At::FieldStart if byte == quote => At::Quoted { since: line },
            At::FieldStart | At::Plain if ends_field => At::FieldStart,
            At::FieldStart | At::Plain => At::Plain,
            At::Quoted { since } if byte == quote => At::BehindQuote { since },
            At::Quoted { since } => At::Quoted { since },
            At::BehindQuote { since } if byte == quote => At::Quoted { since },
            At::BehindQuote { .. } if ends_field => At::FieldStart,
            At::BehindQuote { .. } => return Some(BrokenQuote::TextBehind { line }),
        };
        line += usize::from(byte == b'\n');
    }
    match at {
        At::Quoted { since } => Some(BrokenQuote::Open { line: since }),
        At::FieldStart | At::Plain | At::BehindQuote { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_whole_or_it_is_named() {
        for whole in [
            "",
            "\"\"",
            "a,\"b\"\r\n\"c\n\"\"d\"\"\",e",
            "5\" pipe,6\"\n",
            "\u{feff}\"a\",b",
            "\"a\"",
        ] {
            assert_eq!(broken_quote(whole, b',', b'"'), None, "{whole:?}");
        }
        for (broken, wanted) in [
            ("a,b\n\"1,2\n3,4", BrokenQuote::Open { line: 2 }),
            ("\"\"\"", BrokenQuote::Open { line: 1 }),
            ("a,b\n\"1\"x,2", BrokenQuote::TextBehind { line: 2 }),
            ("\"1\n2\" ,2", BrokenQuote::TextBehind { line: 2 }),
        ] {
            assert_eq!(broken_quote(broken, b',', b'"'), Some(wanted), "{broken:?}");
        }
    }
}
