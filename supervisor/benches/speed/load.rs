//! The load: clients that write prepared bytes and count what comes back. The same for the floor and for Standin.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::{Duration, Instant},
};

use standin_protocol::{ErrorAnswer, Limits, Message, Splitter};

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a client asks, and how it presents itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It calls `bench.echo`, and ends with its connection.
    Plain,
    /// It has said hello, calls this method, and acknowledges with each request what it has read.
    Session(&'static str),
    /// It calls this method, each time with a key of its own.
    Keyed(&'static str),
    /// It submits jobs that call `bench.echo`, each with a key of its own.
    Submits { at_once: bool },
}

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Connections, each with a thread.
    pub(crate) clients: usize,
    /// Requests that a client has on their way at a time.
    pub(crate) depth: usize,
    /// Bytes of payload.
    pub(crate) size: usize,
    /// Requests of each client.
    pub(crate) calls: usize,
    /// How they present themselves.
    pub(crate) manner: Manner,
}

/// What came out.
#[derive(Debug)]
pub(crate) struct Outcome {
    round_trips: Vec<Duration>,
    /// Calls of all clients together.
    pub(crate) per_second: f64,
}

impl Outcome {
    fn percentile_us(&self, part: f64) -> f64 {
        let index = (self.round_trips.len() as f64 * part) as usize;
        self.round_trips[index.min(self.round_trips.len() - 1)].as_secs_f64() * 1e6
    }

    /// The median round trip of `depth` requests, in microseconds.
    pub(crate) fn p50_us(&self) -> f64 {
        self.percentile_us(0.5)
    }

    /// The 99th percentile, in microseconds.
    pub(crate) fn p99_us(&self) -> f64 {
        self.percentile_us(0.99)
    }
}

/// Beyond the life of any benchmark, in milliseconds since 1970.
const LATER: u64 = 1 << 45;

/// Digits of a key.
const KEY: usize = 16;

/// `[0, msgid, method, [payload]]` with a msgid of fixed width.
fn request(method: &str, size: usize) -> Vec<u8> {
    let mut out = vec![0x94, 0x00, 0xce, 0, 0, 0, 1];
    put_text(&mut out, method);
    put_params(&mut out, size);
    out
}

/// The same in its manner. What is new in each request stands at its end: `{"ack": msgid}` of fixed width, or a key.
fn request_in(manner: Manner, size: usize) -> Vec<u8> {
    match manner {
        Manner::Plain => request("bench.echo", size),
        Manner::Session(method) => {
            let mut out = request(method, size);
            out[0] = 0x95;
            out.extend_from_slice(b"\x81\xa3ack\xce\x00\x00\x00\x00");
            out
        }
        Manner::Keyed(method) => {
            let mut out = request(method, size);
            out[0] = 0x95;
            out.push(0x81);
            put_key(&mut out);
            out
        }
        Manner::Submits { at_once } => {
            let mut out = vec![0x94, 0x00, 0xce, 0, 0, 0, 1];
            put_text(&mut out, "job.submit");
            out.extend_from_slice(&[0x91, if at_once { 0x83 } else { 0x84 }]);
            put_text(&mut out, "method");
            put_text(&mut out, "bench.echo");
            put_text(&mut out, "params");
            put_params(&mut out, size);
            if !at_once {
                put_text(&mut out, "run_at");
                out.push(0xcf);
                out.extend_from_slice(&LATER.to_be_bytes());
            }
            put_key(&mut out);
            out
        }
    }
}

/// A text of less than 32 bytes.
fn put_text(out: &mut Vec<u8>, text: &str) {
    out.push(0xa0 | text.len() as u8);
    out.extend_from_slice(text.as_bytes());
}

/// `[payload]`.
fn put_params(out: &mut Vec<u8>, size: usize) {
    out.extend_from_slice(&[0x91, 0xc6]);
    out.extend_from_slice(&(size as u32).to_be_bytes());
    out.resize(out.len() + size, 7);
}

/// The word `key` and room for one.
fn put_key(out: &mut Vec<u8>) {
    put_text(out, "key");
    put_text(out, &"0".repeat(KEY));
}

/// Keys come in no order, as names that programs make up do.
fn key(client: usize, number: u32) -> String {
    // The mixing of splitmix64.
    let mut x = ((client as u64) << 32 | u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    format!("{:0KEY$x}", x ^ (x >> 31))
}

/// Standin answers `[1, msgid, nil, result]`: the request without method and params head, and with a nil; a small
/// msgid takes one byte.
fn answer_length(size: usize, echoes_all: bool, msgid: u32) -> usize {
    let id = match msgid {
        0..=0x7f => 1,
        0x80..=0xff => 2,
        0x100..=0xffff => 3,
        _ => 5,
    };
    if echoes_all {
        request("bench.echo", size).len()
    } else {
        1 + 1 + id + 1 + 5 + size
    }
}

/// Runs the load against a socket. `echoes_all`: the other side gives back every byte, as a raw relay does.
pub(crate) fn run(endpoint: &Path, load: Load, echoes_all: bool) -> Outcome {
    let warm_up = (load.calls / 10).max(load.depth * 4);
    let begun = std::sync::Barrier::new(load.clients + 1);
    let (mut round_trips, elapsed) = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..load.clients)
            .map(|number| {
                let begun = &begun;
                scope.spawn(move || {
                    let mut client = Client::connect(endpoint, load, echoes_all, number);
                    client.run(warm_up);
                    begun.wait();
                    client.run(load.calls)
                })
            })
            .collect();
        begun.wait();
        let start = Instant::now();
        let times: Vec<Duration> = threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("a client failed"))
            .collect();
        (times, start.elapsed())
    });
    let calls = round_trips.len() * load.depth;
    round_trips.sort_unstable();
    Outcome {
        round_trips,
        per_second: calls as f64 / elapsed.as_secs_f64(),
    }
}

struct Client {
    number: usize,
    stream: UnixStream,
    load: Load,
    echoes_all: bool,
    request: Vec<u8>,
    burst: Vec<u8>,
    answer: Vec<u8>,
    last_msgid: u32,
}

impl Client {
    fn connect(endpoint: &Path, load: Load, echoes_all: bool, number: usize) -> Self {
        let stream = UnixStream::connect(endpoint).expect("somebody listens");
        // An answer of another length than is counted on would be waited for without end.
        let patience = stream.set_read_timeout(Some(PATIENCE));
        patience.expect("a socket may have one");
        if matches!(load.manner, Manner::Session(_)) {
            say_hello(&stream);
        }
        Self {
            number,
            stream,
            load,
            echoes_all,
            request: request_in(load.manner, load.size),
            burst: Vec::new(),
            answer: vec![0; 256 * 1024],
            last_msgid: 0x1_0000,
        }
    }

    fn run(&mut self, calls: usize) -> Vec<Duration> {
        (0..calls / self.load.depth)
            .map(|_| self.round_trip())
            .collect()
    }

    fn round_trip(&mut self) -> Duration {
        self.burst.clear();
        let mut wanted = 0;
        if let Manner::Session(_) = self.load.manner {
            let ack = self.request.len() - 4;
            self.request[ack..].copy_from_slice(&self.last_msgid.to_be_bytes());
        }
        for _ in 0..self.load.depth {
            self.last_msgid += 1;
            self.request[3..7].copy_from_slice(&self.last_msgid.to_be_bytes());
            if let Manner::Keyed(_) | Manner::Submits { .. } = self.load.manner {
                let place = self.request.len() - KEY;
                let key = key(self.number, self.last_msgid);
                self.request[place..].copy_from_slice(key.as_bytes());
            }
            self.burst.extend_from_slice(&self.request);
            wanted += answer_length(self.load.size, self.echoes_all, self.last_msgid);
        }
        let start = Instant::now();
        self.stream
            .write_all(&self.burst)
            .expect("the other side reads");
        match self.load.manner {
            Manner::Plain | Manner::Session(_) => self.read_bytes(wanted),
            Manner::Keyed(_) | Manner::Submits { .. } => self.read_answers(),
        }
        start.elapsed()
    }

    /// Answers of known length, which costs least.
    fn read_bytes(&mut self, mut wanted: usize) {
        while wanted > 0 {
            let read = self
                .stream
                .read(&mut self.answer)
                .expect("the other side answers");
            assert!(
                read > 0 && read <= wanted,
                "{read} bytes came, {wanted} were wanted"
            );
            if !self.echoes_all {
                assert_ne!(self.answer[0], 0xc0, "an answer begins like one");
            }
            wanted -= read;
        }
    }

    fn read_answers(&mut self) {
        for _ in 0..self.load.depth {
            let answer = read_message(&self.stream);
            let Message::Response(answer) = answer else {
                panic!("an answer was awaited: {answer:?}");
            };
            if let Err(error) = answer.result {
                panic!("{}", ErrorAnswer::decode(&error));
            }
        }
    }
}

/// One message, of a stream that sends no second one before it is asked.
fn read_message(mut stream: &UnixStream) -> Message {
    let mut splitter = Splitter::new(Limits::default());
    let mut buffer = [0; 4096];
    loop {
        if let Some(message) = splitter.next_message().expect("it is one") {
            return message;
        }
        let read = stream.read(&mut buffer).expect("the service answers");
        assert_ne!(read, 0, "the service answers");
        splitter.push(&buffer[..read]);
    }
}

/// `[0, 1, "standin.hello", []]`, and its answer.
fn say_hello(mut stream: &UnixStream) {
    stream
        .write_all(b"\x94\x00\x01\xadstandin.hello\x90")
        .expect("the service reads");
    read_message(stream);
}
