//! The load: clients that write prepared bytes and count what comes back. The same for the floor and for Standin.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::{Duration, Instant},
};

use standin_protocol::{Limits, Splitter};

/// How a client presents itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It asks, and ends with its connection.
    Plain,
    /// It has said hello, and acknowledges with each request what it has read.
    Session,
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

/// `[0, msgid, "bench.echo", [payload]]` with a msgid of fixed width.
fn request(size: usize) -> Vec<u8> {
    let mut out = vec![0x94, 0x00, 0xce, 0, 0, 0, 1, 0xaa];
    out.extend_from_slice(b"bench.echo");
    out.extend_from_slice(&[0x91, 0xc6]);
    out.extend_from_slice(&(size as u32).to_be_bytes());
    out.resize(out.len() + size, 7);
    out
}

/// The same as part of a session: `[0, msgid, "bench.echo", [payload], {"ack": msgid}]`, the last number of fixed width,
/// too.
fn session_request(size: usize) -> Vec<u8> {
    let mut out = request(size);
    out[0] = 0x95;
    out.extend_from_slice(b"\x81\xa3ack\xce\x00\x00\x00\x00");
    out
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
        request(size).len()
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
            .map(|_| {
                let begun = &begun;
                scope.spawn(move || {
                    let mut client = Client::connect(endpoint, load, echoes_all);
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
    stream: UnixStream,
    load: Load,
    echoes_all: bool,
    request: Vec<u8>,
    burst: Vec<u8>,
    answer: Vec<u8>,
    last_msgid: u32,
}

impl Client {
    fn connect(endpoint: &Path, load: Load, echoes_all: bool) -> Self {
        let stream = UnixStream::connect(endpoint).expect("somebody listens");
        let (request, burst) = match load.manner {
            Manner::Plain => (request(load.size), Vec::new()),
            Manner::Session => (session_request(load.size), Vec::new()),
        };
        if load.manner == Manner::Session {
            say_hello(&stream);
        }
        Self {
            stream,
            load,
            echoes_all,
            request,
            burst,
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
        if self.load.manner == Manner::Session {
            let ack = self.request.len() - 4;
            self.request[ack..].copy_from_slice(&self.last_msgid.to_be_bytes());
        }
        for _ in 0..self.load.depth {
            self.last_msgid += 1;
            self.request[3..7].copy_from_slice(&self.last_msgid.to_be_bytes());
            self.burst.extend_from_slice(&self.request);
            wanted += answer_length(self.load.size, self.echoes_all, self.last_msgid);
        }
        let start = Instant::now();
        self.stream
            .write_all(&self.burst)
            .expect("the other side reads");
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
        start.elapsed()
    }
}

/// `[0, 1, "standin.hello", []]`, and its answer.
fn say_hello(mut stream: &UnixStream) {
    stream
        .write_all(b"\x94\x00\x01\xadstandin.hello\x90")
        .expect("the service reads");
    let mut splitter = Splitter::new(Limits::default());
    let mut buffer = [0; 4096];
    while splitter.next_message().expect("it is one").is_none() {
        let read = stream.read(&mut buffer).expect("the service answers");
        assert_ne!(read, 0, "the service answers");
        splitter.give(buffer[..read].into());
    }
}
