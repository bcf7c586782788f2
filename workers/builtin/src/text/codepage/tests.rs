//! What `text.decode` and `text.encode` promise.

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

/// Signs for private use by which GB 18030 went as long as Unicode had none for what they meant. They are still written as
/// that, and since its edition of 2022 that is read as what Unicode has got for it (the Web's Encoding Standard, "gb18030").
const MOVED: [char; 18] = [
    '\u{e78d}', '\u{e78e}', '\u{e78f}', '\u{e790}', '\u{e791}', '\u{e792}', '\u{e793}', '\u{e794}',
    '\u{e795}', '\u{e796}', '\u{e81e}', '\u{e826}', '\u{e82b}', '\u{e82c}', '\u{e832}', '\u{e843}',
    '\u{e854}', '\u{e864}',
];

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

#[test]
fn a_text_of_nothing_but_mistakes_comes_to_an_end() {
    let bad = vec![0xff; 400_000];
    for codepage in ["UTF-8", "ascii"] {
        assert_eq!(
            from(&bad, codepage, Some("?"))
                .expect("it is replaced")
                .len(),
            bad.len()
        );
        let failure = from(&bad, codepage, Some(&"x".repeat(100))).expect_err("it is too much");
        assert_eq!(failure.answer().code, "text.too_large");
    }
    let arrows = "→".repeat(400_000);
    let failure = to(&arrows, "1252", Some(&"x".repeat(100))).expect_err("it is too much");
    assert_eq!(failure.answer().code, "text.too_large");
}

#[test]
fn what_is_named_in_an_error_is_neither_endless_nor_a_line_break() {
    for failure in [
        to("x", &"y\n".repeat(1000), None).expect_err("nobody knows it"),
        to("\u{85}", "437", None).expect_err("it has no such line end"),
        to("x", "437", Some(&"→".repeat(1000))).expect_err("it has no arrow"),
    ] {
        let message = &failure.answer().message;
        assert!(
            message.len() < 300 && !message.contains(char::is_control),
            "{message}"
        );
    }
}

#[test]
fn gb18030_reads_everything_as_it_was_written_but_what_has_got_a_sign_of_its_own() {
    let moved = |sign: &char| {
        let sign = sign.to_string();
        to(&sign, "gb18030", None)
            .is_ok_and(|bytes| from(&bytes, "gb18030", None).expect("it was written so") != sign)
    };
    let found: Vec<char> = ('\0'..='\u{ffff}').filter(moved).collect();
    assert_eq!(found, MOVED);
}

proptest! {
    #[test]
    fn whatever_can_be_written_is_read_again(text in "(?s).{0,40}") {
        for codepage in ["UTF-8", "UTF-16LE", "utf-16be", "shift-jis", "gb18030"].into_iter().chain(SINGLE_BYTE) {
            if let Ok(bytes) = to(&text, codepage, None) {
                let again = from(&bytes, codepage, None).expect("it was written so");
                // Shift JIS has one byte for two signs each, and GB 18030 has moved some.
                let moved = codepage == "gb18030" && text.contains(MOVED);
                if codepage != "shift-jis" && !moved {
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
