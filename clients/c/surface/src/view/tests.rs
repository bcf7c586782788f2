use std::borrow::Cow;

use super::*;
use crate::path::parse;

fn view(bytes: &[u8]) -> View {
    View::new(Bytes::copy_from_slice(bytes))
}

fn steps(path: &str) -> Vec<Step> {
    parse(path).expect(path)
}

/// `{"a": [1, -1, 2.5, true, nil], "b": {"c": "ü"}, "d": bin, 7: 8}`
fn sample() -> View {
    view(
        b"\x84\xa1a\x95\x01\xff\xcb\x40\x04\0\0\0\0\0\0\xc3\xc0\xa1b\x81\xa1c\xa2\xc3\xbc\xa1d\xc4\x02\xff\0\x07\x08",
    )
}

fn json(view: &View, path: &str) -> String {
    view.json(&steps(path)).expect(path)
}

#[test]
fn paths_lead_to_items_entries_and_the_whole() {
    let view = sample();
    for (path, wanted) in [
        (
            "",
            r#"{"a":[1,-1,2.5,true,null],"b":{"c":"ü"},"d":{"$bytes":"/wA="},"7":8}"#,
        ),
        ("a[0]", "1"),
        ("a[-1]", "null"),
        ("a[-2]", "true"),
        ("a[2]", "2.5"),
        ("b.c", "\"ü\""),
        ("#0.#0", "null"),
        ("#1.#0", "\"ü\""),
        ("#3", "8"),
        ("a[5]", "null"),
        ("none.at.all", "null"),
    ] {
        assert_eq!(json(&view, path), wanted, "{path}");
    }
    for path in ["a[5]", "a[-6]", "a.name", "b.x", "#4", "a[4].more"] {
        assert!(view.find(&steps(path)).expect(path).is_none(), "{path}");
    }
    let failure = view.find(&steps("a[0].x")).expect_err("a number");
    assert_eq!(failure.code, Code::BadPath);
}

#[test]
fn every_kind_has_the_type_of_the_header() {
    let header = include_str!("../../../include/standin.h");
    let number = |name: &str| {
        let line = header
            .lines()
            .find_map(|line| line.strip_prefix(&format!("#define STANDIN_TYPE_{name} ")));
        line.and_then(|number| number.parse::<i32>().ok())
            .expect(name)
    };
    assert_eq!(TYPE_MISSING, number("MISSING"));
    for (name, bytes) in [
        ("NULL", b"\xc0".as_slice()),
        ("BOOL", b"\xc2"),
        ("INT", b"\xcd\x01\x00"),
        ("INT", b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
        ("NUMBER", b"\xca\x3f\x80\0\0"),
        ("TEXT", b"\xa1a"),
        ("BYTES", b"\xa1\xff"),
        ("BYTES", b"\xc4\x01a"),
        ("BYTES", b"\xd4\x05a"),
        ("LIST", b"\xdc\0\0"),
        ("MAP", b"\x80"),
    ] {
        let view = view(bytes);
        let item = view.find(&[]).expect(name).expect(name);
        assert_eq!(view.type_of(item), number(name), "{name}");
    }
}

#[test]
fn numbers_of_every_width_are_read() {
    for (bytes, wanted) in [
        (b"\x7f".as_slice(), "127"),
        (b"\xe0", "-32"),
        (b"\xcc\xff", "255"),
        (b"\xce\xff\xff\xff\xff", "4294967295"),
        (
            b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
            "18446744073709551615",
        ),
        (b"\xd0\x80", "-128"),
        (b"\xd1\x80\0", "-32768"),
        (b"\xd2\x80\0\0\0", "-2147483648"),
        (b"\xd3\x80\0\0\0\0\0\0\0", "-9223372036854775808"),
        (b"\xca\x3f\xc0\0\0", "1.5"),
        (b"\xcb\x7f\xf0\0\0\0\0\0\0", "null"),
        (b"\xd4\x05\x09", r#"{"$ext":5,"$bytes":"CQ=="}"#),
    ] {
        assert_eq!(json(&view(bytes), ""), wanted, "{bytes:02x?}");
    }
}

#[test]
fn what_is_cut_or_claims_too_much_is_an_error() {
    for bytes in [
        b"".as_slice(),
        b"\x92\x01",
        b"\xdd\xff\xff\xff\xff\x01",
        b"\xdf\xff\xff\xff\xff\x01",
        b"\xdb\xff\xff\xff\xffabc",
        b"\xc1",
        b"\xd9",
        b"\xcb\0",
    ] {
        let view = view(bytes);
        assert!(view.json(&[]).is_err(), "{bytes:02x?}");
        assert!(
            !matches!(view.find(&steps("[1]")), Ok(Some(_))),
            "{bytes:02x?}"
        );
        let found = view.find(&[]).ok().flatten();
        assert!(found.is_none_or(|item| view.text(item).is_none()));
    }
}

#[test]
fn a_long_list_is_gone_through_once() {
    let count: u32 = 100_000;
    let mut bytes = [&b"\xdd"[..], &count.to_be_bytes()].concat();
    for number in 0..count {
        bytes.extend([&b"\xce"[..], &number.to_be_bytes()].concat());
    }
    let view = view(&bytes);
    for number in [0, 1, 77, 99_999] {
        assert_eq!(json(&view, &format!("[{number}]")), number.to_string());
    }
    assert_eq!(view.places.lock().expect("nobody panicked").len(), 1);
}

#[test]
fn a_text_in_pieces_never_splits_a_character() {
    let text = "aü€中b".repeat(50);
    let bytes = [
        &b"\xda"[..],
        &(text.len() as u16).to_be_bytes(),
        text.as_bytes(),
    ]
    .concat();
    let view = view(&bytes);
    let item = view.find(&[]).expect("it is there").expect("it is there");
    for (name, readable) in [("UTF-8", true), ("GB18030", true), ("1252", false)] {
        let page = Codepage::find(name.as_bytes()).expect(name);
        if !readable {
            page.replace_with(b"?").expect("it is a text");
        }
        let whole = page.bytes(&text).map(Cow::into_owned).expect(name);
        // What was kept of the text was for another page.
        *view.part.lock().expect("nobody panicked") = None;
        for capacity in 4..11 {
            let mut got = Vec::new();
            loop {
                let place = (got.len(), capacity);
                let (piece, total) = view.text_piece(item, &page, place).expect(name);
                assert_eq!(total, whole.len());
                assert!(piece.len() <= capacity);
                assert!(
                    page.text(&piece).is_ok(),
                    "{name}: a whole number of characters"
                );
                got.extend_from_slice(&piece);
                if piece.is_empty() {
                    break;
                }
            }
            assert_eq!(got, whole, "{name} {capacity}");
        }
    }
    let page = Codepage::utf_8();
    let failure = view.text_piece(item, &page, (2, 9)).expect_err("in an ü");
    assert_eq!(failure.code, Code::BadArgument);
    assert_eq!(
        view.text_piece(item, &page, (9999, 9)).expect("past it").0,
        b""
    );
}
