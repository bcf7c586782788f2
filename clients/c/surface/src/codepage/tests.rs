use super::*;

fn page(name: &str) -> Codepage {
    Codepage::find(name.as_bytes()).expect(name)
}

#[test]
fn the_code_pages_of_openedge_and_windows_are_converted_both_ways() {
    for (name, text, bytes) in [
        ("ISO8859-1", "Grüße", &b"Gr\xfc\xdfe"[..]),
        ("iso8859-15", "10 €", b"10 \xa4"),
        ("1252", "10 €", b"10 \x80"),
        ("windows-1252", "ü", b"\xfc"),
        ("CP1252", "ü", b"\xfc"),
        ("IBM850", "Grüße", b"Gr\x81\xe1e"),
        ("cp850", "ü", b"\x81"),
        ("IBM437", "ü", b"\x81"),
        ("1250", "ł", b"\xb3"),
        ("KOI8-R", "Я", b"\xf1"),
        ("UTF-8", "Grüße", "Grüße".as_bytes()),
        ("", "€", "€".as_bytes()),
        ("BIG-5", "中", b"\xa4\xa4"),
        ("GB2312", "中", b"\xd6\xd0"),
        ("SHIFT-JIS", "中ー", b"\x92\x86\x81\x5b"),
        ("KSC5601", "가", b"\xb0\xa1"),
        ("EUCJIS", "中", b"\xc3\xe6"),
    ] {
        let page = page(name);
        assert_eq!(page.text(bytes).expect(name), text, "{name}");
        assert_eq!(&page.bytes(text).expect(name)[..], bytes, "{name}");
    }
}

#[test]
fn a_page_in_which_texts_of_c_mean_nothing_is_refused_as_an_unknown_one_is() {
    for name in ["UTF-16", "ucs2", "iso-2022-jp", "undefined", "foo"] {
        let failure = Codepage::find(name.as_bytes()).expect_err(name);
        assert_eq!(failure.code, Code::BadArgument);
        assert!(failure.message.contains(name), "{failure:?}");
    }
}

#[test]
fn what_has_no_meaning_is_named_with_its_position() {
    let sentence = |result: Result<Cow<'_, str>, Failure>| {
        let failure = result.expect_err("it has no meaning");
        assert_eq!(failure.code, Code::BadText);
        failure.message
    };
    let why = sentence(page("UTF-8").text(b"ab\xffcd"));
    assert!(
        why.contains("0xff at position 3") && why.contains("UTF-8"),
        "{why}"
    );
    let why = sentence(page("1253").text(b"a\xd2"));
    assert!(why.contains("0xd2 at position 2"), "{why}");
    let why = sentence(page("IBM850").text(b"a\0b"));
    assert!(why.contains("a NUL at position 2"), "{why}");
    let failure = page("ISO8859-1")
        .bytes("ü 10 €")
        .expect_err("it is not there");
    assert!(
        failure.message.contains("U+20AC at position 6"),
        "{failure:?}"
    );
}

#[test]
fn a_replacement_stands_for_what_the_page_has_not() {
    let page = page("1252");
    page.replace_with(b"?").expect("it is a text");
    assert_eq!(&page.bytes("ł€ł").expect("replaced")[..], b"?\x80?");
    page.replace_with(b"").expect("it is empty");
    assert!(page.bytes("ł").is_err());
    assert_eq!(page.readable("ł\0€"), b"? \x80");
}

#[test]
fn a_text_in_pieces_may_be_cut_anywhere() {
    for (name, text) in [
        ("UTF-8", "aü€😀b"),
        ("SHIFT-JIS", "中ーa中"),
        ("1252", "aü€b"),
        ("gb18030", "a中😀"),
    ] {
        let page = page(name);
        let bytes = page.bytes(text).expect(name).into_owned();
        let mut pieces = page.begin_pieces();
        let mut whole = String::new();
        for byte in &bytes {
            pieces
                .append(&page, &mut whole, std::slice::from_ref(byte))
                .expect(name);
        }
        assert!(pieces.finish(), "{name}");
        assert_eq!(whole, text, "{name}");
    }
    let page = page("UTF-8");
    let mut pieces = page.begin_pieces();
    let mut whole = String::new();
    pieces
        .append(&page, &mut whole, b"a\xe2\x82")
        .expect("half");
    assert!(!pieces.finish());
    let mut pieces = page.begin_pieces();
    assert!(pieces.append(&page, &mut whole, b"a\xffb").is_err());
    assert!(pieces.append(&page, &mut whole, b"a\0b").is_err());
}
