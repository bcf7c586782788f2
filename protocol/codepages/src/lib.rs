//! Code pages by the names that OpenEdge, Windows and the Web give them.
//!
//! Where the Web's reading of a name (the WHATWG Encoding Standard, by `encoding_rs`) is not what a file in that code
//! page means, ours is: ISO 8859-1 is itself and not Windows 1252, UTF-16 can be written. The DOS pages are
//! Microsoft's tables (`oem_cp`).

mod convert;

use encoding_rs::{Encoding, WINDOWS_874, WINDOWS_1252, WINDOWS_1254};

pub use self::convert::Bad;

/// How bytes and characters belong together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Page {
    /// The first 128 characters.
    Ascii,
    /// Two bytes, or four.
    Utf16 {
        /// The high byte first.
        big_endian: bool,
    },
    /// As `windows` from 0xa0 on, and below that each byte is the character of its number: what ISO means where the
    /// Web means Windows.
    Iso {
        /// Its neighbour at Windows.
        windows: &'static Encoding,
    },
    /// One of DOS, by its number.
    Dos(u16),
    /// As the Web reads and writes it.
    Encoding(&'static Encoding),
}

impl Page {
    /// The page of that name; `None`: it is not known, or cannot be written.
    #[must_use]
    pub fn find(name: &str) -> Option<Page> {
        let plain = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        if let Some(number) = number_of(&plain) {
            return by_number(number);
        }
        if let Some(part) = plain.strip_prefix("iso8859") {
            return match part {
                "1" => Some(Page::Iso {
                    windows: WINDOWS_1252,
                }),
                "9" => Some(Page::Iso {
                    windows: WINDOWS_1254,
                }),
                "11" => Some(Page::Iso {
                    windows: WINDOWS_874,
                }),
                part => labelled(&format!("iso-8859-{part}")),
            };
        }
        match plain.as_str() {
            "ascii" | "usascii" => Some(Page::Ascii),
            "latin1" => by_number(28591),
            "utf16" | "utf16le" | "ucs2" | "unicode" => by_number(1200),
            "utf16be" => by_number(1201),
            "utf8" => by_number(65001),
            "shiftjis" | "sjis" => by_number(932),
            "eucjis" | "eucjp" => labelled("euc-jp"),
            "ksc5601" => by_number(949),
            "big5" => by_number(950),
            "gb2312" => by_number(936),
            "6202533" | "tis620" => Some(Page::Iso {
                windows: WINDOWS_874,
            }),
            _ => labelled(name),
        }
    }
}

/// The number in a name such as 1252, cp850 or ibm-437.
fn number_of(plain: &str) -> Option<u16> {
    let prefixes = ["windows", "win", "xcp", "cp", "ibm", "oem", "dos", "ms"];
    let digits = prefixes
        .iter()
        .find_map(|prefix| plain.strip_prefix(prefix))
        .unwrap_or(plain);
    digits.parse().ok()
}

fn by_number(number: u16) -> Option<Page> {
    Some(match number {
        1200 => Page::Utf16 { big_endian: false },
        1201 => Page::Utf16 { big_endian: true },
        20127 => Page::Ascii,
        28591 => Page::Iso {
            windows: WINDOWS_1252,
        },
        932 => Page::Encoding(encoding_rs::SHIFT_JIS),
        936 => Page::Encoding(encoding_rs::GBK),
        949 => Page::Encoding(encoding_rs::EUC_KR),
        950 => Page::Encoding(encoding_rs::BIG5),
        65001 => Page::Encoding(encoding_rs::UTF_8),
        1250..=1258 => return labelled(&format!("windows-{number}")),
        _ if oem_cp::code_table::DECODING_TABLE_CP_MAP.contains_key(&number) => Page::Dos(number),
        _ => return None,
    })
}

/// What the Web knows by that name, if it can be written as well as read.
fn labelled(label: &str) -> Option<Page> {
    Encoding::for_label(label.as_bytes())
        .filter(|encoding| encoding.output_encoding() == *encoding)
        .map(Page::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_openedge_windows_and_the_web_are_known() {
        for (name, page) in [
            ("1252", Page::Encoding(WINDOWS_1252)),
            ("windows-1252", Page::Encoding(WINDOWS_1252)),
            (
                "ISO8859-1",
                Page::Iso {
                    windows: WINDOWS_1252,
                },
            ),
            ("iso-8859-15", Page::Encoding(encoding_rs::ISO_8859_15)),
            ("IBM850", Page::Dos(850)),
            ("ibm437", Page::Dos(437)),
            ("cp 866", Page::Dos(866)),
            ("utf-8", Page::Encoding(encoding_rs::UTF_8)),
            ("KOI8-R", Page::Encoding(encoding_rs::KOI8_R)),
            ("SHIFT-JIS", Page::Encoding(encoding_rs::SHIFT_JIS)),
            ("UCS2", Page::Utf16 { big_endian: false }),
        ] {
            assert_eq!(Page::find(name), Some(page), "{name}");
        }
        for name in ["", "88591", "iso8859-99", "hz-gb-2312", "foo850", "\u{fc}"] {
            assert_eq!(Page::find(name), None, "{name}");
        }
    }
}
