//! What stands beside a request.

use standin_protocol::{Meta, WorkerMeta};

use super::{
    Written::{self, Otherwise, So},
    bytes, check_all, check_written,
};
use crate::annotated::fixtures;

const TRACE: &[u8] = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn meta_means_what_its_bytes_say_and_is_written_the_same() {
    let nothing = Meta::default();
    let everything = Meta {
        key: Some(bytes(b"order-1")),
        timeout_ms: Some(1500),
        idempotent: true,
        again: true,
        ack: Some(9),
        trace: Some(bytes(TRACE)),
    };
    let key = |key: &[u8]| Meta {
        key: Some(bytes(key)),
        ..Meta::default()
    };
    let ack = |ack| Meta {
        ack: Some(ack),
        ..Meta::default()
    };
    let timeout = Meta {
        timeout_ms: Some(1500),
        ..nothing.clone()
    };
    let idempotent = Meta {
        idempotent: true,
        ..nothing.clone()
    };
    let again = Meta {
        again: true,
        ..nothing.clone()
    };
    let trace = |trace: &[u8]| Meta {
        trace: Some(bytes(trace)),
        ..Meta::default()
    };
    let as_bin = Meta {
        trace: Some(bytes(b"t")),
        ..key(b"order-1")
    };
    // The last entry is a worker's, which a caller's meta passes over, but for the time.
    let worker = Meta {
        timeout_ms: Some(30_000),
        ..nothing.clone()
    };
    let table: [(&str, (Meta, Written)); 13] = [
        ("nothing", (nothing.clone(), So)),
        ("key", (key(b"order-1"), So)),
        ("key_of_128_bytes", (key(&[b'k'; 128]), So)),
        ("timeout_ms", (timeout, So)),
        ("idempotent", (idempotent, So)),
        ("again", (again, So)),
        ("ack", (ack(u64::MAX), So)),
        ("trace", (trace(TRACE), So)),
        ("everything", (everything, So)),
        ("not_idempotent", (nothing, Otherwise)),
        ("texts_as_bin", (as_bin, Otherwise)),
        ("unknown_entry", (ack(1), Otherwise)),
        ("worker", (worker, Otherwise)),
    ];
    check_all("meta", &table, |name, fixture, (meta, how)| {
        assert_eq!(Meta::decode(fixture).as_ref(), Ok(meta), "{name}");
        check_written(name, &meta.encode(), fixture, *how);
        assert_eq!(meta.is_empty(), meta.encode() == b"\x80", "{name}");
    });
}

#[test]
fn what_a_worker_is_told_is_written_as_its_fixture() {
    let fixture = fixtures("meta").pop().expect("the last one is a worker's");
    let meta = WorkerMeta {
        timeout_ms: 30_000,
        session: 7,
        user: "1000".to_owned(),
        number: 2,
        job: None,
        so_far: None,
    };
    assert_eq!(WorkerMeta::decode(&fixture.bytes), Ok(meta.clone()));
    let mut out = Vec::new();
    meta.encode_into(&mut out);
    assert_eq!(out, fixture.bytes);
}

#[test]
fn a_wrong_entry_is_refused_by_its_name() {
    for fixture in fixtures("wrong_meta") {
        let entry = fixture.name.split('.').next().expect("a name is there");
        let why = Meta::decode(&fixture.bytes).expect_err(&fixture.name);
        assert!(why.contains(entry), "{}: {why}", fixture.name);
        assert!(why.ends_with('.'), "{}: {why}", fixture.name);
    }
}
