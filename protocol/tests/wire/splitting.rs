//! However a stream is cut, it gives the same messages, byte for byte.

use proptest::{collection::vec, prelude::*};
use standin_protocol::{Limits, Message, Splitter, WireError};

use crate::{
    annotated::{FIXTURES, fixtures},
    any,
    reading::{Read, read_in_pieces},
};

/// What was meant, from a stream that ends well.
fn meant(sent: Vec<any::Sent>) -> Read {
    Read {
        messages: sent.into_iter().map(|sent| sent.message).collect(),
        end: Ok(()),
    }
}

proptest! {
    #[test]
    fn any_split_of_any_stream_gives_the_same_messages(
        sent in vec(any::message(), 1..8),
        pieces in any::pieces(),
    ) {
        let stream = any::stream(&sent);
        let meant = meant(sent);
        // Params, results, errors and meta are part of a message, so this says that they come byte for byte.
        prop_assert_eq!(&read_in_pieces(&stream, &[usize::MAX], Limits::default()), &meant);
        prop_assert_eq!(&read_in_pieces(&stream, &pieces, Limits::default()), &meant);
    }

    #[test]
    fn even_single_bytes_give_the_same_messages(sent in vec(any::message(), 1..4)) {
        let stream = any::stream(&sent);
        prop_assert_eq!(read_in_pieces(&stream, &[1], Limits::default()), meant(sent));
    }

    #[test]
    fn what_is_wrong_in_a_stream_does_not_depend_on_how_it_is_cut(
        stream in any::nearly_messages(),
        pieces in any::pieces(),
    ) {
        let limits = Limits { message_size_max: 20_000, depth_max: 6 };
        let whole = read_in_pieces(&stream, &[usize::MAX], limits);
        prop_assert_eq!(read_in_pieces(&stream, &pieces, limits), whole);
    }

    #[test]
    fn an_end_inside_a_message_is_an_error_wherever_it_is(
        before in vec(any::message(), 0..3),
        last in any::message(),
        cut in any::<prop::sample::Index>(),
        pieces in any::pieces(),
    ) {
        let cut = 1 + cut.index(last.bytes.len() - 1);
        let stream = [any::stream(&before), last.bytes[..cut].to_vec()].concat();
        let read = read_in_pieces(&stream, &pieces, Limits::default());
        prop_assert_eq!(read.messages.len(), before.len());
        prop_assert_eq!(read.end, Err(WireError::EndInsideMessage { length: cut }));
    }
}

#[test]
fn every_fixture_is_an_error_when_it_ends_too_early_at_every_place() {
    for (file, _) in FIXTURES {
        if ["errors", "meta", "wrong_meta", "lost_streams"].contains(&file) {
            continue;
        }
        for fixture in fixtures(file) {
            for length in 1..fixture.bytes.len() {
                let read = read_in_pieces(&fixture.bytes[..length], &[7], Limits::default());
                assert_eq!(read.messages, [], "{}", fixture.name);
                let end = Err(WireError::EndInsideMessage { length });
                assert_eq!(read.end, end, "{}", fixture.name);
            }
        }
    }
}

#[test]
fn a_large_message_is_read_into_the_room_that_the_splitter_offers() {
    let body = [b"\x91\xc6\x00\x03\x0d\x40".as_slice(), &[7; 200_000]].concat();
    let stream = [b"\x94\x00\x01\xa1x", &body[..]].concat();
    let mut splitter = Splitter::new(Limits::default());
    splitter.push(&stream[..100]);
    let (mut position, mut rooms) = (100, 0);
    let message = loop {
        if let Some(message) = splitter.next_message().expect("it is well") {
            break message;
        }
        let room = splitter.room().expect("much is missing");
        let free = (room.capacity() - room.len()).min(stream.len() - position);
        room.extend_from_slice(&stream[position..position + free]);
        (position, rooms) = (position + free, rooms + 1);
    };
    assert!(rooms < 6, "the room grows with what has come: {rooms}");
    let Message::Request(request) = message else {
        panic!("it is a request")
    };
    assert_eq!(request.params, body);
    assert_eq!(splitter.room(), None, "nothing is on its way");
}
