//! Keeps docs/PROTOCOL.md equal to the code: its table of codes, its limits, its heads, and its transcript in bytes.

mod transcript;

use std::collections::BTreeSet;

use standin_protocol::{ErrorCode, Limits, Meta, Outcome};

const PAGE: &str = include_str!("../../../docs/PROTOCOL.md");

/// The rows of the table under a headline, cell by cell.
fn table(headline: &str) -> Vec<Vec<&'static str>> {
    let from = PAGE.find(headline).expect("the page has that headline");
    let lines = PAGE[from..]
        .lines()
        .skip_while(|line| !line.starts_with('|'));
    let rows = lines.take_while(|line| line.starts_with('|')).skip(2);
    let cells = |row: &'static str| row.trim_matches('|').split('|').map(str::trim).collect();
    rows.map(cells).collect()
}

fn code(cell: &str) -> &str {
    cell.trim_matches('`')
}

#[test]
fn every_code_stands_in_the_table_with_its_number_its_outcome_and_what_a_retry_does() {
    let rows = table("| number | code |");
    assert_eq!(rows.len(), ErrorCode::ALL.len());
    for (row, expected) in rows.iter().zip(ErrorCode::ALL) {
        let [number, name, outcome, again, when] = row[..] else {
            panic!("five cells: {row:?}")
        };
        assert_eq!(number, expected.number().to_string());
        assert_eq!(code(name), expected.name());
        assert_eq!(code(outcome), expected.usual_outcome().name());
        let is_safe = expected.usual_outcome() == Outcome::NotExecuted;
        let words: &[&str] = if is_safe {
            &["later", "in vain"]
        } else {
            &["unsafe"]
        };
        assert!(words.contains(&again), "{name}: {again}");
        assert!(!when.is_empty());
    }
}

#[test]
fn every_outcome_is_explained() {
    let names: Vec<&str> = table("| outcome | means |")
        .iter()
        .map(|row| code(row[0]))
        .collect();
    let outcomes = [Outcome::NotExecuted, Outcome::Executed, Outcome::Unknown];
    assert_eq!(names, outcomes.map(Outcome::name));
}

#[test]
fn the_limits_are_those_of_the_code() {
    let rows = table("## Limits");
    let limit = |begins: &str| {
        let row = rows.iter().find(|row| row[0].starts_with(begins));
        let number = row.expect("there is such a row")[1].split(' ').next();
        number
            .expect("a number")
            .parse::<usize>()
            .expect("a number")
    };
    let limits = Limits::default();
    assert_eq!(limit("bytes of a message"), limits.message_size_max);
    assert_eq!(limit("levels of arrays and maps"), limits.depth_max);
    assert_eq!(limit("bytes of an idempotency key"), Meta::KEY_LENGTH_MAX);
}

#[test]
fn every_entry_of_meta_is_explained() {
    let names: BTreeSet<&str> = table("| entry | is | means |")
        .iter()
        .map(|row| code(row[0]))
        .collect();
    let everything = Meta {
        key: Some(b"k".as_slice().into()),
        timeout_ms: Some(1),
        idempotent: true,
        again: true,
        ack: Some(1),
        trace: Some(b"t".as_slice().into()),
    };
    let written = standin_protocol::value::map_entries(&everything.encode().into());
    let written = written.expect("it is a map");
    let written = written
        .iter()
        .map(|(name, _)| std::str::from_utf8(name).expect("a word"));
    assert_eq!(names, written.collect());
}

#[test]
fn every_first_byte_stands_in_the_table_of_heads_once() {
    let mut seen = BTreeSet::new();
    for row in table("| first byte |") {
        for part in row[0].split(", ") {
            let ends: Vec<u8> = part
                .split('`')
                .filter_map(|word| u8::from_str_radix(word, 16).ok())
                .collect();
            let (first, last) = match ends[..] {
                [byte] => (byte, byte),
                [first, last] => (first, last),
                _ => panic!("one byte or two: {part}"),
            };
            for byte in first..=last {
                assert!(seen.insert(byte), "{byte:02x} stands there twice");
            }
        }
    }
    assert_eq!(seen.len(), 256);
}
