//! What the C library costs beside the Rust client it stands on: one small call, as a 4GL makes it, and a hundred of them
//! one by one and in one batch.

use std::{
    collections::BTreeMap,
    ffi::CStr,
    time::{Duration, Instant},
};

use standin_client::{Endpoint, blocking::Client};
use standin_surface::exports::{
    build::{standin_batch_add, standin_batch_new, standin_call_new, standin_set_text},
    clients::{standin_close, standin_open},
    read::standin_get_text,
    run::standin_send,
};

use crate::setup;

/// They take turns so often, and the median counts.
const TURNS: usize = 7;
const CALLS: usize = 3_000;
const BATCH: usize = 100;
const ROUNDS: usize = 40;
const LIMIT: Duration = Duration::from_secs(30);
const LIMIT_MS: i64 = 30_000;
const TEXT: &str = "thirty-two bytes of plain text..";
const C_TEXT: &CStr = c"thirty-two bytes of plain text..";

pub(crate) fn table() {
    println!("The C library beside the Rust client, everything pinned to one core:");
    setup::pinned(true);
    let standin = setup::start_standin(1, 1);
    let endpoint = standin.endpoint.to_str().expect("a plain name");
    let rust = Client::connect(
        &Endpoint::parse(endpoint).expect("it is one"),
        Duration::from_secs(20),
    );
    let rust = rust.expect("the service is there");
    let c = open(endpoint);
    // A call of the C library always has a time of its own; one of the Rust client only if it is given one.
    beside("one call with a limit", "Rust", "C", || {
        (
            median(CALLS, || rust_call(&rust, Some(LIMIT))),
            median(CALLS, || c_call(c)),
        )
    });
    beside("one call", "Rust without a limit", "C", || {
        (
            median(CALLS, || rust_call(&rust, None)),
            median(CALLS, || c_call(c)),
        )
    });
    beside("100 calls by C", "one by one", "in a batch", || {
        (
            median(ROUNDS, || {
                for _ in 0..BATCH {
                    c_call(c);
                }
            }),
            median(ROUNDS, || batch(c)),
        )
    });
    close(c);
    setup::pinned(false);
}

/// Prints both, and the median of their ratios.
fn beside(what: &str, first: &str, second: &str, turn: impl Fn() -> (Duration, Duration)) {
    turn();
    let mut turns: Vec<(Duration, Duration)> = (0..TURNS).map(|_| turn()).collect();
    turns.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    let middle = turns[TURNS / 2];
    println!(
        "  {what}: {first} {:.1} us, {second} {:.1} us, ratio {:.2} ({:.2} to {:.2})",
        microseconds(middle.0),
        microseconds(middle.1),
        ratio(&middle),
        ratio(&turns[0]),
        ratio(&turns[TURNS - 1]),
    );
}

fn ratio((first, second): &(Duration, Duration)) -> f64 {
    second.as_secs_f64() / first.as_secs_f64()
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn median(times: usize, mut act: impl FnMut()) -> Duration {
    let mut taken: Vec<Duration> = (0..times)
        .map(|_| {
            let start = Instant::now();
            act();
            start.elapsed()
        })
        .collect();
    taken.sort();
    taken[times / 2]
}

fn rust_call(client: &Client, limit: Option<Duration>) {
    let arguments = BTreeMap::from([("text", TEXT)]);
    let mut call = client.request("bench.echo").arguments(&arguments);
    if let Some(limit) = limit {
        call = call.timeout(limit);
    }
    let answer = client.send::<BTreeMap<String, String>>(call);
    assert_eq!(answer.expect("it is answered")["text"], TEXT);
}

fn c_call(client: i64) {
    let call = built(client);
    send(call);
    read(call);
    close(call);
}

fn open(endpoint: &str) -> i64 {
    let (endpoint, mut client) = (std::ffi::CString::new(endpoint).expect("no NUL"), 0);
    // SAFETY: the texts end with a NUL, and the handle has a place.
    let code = unsafe {
        standin_open(
            endpoint.as_ptr(),
            c"UTF-8".as_ptr(),
            LIMIT_MS,
            &raw mut client,
        )
    };
    assert_eq!(code, 0);
    client
}

fn built(client: i64) -> i64 {
    let mut call = 0;
    // SAFETY: the texts end with a NUL, and the handle has a place.
    let codes = unsafe {
        (
            standin_call_new(client, c"bench.echo".as_ptr(), &raw mut call),
            standin_set_text(call, c"text".as_ptr(), C_TEXT.as_ptr()),
        )
    };
    assert_eq!(codes, (0, 0));
    call
}

fn send(call: i64) {
    assert_eq!(standin_send(call, LIMIT_MS), 0);
}

fn read(call: i64) {
    let (mut buffer, mut needed) = ([0_u8; 64], 0);
    // SAFETY: the text ends with a NUL, and the buffer is as large as is said.
    let code = unsafe {
        standin_get_text(
            call,
            c"text".as_ptr(),
            buffer.as_mut_ptr().cast(),
            64,
            &raw mut needed,
        )
    };
    assert_eq!((code, needed), (0, 32));
    assert_eq!(&buffer[..32], TEXT.as_bytes());
}

fn close(handle: i64) {
    assert_eq!(standin_close(handle), 0);
}

fn batch(client: i64) {
    let mut batch = 0;
    // SAFETY: the handle has a place.
    assert_eq!(unsafe { standin_batch_new(client, &raw mut batch) }, 0);
    let calls: Vec<i64> = (0..BATCH).map(|_| built(client)).collect();
    for call in &calls {
        assert_eq!(standin_batch_add(batch, *call), 0);
    }
    send(batch);
    for call in calls {
        read(call);
        close(call);
    }
    close(batch);
}
