//! The worker's side: hello, attempts, effects, callbacks.

use bytes::Bytes;
use standin_protocol::{
    self as protocol, ErrorAnswer, Frame, Limits, MethodManifest, Outcome, Replay, Request,
    Splitter, WorkerHello, WorkerMeta, value,
};

use super::{Written, bytes, check_all, check_written, decode, written};

fn ask(msgid: u64, method: &str, params: &[u8]) -> Frame {
    protocol::request(msgid, method.as_bytes(), &bytes(params), None)
}

fn attempt() -> Frame {
    let meta = WorkerMeta {
        timeout_ms: 30_000,
        session: 7,
        user: "1000".to_owned(),
        number: 1,
        job: None,
        so_far: None,
    };
    let write = |out: &mut Vec<u8>| meta.encode_into(out);
    let params = bytes(b"\x91\x81\xa2id\x11");
    protocol::request(900, b"report.print", &params, Some(&write))
}

fn hello() -> WorkerHello {
    let method = |name: &str, replay, doc: &str| MethodManifest {
        name: name.to_owned(),
        replay,
        doc: doc.to_owned(),
        ..MethodManifest::default()
    };
    WorkerHello {
        token: "5e1f".to_owned(),
        name: "reports".to_owned(),
        version: "1.2".to_owned(),
        concurrency: 8,
        methods: vec![
            MethodManifest {
                timeout_ms: Some(60_000),
                params: Some(serde_json::json!({"type": "object", "required": ["id"]})),
                ..method("report.print", Replay::UntilEffect, "Prints a report.")
            },
            method("report.list", Replay::Always, "Lists them."),
            method("report.burn", Replay::Never, ""),
        ],
    }
}

fn smallest() -> WorkerHello {
    WorkerHello {
        token: "5e1f".to_owned(),
        name: "tiny".to_owned(),
        version: String::new(),
        concurrency: 1,
        methods: vec![MethodManifest {
            name: "tiny.now".to_owned(),
            ..MethodManifest::default()
        }],
    }
}

fn error() -> Bytes {
    let answer = ErrorAnswer {
        number: 1001,
        message: "The printer is out of paper.".to_owned(),
        code: "report.paper".into(),
        outcome: Outcome::NotExecuted,
        retry_after_ms: Some(60_000),
        data: Some(bytes(b"\x81\xa4tray\x02")),
    };
    answer.encode()
}

#[test]
fn what_goes_between_service_and_worker_is_written_as_its_fixture() {
    let said = |hello: &WorkerHello| {
        let params = protocol::encode(&[hello]);
        protocol::request(0, b"worker.hello", &params, None)
    };
    let (yes, no) = (bytes(b"\xc3"), bytes(b"\xc2"));
    let question = b"\x91\x81\xa2of\x92\xa1a\xa1b".as_slice();
    let callback = [b"\x93\xcd\x03\x84\xa6choose", question].concat();
    let table = [
        ("hello", Some(said(&hello()))),
        // What may be left out is left out by others only.
        ("hello_smallest", None),
        ("hello_answer", Some(protocol::response_ok(0, &yes))),
        ("attempt", Some(attempt())),
        (
            "result",
            Some(protocol::response_ok(900, &bytes(b"\x81\xa5pages\x03"))),
        ),
        ("error", Some(protocol::response_error(900, &error()))),
        (
            "effect_begin",
            Some(ask(1, "effect.begin", b"\x91\xcd\x03\x84")),
        ),
        ("effect_granted", Some(protocol::response_ok(1, &yes))),
        ("effect_refused", Some(protocol::response_ok(1, &no))),
        ("client_call", Some(ask(2, "client.call", &callback))),
        ("callback", Some(ask(1, "choose", question))),
        (
            "callback_answer",
            Some(protocol::response_ok(1, &bytes(b"\xa1b"))),
        ),
        (
            "client_call_answer",
            Some(protocol::response_ok(2, &bytes(b"\xa1b"))),
        ),
    ];
    check_all("worker", &table, |name, fixture, frame| {
        decode(fixture).unwrap_or_else(|error| panic!("{name}: {error}"));
        if let Some(frame) = frame {
            check_written(name, &written(frame), fixture, Written::So);
        }
    });
}

#[test]
fn a_hello_is_understood_with_all_that_may_be_said_and_with_the_least() {
    for (name, meaning) in [("hello", hello()), ("hello_smallest", smallest())] {
        let params = request(name).params;
        let items = value::array_items(&params).expect("an array");
        let [one] = items.as_slice() else {
            panic!("one argument")
        };
        let read: WorkerHello = protocol::decode_exact(one).expect(name);
        assert_eq!(read, meaning);
    }
}

#[test]
fn an_attempt_brings_its_time_its_session_its_user_and_its_number() {
    let meta = request("attempt").meta.expect("a worker gets meta");
    let meta = WorkerMeta::decode(&meta).expect("the service wrote it");
    assert_eq!(
        (
            meta.timeout_ms,
            meta.session,
            meta.user.as_str(),
            meta.number
        ),
        (30_000, 7, "1000", 1)
    );
}

fn request(name: &str) -> Request {
    let fixtures = crate::annotated::fixtures("worker");
    let fixture = fixtures.iter().find(|fixture| fixture.name == name);
    let mut splitter = Splitter::new(Limits::default());
    splitter.push(&fixture.expect("there is such a fixture").bytes);
    match splitter.next_message() {
        Ok(Some(protocol::Message::Request(request))) => request,
        other => panic!("{name}: {other:?}"),
    }
}
