//! Questions that a worker asks its client within one call, beside plain calls: both go through the service twice, so a
//! question should cost what a call costs. And what a batch of them saves.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Instant,
};

use standin_protocol::{self as protocol, Limits, Message, Splitter, value};
use standin_worker::{Bytes, Context, Failure, Method};

use crate::{compare::median, setup};

/// How often everything is measured: odd, for the median.
const ROUNDS: usize = 5;

/// Calls, and questions within one call.
const COUNT: u64 = 10_000;

/// Questions in a batch.
const BATCH: u64 = 1000;

/// What asks, and how it comes to the client.
const WAYS: [(&str, &str, bool); 3] = [
    ("one by one", "bench.ask", false),
    ("batches of 1000", "bench.ask_all", true),
    ("the same, plain client", "bench.ask_all", false),
];

/// Measures and prints.
pub(crate) fn table() {
    println!(
        "Questions of a worker to its client, 10 000 in one call, everything pinned to one core:"
    );
    setup::pinned(true);
    let standin = setup::start_standin(1, 1);
    let mut ratios = WAYS.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        let calls = Client::connect(&standin.endpoint, false).calls();
        println!("    plain calls             {calls:9.0}/s");
        for ((name, method, takes_batches), ratios) in WAYS.iter().zip(&mut ratios) {
            let asked = Client::connect(&standin.endpoint, *takes_batches).questions(method);
            println!("    {name:22}  {asked:9.0}/s");
            ratios.push(asked / calls);
        }
    }
    setup::pinned(false);
    for ((name, ..), ratios) in WAYS.iter().zip(&mut ratios) {
        let middle = median(ratios);
        println!(
            "    {name} to plain calls, median of {ROUNDS} rounds: {middle:.2} (from {:.2} to {:.2})",
            ratios[0],
            ratios[ROUNDS - 1],
        );
    }
}

struct Client {
    stream: UnixStream,
    splitter: Splitter,
    buffer: Vec<u8>,
}

impl Client {
    fn connect(endpoint: &Path, takes_batches: bool) -> Self {
        let mut client = Self {
            stream: UnixStream::connect(endpoint).expect("the service listens"),
            splitter: Splitter::new(Limits::default()),
            buffer: vec![0; 256 * 1024],
        };
        let says = [("callbacks", true), ("callback_batches", takes_batches)];
        let says = std::collections::BTreeMap::from(says);
        client.call(1, "standin.hello", &protocol::encode(&[says]));
        client
    }

    fn calls(mut self) -> f64 {
        let payload = protocol::encode(&[7_u64]);
        self.call(2, "bench.echo", &payload);
        let begin = Instant::now();
        for msgid in 3..3 + COUNT {
            self.call(msgid, "bench.echo", &payload);
        }
        COUNT as f64 / begin.elapsed().as_secs_f64()
    }

    fn questions(mut self, method: &str) -> f64 {
        self.call(2, method, &protocol::encode(&[BATCH]));
        let begin = Instant::now();
        let answered = self.call(3, method, &protocol::encode(&[COUNT]));
        assert_eq!(answered, COUNT, "each was asked and answered");
        COUNT as f64 / begin.elapsed().as_secs_f64()
    }

    /// Calls, and answers what it is asked until it has its own answer. How often that was.
    fn call(&mut self, msgid: u64, method: &str, params: &Bytes) -> u64 {
        self.send(&protocol::request(msgid, method.as_bytes(), params, None));
        let mut answered = 0;
        loop {
            while let Some(message) = self.splitter.next_message().expect("it is one") {
                match message {
                    Message::Response(response) => {
                        assert_eq!(response.msgid, msgid, "one call is open");
                        response.result.expect("it is answered");
                        return answered;
                    }
                    Message::Request(asked) if &asked.method[..] == b"client.batch" => {
                        let items = value::array_items(&asked.params).expect("a list");
                        answered += items.len() as u64;
                        let answers: Vec<_> = items.iter().map(|_| (None::<u8>, 7)).collect();
                        let answers = protocol::encode(&answers);
                        self.send(&protocol::response_ok(asked.msgid, &answers));
                    }
                    Message::Request(asked) => {
                        answered += 1;
                        let answer = protocol::encode(&7);
                        self.send(&protocol::response_ok(asked.msgid, &answer));
                    }
                    _ => {}
                }
            }
            let read = self.stream.read(&mut self.buffer).expect("it answers");
            assert_ne!(read, 0, "the service lives");
            self.splitter.push(&self.buffer[..read]);
        }
    }

    fn send(&mut self, frame: &protocol::Frame) {
        let bytes = frame.pieces().concat();
        self.stream.write_all(&bytes).expect("the service reads");
    }
}

/// The methods of the worker that ask, `[how often]`.
pub(crate) fn methods() -> [Method; 2] {
    [
        Method::raw("bench.ask", ask).doc("Asks one question after the other."),
        Method::raw("bench.ask_all", ask_all).doc("Asks in batches."),
    ]
}

fn count(params: &Bytes) -> u64 {
    let [count] = protocol::decode_exact(params).expect("one number");
    count
}

async fn ask(context: Context, params: Bytes) -> Result<Bytes, Failure> {
    for number in 0..count(&params) {
        let _: u64 = context.call_client("bench.more", &number).await?;
    }
    Ok(protocol::encode(&true))
}

async fn ask_all(context: Context, params: Bytes) -> Result<Bytes, Failure> {
    let calls: Vec<_> = (0..count(&params))
        .map(|number| ("bench.more", number))
        .collect();
    for answer in context.call_client_batch::<_, u64>(&calls).await {
        answer?;
    }
    Ok(protocol::encode(&true))
}
