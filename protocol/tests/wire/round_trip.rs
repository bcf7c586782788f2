//! What the encoder writes, the reader gives back.

use bytes::Bytes;
use proptest::{collection::vec, option, prelude::*};
use standin_protocol::{
    self as protocol, ErrorAnswer, Frame, Limits, Message, Meta, MethodManifest, Outcome, Replay,
    WorkerHello, WorkerMeta,
};

use crate::{
    any,
    golden::written,
    reading::{read_in_pieces, write_again},
    second_opinion::check_against_rmpv,
};

fn meta() -> impl Strategy<Value = Meta> {
    let text = |longest| vec(any::<u8>(), 0..=longest).prop_map(Bytes::from);
    let parts = (
        option::of(vec(any::<u8>(), 1..=Meta::KEY_LENGTH_MAX).prop_map(Bytes::from)),
        option::of(1..u64::MAX),
        any::<bool>(),
        any::<bool>(),
        option::of(any::<u64>()),
        option::of(text(300)),
    );
    parts.prop_map(|(key, timeout_ms, idempotent, again, ack, trace)| Meta {
        key,
        timeout_ms,
        idempotent,
        again,
        ack,
        trace,
    })
}

fn error_answer() -> impl Strategy<Value = ErrorAnswer> {
    let outcome = prop::sample::select(vec![
        Outcome::NotExecuted,
        Outcome::Executed,
        Outcome::Unknown,
    ]);
    let parts = (
        any::<u32>(),
        ".{0,60}",
        ".{1,30}",
        outcome,
        option::of(any::<u64>()),
        option::of(any::value().prop_map(Bytes::from)),
    );
    parts.prop_map(
        |(number, message, code, outcome, retry_after_ms, data)| ErrorAnswer {
            number,
            message,
            code: code.into(),
            outcome,
            retry_after_ms,
            data,
        },
    )
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        (-1e300..1e300).prop_map(|number: f64| number.into()),
        ".{0,20}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::hash_map(".{0,8}", inner, 0..5)
                .prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

fn hello() -> impl Strategy<Value = WorkerHello> {
    let replay = prop::sample::select(vec![Replay::Always, Replay::UntilEffect, Replay::Never]);
    let method = (
        ".{0,40}",
        replay,
        option::of(any::<u64>()),
        ".{0,40}",
        option::of(json()),
    )
        .prop_map(|(name, replay, timeout_ms, doc, params)| MethodManifest {
            name,
            replay,
            timeout_ms,
            doc,
            // An absent schema and one that is null are the same.
            params: params.filter(|params| !params.is_null()),
        });
    let parts = (
        ".{0,64}",
        ".{0,20}",
        ".{0,10}",
        any::<u32>(),
        vec(method, 0..5),
    );
    parts.prop_map(|(token, name, version, concurrency, methods)| WorkerHello {
        token,
        name,
        version,
        concurrency,
        methods,
    })
}

proptest! {
    #[test]
    fn what_the_encoder_writes_the_reader_gives_back(
        sent in vec(any::message(), 1..6),
        pieces in any::pieces(),
    ) {
        let messages: Vec<Message> = sent.into_iter().map(|sent| sent.message).collect();
        let frames: Vec<Frame> = messages.iter().filter_map(write_again).collect();
        for frame in &frames {
            prop_assert_eq!(frame.len(), written(frame).len());
            prop_assert_eq!(check_against_rmpv(&written(frame), Limits::default()), Some(frame.len()));
        }
        let stream: Vec<u8> = frames.iter().flat_map(written).collect();
        let read = read_in_pieces(&stream, &pieces, Limits::default());
        prop_assert_eq!(read.messages, messages);
        prop_assert_eq!(read.end, Ok(()));
    }

    #[test]
    fn a_large_body_is_not_copied(length in 4097usize..100_000, msgid in any::<u64>()) {
        let body = Bytes::from(any::text(vec![1; length], 5));
        for frame in [
            protocol::request(msgid, b"x", &body, Some(&|out| out.push(0x80))),
            protocol::response_ok(msgid, &body),
            protocol::response_error(msgid, &body),
            protocol::notification(b"x", &body),
        ] {
            prop_assert!(frame.pieces().iter().any(|piece| piece.as_ptr() == body.as_ptr()));
        }
    }

    #[test]
    fn meta_comes_back(meta in meta()) {
        prop_assert_eq!(Meta::decode(&meta.encode().into()), Ok(meta));
    }

    #[test]
    fn what_a_worker_is_told_comes_back(
        timeout_ms in any::<u64>(),
        session in any::<u64>(),
        user in ".{0,40}",
        number in any::<u32>(),
        job in proptest::option::of("[0-9a-z-]{0,40}"),
        so_far in proptest::option::of(any::value()),
    ) {
        let so_far = so_far.filter(|_| job.is_some()).map(Bytes::from);
        let meta = WorkerMeta { timeout_ms, session, user, number, job, so_far };
        let mut out = Vec::new();
        meta.encode_into(&mut out);
        prop_assert_eq!(WorkerMeta::decode(&out), Ok(meta));
    }

    #[test]
    fn an_error_answer_comes_back_and_counts_as_full(answer in error_answer()) {
        let bytes = answer.encode();
        prop_assert!(ErrorAnswer::is_full(&bytes));
        prop_assert_eq!(ErrorAnswer::decode(&bytes), answer);
    }

    #[test]
    fn a_strange_error_place_becomes_a_full_answer_around_it(place in any::value()) {
        let place = Bytes::from(place);
        let answer = ErrorAnswer::decode(&place);
        let again = answer.encode();
        prop_assert!(ErrorAnswer::is_full(&again));
        prop_assert_eq!(ErrorAnswer::decode(&again), answer);
        let message = written(&protocol::response_error(1, &again));
        prop_assert_eq!(check_against_rmpv(&message, Limits::default()), Some(message.len()));
    }

    #[test]
    fn a_hello_comes_back(hello in hello()) {
        let read: WorkerHello = protocol::decode_exact(&protocol::encode(&hello)).expect("it was just written");
        prop_assert_eq!(read, hello);
    }
}
