//! A worker that misbehaves on command, and writes down what it really does.
//!
//! It speaks the wire by hand, with nothing of Standin's own encoders, so that a wrong type there cannot hide behind
//! itself. Requests are `[{id, nonce, work_ms, after_ms, misbehave}]`: what it works before and after its effect, and
//! what it does wrong, which with `_first` behind it only a first attempt does.

use std::{
    collections::VecDeque,
    io::{Read, Write},
    path::Path,
    process::ExitCode,
};

use rmpv::{Value, decode::read_value, encode::write_value};

use crate::{
    clock,
    ledger::{Ledger, Step},
    platform::{self, Stream},
};

/// The variable that names the ledger.
pub const LEDGER_VARIABLE: &str = "CHAOS_LEDGER";

/// The variable that tells a worker to misbehave from its start.
pub const START_VARIABLE: &str = "CHAOS_START";

struct Worker {
    stream: Stream,
    unread: Vec<u8>,
    waiting: VecDeque<Value>,
    ledger: Ledger,
    last_msgid: u64,
    /// Memory that it was told to take and never gives back.
    hoard: Vec<Vec<u8>>,
}

/// How much memory it takes when it is told to.
const HOARD_SIZE: usize = 256 << 20;

/// Ways to end in the middle of a call.
pub const ENDS: [&str; 3] = ["exit_0", "exit_1", "abort"];

/// Ways to break the protocol.
pub const BREAKS_THE_PROTOCOL: [&str; 3] = ["garbage", "giant", "half_message"];

/// Ways to go and leave something behind.
pub const LEAVES_OTHERS_BEHIND: [&str; 3] = ["grandchild", "escaped_grandchild", "close_pipe"];

/// Ways to be odd and do no harm.
pub const IS_ODD: [&str; 4] = ["unknown_attempt", "flood", "byte_by_byte", "answer_twice"];

/// What a worker leaves behind where there is no `sleep`.
pub fn linger() -> ExitCode {
    clock::pause(300_000);
    ExitCode::SUCCESS
}

/// Serves until the pipe ends.
pub fn run() -> ExitCode {
    let variable = |name: &str| std::env::var(name).expect("the service gives it");
    let is_broken = || {
        let ledger = variable(LEDGER_VARIABLE);
        Path::new(&ledger).with_extension("broken").exists()
    };
    match std::env::var(START_VARIABLE).as_deref() {
        Ok("exit_before_hello") => {
            println!("the licence file is missing");
            return ExitCode::from(3);
        }
        Ok("never_hello") => {
            println!("still thinking");
            clock::pause(600_000);
        }
        Ok("slow_start") => clock::pause(300),
        Ok("exit_if_broken") if is_broken() => {
            println!("the update is broken");
            return ExitCode::from(3);
        }
        Ok("hang_if_broken") if is_broken() => clock::pause(600_000),
        // The first one of all leaves a mark and goes.
        Ok("exit_first") if std::fs::create_dir(variable(LEDGER_VARIABLE) + ".mark").is_ok() => {
            println!("not today");
            return ExitCode::from(3);
        }
        _ => {}
    }
    let endpoint = variable("STANDIN_WORKER_ENDPOINT");
    let stream = platform::connect(Path::new(&endpoint)).expect("the service listens");
    let ledger = Ledger::open(Path::new(&variable(LEDGER_VARIABLE)));
    let mut worker = Worker {
        stream,
        unread: Vec::new(),
        waiting: VecDeque::new(),
        ledger,
        last_msgid: 0,
        hoard: Vec::new(),
    };
    let start = std::env::var(START_VARIABLE).unwrap_or_default();
    worker.hello(&variable("STANDIN_WORKER_TOKEN"), &start);
    while let Some(message) = worker.next() {
        worker.handle(&message);
    }
    ExitCode::SUCCESS
}

fn map(entries: Vec<(&str, Value)>) -> Value {
    Value::Map(
        entries
            .into_iter()
            .map(|(key, value)| (key.into(), value))
            .collect(),
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "ending at once is the misbehaviour"
)]
fn end(code: i32) -> ! {
    std::process::exit(code)
}

/// Megabytes on both streams: one endless line, and many short ones.
fn torrent() {
    let mut stdout = std::io::stdout().lock();
    let line = vec![b'x'; 64 * 1024];
    (0..64).for_each(|_| stdout.write_all(&line).expect("somebody reads it"));
    stdout.write_all(b"\n").expect("somebody reads it");
    let mut stderr = std::io::stderr().lock();
    let lines = b"ever more\n".repeat(6000);
    (0..64).for_each(|_| stderr.write_all(&lines).expect("somebody reads it"));
}

fn field<'a>(map: &'a Value, name: &str) -> Option<&'a Value> {
    map.as_map()?
        .iter()
        .find(|(key, _)| key.as_str() == Some(name))
        .map(|(_, value)| value)
}

impl Worker {
    fn send(&mut self, value: &Value) {
        let mut bytes = Vec::new();
        write_value(&mut bytes, value).expect("a Vec takes every byte");
        self.send_bytes(&bytes);
    }

    fn send_bytes(&mut self, bytes: &[u8]) {
        if self.stream.write_all(bytes).is_err() {
            // The service is gone.
            std::process::abort();
        }
    }

    fn next(&mut self) -> Option<Value> {
        if let Some(message) = self.waiting.pop_front() {
            return Some(message);
        }
        self.read()
    }

    fn read(&mut self) -> Option<Value> {
        let mut buffer = [0; 4096];
        loop {
            let mut rest = self.unread.as_slice();
            if let Ok(message) = read_value(&mut rest) {
                let used = self.unread.len() - rest.len();
                self.unread.drain(..used);
                return Some(message);
            }
            match self.stream.read(&mut buffer) {
                Ok(0) | Err(_) => return None,
                Ok(read) => self.unread.extend_from_slice(&buffer[..read]),
            }
        }
    }

    /// Asks the service; what else comes meanwhile is kept.
    fn ask(&mut self, method: &str, params: Vec<Value>) -> Option<Value> {
        self.last_msgid += 1;
        let msgid = self.last_msgid;
        self.send(&Value::Array(vec![
            0.into(),
            msgid.into(),
            method.into(),
            Value::Array(params),
        ]));
        loop {
            let message = self.read()?;
            if message[0].as_u64() == Some(1) && message[1].as_u64() == Some(msgid) {
                return Some(message[3].clone());
            }
            self.waiting.push_back(message);
        }
    }

    fn hello(&mut self, token: &str, start: &str) {
        let token = match start {
            "wrong_token" => "guessed",
            _ => token,
        };
        let first = match start {
            "reserved_name" => "standin.always",
            _ => "chaos.always",
        };
        let method = |name: &str, replay: &str| {
            map(vec![
                ("name", name.into()),
                ("replay", replay.into()),
                ("doc", "For the chaos suite.".into()),
            ])
        };
        let methods = Value::Array(vec![
            method(first, "always"),
            method("chaos.until_effect", "until_effect"),
            method("chaos.never", "never"),
        ]);
        let hello = map(vec![
            ("token", token.into()),
            ("name", "hostile".into()),
            ("version", "1".into()),
            ("concurrency", 1.into()),
            ("methods", methods),
        ]);
        let first_word = match start {
            "rude" => "worker.goodbye",
            _ => "worker.hello",
        };
        let answered = self.ask(first_word, vec![hello]);
        assert!(answered.is_some(), "the service takes the hello");
    }

    fn handle(&mut self, message: &Value) {
        if message[0].as_u64() == Some(2) && message[1].as_str() == Some("worker.drain") {
            // Nothing is running: one request at a time.
            platform::close(&mut self.stream);
            return;
        }
        if message[0].as_u64() != Some(0) {
            return;
        }
        let attempt = message[1].as_u64().expect("an attempt is a number");
        let method = message[2].as_str().expect("a method is a text").to_owned();
        let arguments = message[3][0].clone();
        let number = |name: &str| field(&arguments, name).and_then(Value::as_u64).unwrap_or(0);
        let misbehave = field(&arguments, "misbehave")
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned();
        let (id, nonce) = (number("id"), number("nonce"));
        self.ledger.note(id, attempt, Step::Begun);
        let is_first = message
            .as_array()
            .and_then(|message| field(message.get(4)?, "number")?.as_u64())
            == Some(1);
        // What only a first attempt does is done by no other.
        let misbehave = match misbehave.strip_suffix("_first") {
            Some(misbehave) if is_first => misbehave.to_owned(),
            Some(_) => String::new(),
            None => misbehave,
        };
        self.misbehave_before(&misbehave, attempt);
        clock::pause(number("work_ms"));
        if method == "chaos.until_effect" && misbehave != "no_effect" {
            let granted = self.ask("effect.begin", vec![attempt.into()]);
            if granted.is_none_or(|granted| granted != Value::Boolean(true)) {
                let data = map(vec![
                    ("code", "cancelled".into()),
                    ("outcome", "not_executed".into()),
                ]);
                let error = Value::Array(vec![8.into(), "It was not to be.".into(), data]);
                return self.send(&Value::Array(vec![
                    1.into(),
                    attempt.into(),
                    error,
                    Value::Nil,
                ]));
            }
            if misbehave == "die_after_grant" {
                std::process::abort();
            }
            self.ledger.note(id, attempt, Step::Effect);
            clock::pause(number("after_ms"));
        }
        if misbehave == "die_before_answer" {
            std::process::abort();
        }
        self.ledger.note(id, attempt, Step::Answering);
        self.answer(&misbehave, attempt, nonce);
    }

    fn misbehave_before(&mut self, misbehave: &str, attempt: u64) {
        match misbehave {
            "exit_0" => end(0),
            "exit_1" => {
                println!("I have had enough");
                end(1);
            }
            "abort" => std::process::abort(),
            "freeze" => clock::pause(600_000),
            "garbage" => self.send_bytes(&[0xc1; 64]),
            "giant" => self.send_bytes(&[0x94, 0x01, 0x01, 0xc0, 0xdb, 0xff, 0xff, 0xff, 0xff]),
            "half_message" => {
                self.send_bytes(&[0x94, 0x01]);
                std::process::abort();
            }
            "unknown_attempt" => {
                let strange = Value::Array(vec![
                    1.into(),
                    (attempt + 1_000_000).into(),
                    Value::Nil,
                    1.into(),
                ]);
                self.send(&strange);
            }
            "flood" => (0..5000).for_each(|line| println!("line {line}")),
            "speak" => {
                println!("spoken on stdout");
                eprintln!("spoken on stderr");
            }
            "torrent" => torrent(),
            "babble" => {
                let told = Value::Array(vec![
                    2.into(),
                    "request.progress".into(),
                    Value::Array(vec![attempt.into(), map(vec![("percent", 50.into())])]),
                ]);
                let mut bytes = Vec::new();
                write_value(&mut bytes, &told).expect("a Vec takes every byte");
                let many = bytes.repeat(2000);
                (0..400).for_each(|_| self.send_bytes(&many));
            }
            "hoard" => self.hoard.push(vec![7; HOARD_SIZE]),
            "close_pipe" => {
                platform::close(&mut self.stream);
                clock::pause(600_000);
            }
            "grandchild" => {
                platform::leave_a_child_behind();
                std::process::abort();
            }
            "escaped_grandchild" => {
                platform::leave_an_escaped_child_behind();
                std::process::abort();
            }
            _ => {}
        }
    }

    fn answer(&mut self, misbehave: &str, attempt: u64, nonce: u64) {
        let answer = Value::Array(vec![1.into(), attempt.into(), Value::Nil, nonce.into()]);
        let mut bytes = Vec::new();
        write_value(&mut bytes, &answer).expect("a Vec takes every byte");
        match misbehave {
            "byte_by_byte" => bytes.iter().for_each(|byte| self.send_bytes(&[*byte])),
            "answer_twice" => {
                self.send_bytes(&bytes);
                self.send_bytes(&bytes);
            }
            _ => self.send_bytes(&bytes),
        }
    }
}
