//! Hostile bytes: no panic, no memory beyond what has really come, and each limit held before anything is taken.

use bytes::Bytes;
use proptest::{collection::vec, prelude::*};
use standin_protocol::{
    self as protocol, ErrorAnswer, Limits, Meta, Progress, Scanner, Splitter, WireError,
    WorkerHello, WorkerMeta, value,
};

use crate::{allocation::most_held, any, reading::read_in_pieces};

/// What a splitter may hold besides twice what has come: the room for a message that grows.
const ROOM: usize = 256 * 1024;

/// Reads a stream and keeps nothing of it.
fn read_and_drop(stream: &[u8], piece: usize) -> Result<(), WireError> {
    let mut splitter = Splitter::new(Limits::default());
    for piece in stream.chunks(piece) {
        match splitter.room() {
            Some(room) if room.capacity() - room.len() >= piece.len() => {
                room.extend_from_slice(piece);
            }
            _ => splitter.push(piece),
        }
        while splitter.next_message()?.is_some() {}
    }
    splitter.end()
}

/// Everything that decodes a value, on bytes that may be anything.
fn decode_all(bytes: &Bytes) {
    let _ = Meta::decode(bytes);
    let _ = WorkerMeta::decode(bytes);
    let _ = ErrorAnswer::decode(bytes).to_string();
    let _ = ErrorAnswer::is_full(bytes);
    let _ = value::array_items(bytes);
    let _ = value::map_entries(bytes);
    let _ = value::named_arguments(bytes);
    let _ = value::read_unsigned(bytes);
    let _ = value::read_bool(bytes);
    let _ = value::read_bytes(bytes);
    let _ = value::nests_at_most(bytes, 64);
    let _ = protocol::read_text(bytes);
    let _ = protocol::decode_exact::<WorkerHello>(bytes);
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(
        stream in vec(any::<u8>(), 0..600),
        head in 0x93u8..0x96,
        pieces in any::pieces(),
    ) {
        let _ = read_in_pieces(&stream, &pieces, Limits::default());
        let _ = read_in_pieces(&[vec![head], stream].concat(), &pieces, Limits::default());
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in vec(any::<u8>(), 0..200), nearly in any::nearly_messages()) {
        decode_all(&Bytes::from(bytes));
        decode_all(&Bytes::from(nearly));
    }

    #[test]
    fn no_more_is_held_than_came(
        nearly in any::nearly_messages(),
        head in 0x93u8..0x96,
        stream in vec(any::<u8>(), 0..2000),
        piece in 1usize..5000,
    ) {
        for stream in [nearly, [vec![head], stream].concat()] {
            let held = most_held(|| drop(read_and_drop(&stream, piece)));
            prop_assert!(held <= 4 * stream.len() + ROOM, "{held} for {}", stream.len());
        }
    }

    #[test]
    fn nesting_is_refused_at_the_byte_that_is_too_deep(
        kinds in vec(0usize..6, 1..100),
        depth_max in 1usize..80,
    ) {
        // What stands before the value inside, and how many values come behind it.
        let around: [(&[u8], usize); 6] = [
            (b"\x91", 0),
            (b"\x92", 1),
            (b"\x92\x05", 0),
            (b"\xdc\x00\x01", 0),
            (b"\x81\xa1k", 0),
            (b"\x81", 1),
        ];
        let mut bytes = b"\x93\x02\xa1x".to_vec();
        let mut ends = vec![1];
        for kind in &kinds {
            bytes.extend_from_slice(around[*kind].0);
            ends.push(bytes.len());
        }
        bytes.push(0xc0);
        kinds.iter().rev().for_each(|kind| bytes.extend(vec![0xc0; around[*kind].1]));
        let limits = Limits { depth_max, ..Limits::default() };
        let scanned = Scanner::new(limits).scan(&bytes);
        match ends.get(depth_max) {
            None => prop_assert_eq!(scanned, Ok(Progress::End(bytes.len()))),
            Some(end) => {
                let early = Scanner::new(limits).scan(&bytes[..*end]);
                prop_assert_eq!(&early, &Err(WireError::TooDeep { limit: depth_max }));
                prop_assert_eq!(scanned, early);
            }
        }
    }

    #[test]
    fn size_is_refused_before_it_has_come(sent in any::message(), less in any::<prop::sample::Index>()) {
        let length = sent.bytes.len();
        let limits = |message_size_max| Limits { message_size_max, ..Limits::default() };
        let exactly = Scanner::new(limits(length)).scan(&sent.bytes);
        prop_assert_eq!(exactly, Ok(Progress::End(length)));
        let limit = less.index(length);
        let mut scanner = Scanner::new(limits(limit));
        // The longest head that can pass a limit has five bytes.
        for come in 1..=length.min(limit + 5) {
            match scanner.scan(&sent.bytes[..come]) {
                Ok(Progress::Need(needed)) => prop_assert!(needed > come),
                Ok(Progress::End(_)) => prop_assert!(false, "it is too large"),
                Err(error) => {
                    let is_right = matches!(error, WireError::TooLarge { limit: told, .. } if told == limit);
                    prop_assert!(is_right, "{}", error);
                    return Ok(());
                }
            }
        }
        prop_assert!(false, "nobody refused it");
    }
}

#[test]
fn a_claim_takes_no_memory_before_its_bytes_come() {
    for claim in [
        b"\x94\x00\x07\xa1x\x91\xdb\x00\xff\x00\x00".as_slice(),
        b"\x94\x00\x07\xa1x\x91\xc6\x00\xff\x00\x00",
        b"\x94\x00\x07\xa1x\x91\xc9\x00\xff\x00\x00",
        b"\x94\x00\x07\xa1x\xdd\x00\xff\x00\x00",
        b"\x94\x00\x07\xa1x\xdf\x00\x7f\x00\x00",
        b"\x94\x00\x07\xc6\x00\xff\x00\x00",
        b"\x94\x01\x07\xc0\xc6\x00\xff\x00\x00",
    ] {
        let some_of_it = [claim, &[0xc0; 1000]].concat();
        let held = most_held(|| {
            let end = read_and_drop(&some_of_it, 50);
            let length = some_of_it.len();
            assert_eq!(end, Err(WireError::EndInsideMessage { length }));
        });
        assert!(held < ROOM, "{held} bytes held for a claim");
    }
}

#[test]
fn a_message_of_the_largest_size_is_held_once() {
    let limit = Limits::default().message_size_max;
    let head = b"\x94\x00\x07\xa1x\x91\xc6";
    let body = limit - head.len() - 4;
    let mut stream = head.to_vec();
    stream.extend_from_slice(&(body as u32).to_be_bytes());
    stream.resize(limit, 1);
    let held = most_held(|| assert_eq!(read_and_drop(&stream, 60_000), Ok(())));
    assert!(held <= 3 * limit, "{held} bytes held, while it grows");
}

#[test]
fn a_stranger_who_claims_millions_of_items_gets_no_memory_for_them() {
    let many_nils = [b"\xdd\x00\x20\x00\x00".as_slice(), &vec![0xc0; 1 << 21]].concat();
    let many_entries = [
        b"\xdf\x00\x10\x00\x00".as_slice(),
        &b"\xa0\xc0".repeat(1 << 20),
    ]
    .concat();
    for bytes in [many_nils, many_entries].map(Bytes::from) {
        let held = most_held(|| {
            assert!(value::array_items(&bytes).is_err());
            assert!(value::map_entries(&bytes).is_err());
            assert!(value::named_arguments(&bytes).is_err());
        });
        assert!(held < 4096, "{held}");
    }
    // A worker's manifest is decoded whole; what is only claimed in it takes at most what serde trusts a claim with.
    let hello = b"\x83\xa5token\xa1t\xa4name\xa1n\xa7methods\xdd\xff\xff\xff\xff";
    let held = most_held(|| assert!(protocol::decode_exact::<WorkerHello>(hello).is_err()));
    assert!(held < 2 << 20, "{held}");
}
