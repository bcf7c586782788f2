//! Anything that may come over the wire, written in every way in which it may be written: heads wider than they need
//! be, texts as bin, keys that are no texts.

use bytes::Bytes;
use proptest::{collection::vec, prelude::*};
use standin_protocol::{Message, Notification, Request, Response};

/// A message, and the bytes that somebody wrote for it.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) message: Message,
    pub(crate) bytes: Vec<u8>,
}

/// All the bytes of some messages, one behind the other.
pub(crate) fn stream(sent: &[Sent]) -> Vec<u8> {
    sent.iter().flat_map(|sent| sent.bytes.clone()).collect()
}

/// Picks one of the ways to write something.
fn pick(ways: Vec<Vec<u8>>, choice: usize) -> Vec<u8> {
    let index = choice % ways.len();
    ways.into_iter().nth(index).expect("there is at least one")
}

/// The heads that can hold `count`: the short one where it fits, then the wider ones with their markers.
fn heads(count: usize, short: Option<u8>, wider: &[(u8, usize)]) -> Vec<Vec<u8>> {
    let mut ways: Vec<Vec<u8>> = short.map(|marker| vec![marker]).into_iter().collect();
    for &(marker, width) in wider {
        let field = (count as u64).to_be_bytes();
        if field[..8 - width].iter().all(|byte| *byte == 0) {
            ways.push([&[marker], &field[8 - width..]].concat());
        }
    }
    ways
}

/// A whole number of 0 or more in any width.
pub(crate) fn unsigned(value: u64) -> impl Strategy<Value = Vec<u8>> {
    any::<usize>().prop_map(move |choice| {
        let short = (value < 0x80).then_some(value as u8);
        let signed = [(0xd0, 1), (0xd1, 2), (0xd2, 4), (0xd3, 8)];
        let mut ways = heads(
            value as usize,
            short,
            &[(0xcc, 1), (0xcd, 2), (0xce, 4), (0xcf, 8)],
        );
        ways.extend(
            heads(value as usize, None, &signed)
                .into_iter()
                .filter(|way| way[1] < 0x80),
        );
        pick(ways, choice)
    })
}

/// A text as str or bin.
pub(crate) fn text(contents: Vec<u8>, choice: usize) -> Vec<u8> {
    let length = contents.len();
    let short = (length < 32).then_some(0xa0 | length as u8);
    let wider = [
        (0xd9, 1),
        (0xda, 2),
        (0xdb, 4),
        (0xc4, 1),
        (0xc5, 2),
        (0xc6, 4),
    ];
    [pick(heads(length, short, &wider), choice), contents].concat()
}

pub(crate) fn array(items: &[Vec<u8>], choice: usize) -> Vec<u8> {
    let short = (items.len() < 16).then_some(0x90 | items.len() as u8);
    let head = pick(heads(items.len(), short, &[(0xdc, 2), (0xdd, 4)]), choice);
    [head, items.concat()].concat()
}

pub(crate) fn map(entries: &[(Vec<u8>, Vec<u8>)], choice: usize) -> Vec<u8> {
    let short = (entries.len() < 16).then_some(0x80 | entries.len() as u8);
    let mut out = pick(heads(entries.len(), short, &[(0xde, 2), (0xdf, 4)]), choice);
    for (key, value) in entries {
        out.extend_from_slice(key);
        out.extend_from_slice(value);
    }
    out
}

/// A value with nothing in it.
fn leaf() -> impl Strategy<Value = Vec<u8>> {
    let number = |marker: u8, width: usize| {
        vec(any::<u8>(), width).prop_map(move |bytes| [vec![marker], bytes].concat())
    };
    let numbers = (prop::sample::select(vec![
        (0xca, 4),
        (0xcb, 8),
        (0xcc, 1),
        (0xcd, 2),
        (0xce, 4),
        (0xcf, 8),
        (0xd0, 1),
        (0xd1, 2),
        (0xd2, 4),
        (0xd3, 8),
        (0xd4, 2),
        (0xd5, 3),
        (0xd6, 5),
        (0xd7, 9),
        (0xd8, 17),
    ]),)
        .prop_flat_map(move |((marker, width),)| number(marker, width));
    let single = prop::sample::select(vec![0x00, 0x01, 0x7f, 0xc0, 0xc2, 0xc3, 0xe0, 0xff]);
    let ext = (any::<u8>(), vec(any::<u8>(), 0..20), any::<usize>()).prop_map(
        |(kind, contents, choice)| {
            let wider = [(0xc7, 1), (0xc8, 2), (0xc9, 4)];
            let head = pick(heads(contents.len(), None, &wider), choice);
            [head, vec![kind], contents].concat()
        },
    );
    prop_oneof![
        single.prop_map(|byte| vec![byte]),
        numbers,
        (vec(any::<u8>(), 0..40), any::<usize>())
            .prop_map(|(contents, choice)| text(contents, choice)),
        (".{0,20}", any::<usize>()).prop_map(|(words, choice)| text(words.into_bytes(), choice)),
        ext,
    ]
}

/// One whole value, at most seven levels deep.
pub(crate) fn value() -> impl Strategy<Value = Vec<u8>> {
    leaf().prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            (vec(inner.clone(), 0..6), any::<usize>())
                .prop_map(|(items, choice)| array(&items, choice)),
            (vec((inner.clone(), inner), 0..5), any::<usize>())
                .prop_map(|(entries, choice)| map(&entries, choice)),
        ]
    })
}

/// What a request may have as parameters. Some are large, so that they come in many pieces.
fn params() -> impl Strategy<Value = Vec<u8>> {
    let large = (4000usize..150_000, any::<u8>())
        .prop_map(|(length, byte)| array(&[text(vec![byte; length], 5)], 0));
    prop_oneof![
        8 => (vec(value(), 0..5), any::<usize>()).prop_map(|(items, choice)| array(&items, choice)),
        8 => (vec((value(), value()), 0..4), any::<usize>())
            .prop_map(|(entries, choice)| map(&entries, choice)),
        1 => large,
    ]
}

fn meta() -> impl Strategy<Value = Option<Vec<u8>>> {
    let entries = vec((value(), value()), 0..3);
    prop_oneof![
        Just(None),
        Just(Some(vec![0xc0])),
        (entries, any::<usize>()).prop_map(|(entries, choice)| Some(map(&entries, choice))),
    ]
}

fn msgid() -> impl Strategy<Value = (u64, Vec<u8>)> {
    prop_oneof![0u64..300, any::<u64>()].prop_flat_map(|msgid| (Just(msgid), unsigned(msgid)))
}

fn method() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let name = prop_oneof![
        "[a-z.]{1,40}".prop_map(String::into_bytes),
        vec(any::<u8>(), 0..40)
    ];
    (name, any::<usize>()).prop_map(|(name, choice)| (name.clone(), text(name, choice)))
}

/// A well-formed message.
pub(crate) fn message() -> impl Strategy<Value = Sent> {
    prop_oneof![2 => request(), 2 => response(), 1 => notification()]
}

fn request() -> impl Strategy<Value = Sent> {
    let parts = (
        unsigned(0),
        msgid(),
        method(),
        params(),
        meta(),
        any::<usize>(),
    );
    parts.prop_map(
        |(kind, (msgid, id), (name, method), params, meta, choice)| {
            let mut elements = vec![kind, id, method, params.clone()];
            elements.extend(meta.clone());
            let message = Message::Request(Request {
                msgid,
                method: name.into(),
                params: params.into(),
                meta: meta.filter(|meta| meta[..] != [0xc0]).map(Bytes::from),
            });
            Sent {
                message,
                bytes: array(&elements, choice),
            }
        },
    )
}

fn response() -> impl Strategy<Value = Sent> {
    let nil = vec![0xc0];
    let error = value().prop_filter("nil is no error", move |error| error[..] != [0xc0]);
    let places = prop_oneof![
        value().prop_map(move |result| (nil.clone(), result.clone(), Ok(Bytes::from(result)))),
        (error, value()).prop_map(|(error, beside)| (
            error.clone(),
            beside,
            Err(Bytes::from(error))
        )),
    ];
    let parts = (unsigned(1), msgid(), places, any::<usize>());
    parts.prop_map(
        |(kind, (msgid, id), (error, beside, result), choice)| Sent {
            message: Message::Response(Response { msgid, result }),
            bytes: array(&[kind, id, error, beside], choice),
        },
    )
}

fn notification() -> impl Strategy<Value = Sent> {
    let parts = (unsigned(2), method(), value(), any::<usize>());
    parts.prop_map(|(kind, (name, method), params, choice)| {
        let bytes = array(&[kind, method, params.clone()], choice);
        let message = Message::Notification(Notification {
            method: name.into(),
            params: params.into(),
        });
        Sent { message, bytes }
    })
}

/// Sizes of the pieces in which a stream comes: single bytes, a few, many.
pub(crate) fn pieces() -> impl Strategy<Value = Vec<usize>> {
    let size = prop_oneof![4 => 1usize..9, 3 => 9usize..600, 2 => 600usize..70_000];
    vec(size, 1..12)
}

/// Bytes that are nearly messages: some of them changed, some missing, some put in.
pub(crate) fn nearly_messages() -> impl Strategy<Value = Vec<u8>> {
    let changes = vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 0..6);
    (vec(message(), 1..4), changes).prop_map(|(sent, changes)| {
        let mut bytes = stream(&sent);
        for (place, byte, how) in changes {
            if bytes.is_empty() {
                break;
            }
            let place = place.index(bytes.len());
            match how {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                _ => drop(bytes.remove(place)),
            }
        }
        bytes
    })
}
