//! A stream of any bytes: the same messages however it is cut, the same ends as `rmpv` finds, and what was understood
//! can be written and understood again.
//!
//! The first byte chooses the limits, the next four are the sizes of the pieces, the rest is the stream.

#![no_main]

#[path = "../../tests/wire/reading.rs"]
mod reading;
#[path = "../../tests/wire/second_opinion.rs"]
mod second_opinion;

use libfuzzer_sys::fuzz_target;
use standin_protocol::{Limits, Message};

use reading::{read_in_pieces, write_again};
use second_opinion::check_against_rmpv;

const SMALL: Limits = Limits {
    message_size_max: 200,
    depth_max: 6,
};

fuzz_target!(|input: &[u8]| {
    let [which, a, b, c, d, stream @ ..] = input else {
        return;
    };
    let limits = if which % 2 == 0 {
        Limits::default()
    } else {
        SMALL
    };
    // Squared, so that one byte can say both 1 and 65 026.
    let sizes = [a, b, c, d].map(|size| usize::from(*size).pow(2) + 1);
    let whole = read_in_pieces(stream, &[usize::MAX], limits);
    assert_eq!(whole, read_in_pieces(stream, &sizes, limits));

    let (mut position, mut ends) = (0, 0);
    while let Some(length) = check_against_rmpv(&stream[position..], limits) {
        (position, ends) = (position + length, ends + 1);
    }
    // The last of those that end may be well-formed and still no message.
    assert!(whole.messages.len() == ends || whole.messages.len() < ends && whole.end.is_err());

    for message in &whole.messages {
        check_written_again(message);
    }
});

fn check_written_again(message: &Message) {
    let Some(frame) = write_again(message) else {
        return;
    };
    let bytes = frame.pieces().concat();
    assert_eq!(bytes.len(), frame.len());
    let again = read_in_pieces(&bytes, &[usize::MAX], Limits::default());
    assert_eq!(again.end, Ok(()));
    assert_eq!(&again.messages[..], std::slice::from_ref(message));
}
