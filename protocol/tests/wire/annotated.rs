//! Annotated bytes, as the fixtures and the transcript in docs/PROTOCOL.md are written: hex digits, and behind a
//! semicolon what they mean. A comment that is a quoted text is checked: the line's bytes end with it.

use bytes::Bytes;

/// One message with the name above it.
#[derive(Debug)]
pub(crate) struct Annotated {
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
}

/// All messages of a text. Panics, with the line, where the text is not of that form.
pub(crate) fn parse(text: &str) -> Vec<Annotated> {
    let mut messages: Vec<(String, Vec<u8>)> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            let name = name.strip_suffix(']').expect("a name stands in brackets");
            messages.push((name.to_owned(), Vec::new()));
            continue;
        }
        let (hex, comment) = line.split_once(';').unwrap_or((line, ""));
        let bytes: Vec<u8> = hex
            .split_whitespace()
            .map(|digits| {
                assert_eq!(digits.len(), 2, "two digits a byte: {line}");
                u8::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("not hex: {line}"))
            })
            .collect();
        if bytes.is_empty() {
            continue;
        }
        if let Some((quoted, _)) = comment
            .trim()
            .strip_prefix('"')
            .and_then(|rest| rest.rsplit_once('"'))
        {
            assert!(
                bytes.ends_with(quoted.as_bytes()),
                "the comment says something else: {line}"
            );
        }
        let (_, message) = messages.last_mut().expect("a name comes before the bytes");
        message.extend(bytes);
    }
    let named = messages.into_iter().map(|(name, bytes)| Annotated {
        name,
        bytes: bytes.into(),
    });
    named.collect()
}

/// Every file of fixtures, by its name.
pub(crate) const FIXTURES: [(&str, &str); 9] = [
    ("requests", include_str!("fixtures/requests.txt")),
    (
        "wrong_requests",
        include_str!("fixtures/wrong_requests.txt"),
    ),
    ("responses", include_str!("fixtures/responses.txt")),
    ("notifications", include_str!("fixtures/notifications.txt")),
    ("worker", include_str!("fixtures/worker.txt")),
    ("errors", include_str!("fixtures/errors.txt")),
    ("meta", include_str!("fixtures/meta.txt")),
    ("wrong_meta", include_str!("fixtures/wrong_meta.txt")),
    ("lost_streams", include_str!("fixtures/lost_streams.txt")),
];

/// The fixtures of one file.
pub(crate) fn fixtures(file: &str) -> Vec<Annotated> {
    let found = FIXTURES.iter().find(|(name, _)| *name == file);
    parse(found.expect("there is such a file").1)
}
