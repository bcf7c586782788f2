//! The transcript: each message of it is what the encoder writes today, in the order in which it goes over the wire.

use standin_protocol::{
    self as protocol, ErrorAnswer, ErrorCode, Frame, Limits, Message, MethodManifest, Outcome,
    Replay, WorkerHello, WorkerMeta, value,
};

use super::PAGE;
use crate::{
    annotated::{Annotated, parse},
    golden::{bytes, decode, written},
    second_opinion::check_against_rmpv,
};

fn transcript() -> Vec<Annotated> {
    let blocks = PAGE.split("```hex\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().expect("a block has an end"));
    blocks.flat_map(parse).collect()
}

const FROM_CLIENT: &str = "client to service";
const TO_CLIENT: &str = "service to client";
const TO_WORKER: &str = "service to worker";
const FROM_WORKER: &str = "worker to service";

fn ask(msgid: u64, method: &str, params: &[u8]) -> Frame {
    protocol::request(msgid, method.as_bytes(), &bytes(params), None)
}

fn answer(msgid: u64, result: &[u8]) -> Frame {
    protocol::response_ok(msgid, &bytes(result))
}

fn tell(method: &str, params: &[u8]) -> Frame {
    protocol::notification(method.as_bytes(), &bytes(params))
}

fn attempt(number: u64, method: &str, params: &[u8], timeout_ms: u64) -> Frame {
    let meta = WorkerMeta {
        timeout_ms,
        session: 1,
        user: "0".to_owned(),
        number: 1,
        job: None,
        so_far: None,
    };
    let write = |out: &mut Vec<u8>| meta.encode_into(out);
    protocol::request(number, method.as_bytes(), &bytes(params), Some(&write))
}

fn hello(token: &str) -> Frame {
    let method = |name: &str, replay, timeout_ms, doc: &str| MethodManifest {
        name: name.to_owned(),
        replay,
        timeout_ms,
        doc: doc.to_owned(),
        params: None,
    };
    let hello = WorkerHello {
        token: token.to_owned(),
        name: "shop".to_owned(),
        version: "1".to_owned(),
        concurrency: 1,
        methods: vec![
            method("shop.total", Replay::Always, None, "Adds up."),
            method("shop.order", Replay::UntilEffect, Some(5000), "Orders."),
        ],
    };
    protocol::request(0, b"worker.hello", &protocol::encode(&[hello]), None)
}

/// What `standin.hello` is answered, name by name.
fn greeting() -> Vec<u8> {
    let limits = Limits::default();
    let mut out = b"\x86\xa7session".to_vec();
    // A new one in each recording, and of no use to anybody.
    out.extend(protocol::encode("8d36f51b7c0a4e299f0be4d7c1a653e8"));
    out.extend(b"\xa7resumed\xc2\xa6server\xa7standin\xa7version");
    out.extend(protocol::encode(env!("CARGO_PKG_VERSION")));
    out.extend(b"\xa8protocol");
    out.extend(protocol::encode(&protocol::PROTOCOL_VERSION));
    out.extend(b"\xa6limits\x85\xb0message_size_max");
    out.extend(protocol::encode(&limits.message_size_max));
    out.extend(b"\xa9depth_max");
    out.extend(protocol::encode(&limits.depth_max));
    out.extend(b"\xacrequests_max\xcd\x04\x00\xb2unacknowledged_max\xcd\x04\x00");
    out.extend(b"\xa9linger_ms\xcd\xea\x60");
    out
}

fn expected(token: &str) -> Vec<(&'static str, Frame)> {
    let of = b"\x91\x81\xa2of\x92\x01\x02".as_slice();
    let hat = b"\x91\x81\xa4item\xa3hat".as_slice();
    let timeout = |out: &mut Vec<u8>| {
        let meta = protocol::Meta {
            timeout_ms: Some(5000),
            ..protocol::Meta::default()
        };
        out.extend(meta.encode());
    };
    let order = protocol::request(4, b"shop.order", &bytes(hat), Some(&timeout));
    let unknown = ErrorAnswer::new(
        ErrorCode::MethodNotFound,
        "There is no method \"shop.totale\" here. \"standin.methods\" lists what there is.",
    );
    let nothing = ErrorAnswer {
        number: 1001,
        message: "There is no ghost in the shop.".to_owned(),
        code: "shop.nothing".into(),
        outcome: Outcome::NotExecuted,
        retry_after_ms: None,
        data: None,
    };
    let question = [b"\x93\x02\xa7confirm", hat].concat();
    let yes = b"\xc3".as_slice();
    let progress = |number: u8| [&[0x92, number], &b"\x82\xa4done\x01\xa2of\x02"[..]].concat();
    vec![
        (FROM_WORKER, hello(token)),
        (TO_WORKER, answer(0, yes)),
        (
            FROM_CLIENT,
            ask(
                1,
                "standin.hello",
                b"\x91\x83\xa6client\xa4till\xa9callbacks\xc3\xa8progress\xc3",
            ),
        ),
        (TO_CLIENT, answer(1, &greeting())),
        (FROM_CLIENT, ask(2, "shop.total", of)),
        (TO_WORKER, attempt(1, "shop.total", of, 30_000)),
        (FROM_WORKER, answer(1, b"\x03")),
        (TO_CLIENT, answer(2, b"\x03")),
        (FROM_CLIENT, ask(3, "shop.totale", of)),
        (TO_CLIENT, protocol::response_error(3, &unknown.encode())),
        (FROM_CLIENT, order),
        (TO_WORKER, attempt(2, "shop.order", hat, 4999)),
        (FROM_WORKER, tell("request.progress", &progress(2))),
        (TO_CLIENT, tell("request.progress", &progress(4))),
        (FROM_WORKER, ask(1, "client.call", &question)),
        (TO_CLIENT, ask(1, "confirm", hat)),
        (FROM_CLIENT, answer(1, yes)),
        (TO_WORKER, answer(1, yes)),
        (FROM_WORKER, ask(2, "effect.begin", b"\x91\x02")),
        (TO_WORKER, answer(2, yes)),
        (FROM_WORKER, answer(2, b"\x81\xa5order\x11")),
        (TO_CLIENT, answer(4, b"\x81\xa5order\x11")),
        (FROM_WORKER, protocol::response_error(3, &nothing.encode())),
        (TO_CLIENT, protocol::response_error(5, &nothing.encode())),
        (TO_WORKER, tell("worker.drain", b"\x90")),
    ]
}

/// The token is a new one in each recording.
fn token(hello: &[u8]) -> String {
    let Ok(Message::Request(request)) = decode(hello) else {
        panic!("the transcript begins with a hello")
    };
    let items = value::array_items(&request.params).expect("an array");
    let hello: WorkerHello = protocol::decode_exact(&items[0]).expect("a hello");
    assert_eq!(hello.token.len(), 64, "as long as the service makes them");
    hello.token
}

#[test]
fn the_transcript_is_what_goes_over_the_wire() {
    let transcript = transcript();
    let token = token(&transcript.first().expect("there is a transcript").bytes);
    let expected = expected(&token);
    assert_eq!(transcript.len(), expected.len());
    for (place, (message, (from, frame))) in transcript.iter().zip(&expected).enumerate() {
        assert_eq!(message.name, *from, "message {place}");
        assert_eq!(written(frame), message.bytes, "message {place}");
        let length = check_against_rmpv(&message.bytes, Limits::default());
        assert_eq!(length, Some(message.bytes.len()), "message {place}");
    }
}
