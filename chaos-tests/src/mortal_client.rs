//! A client that is made to be killed: it writes its messages in pieces, so that a kill often leaves half of one, and keeps
//! a journal of what it has sent and heard, from which the next one goes on.
//!
//! Its calls are numbered, and what a number asks for is always the same. The session's token is in the journal too, so
//! that several of these processes are one client, one after the other or all at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use rmpv::{Value, encode::write_value};
use standin_client::Endpoint;

use crate::{
    clock,
    raw_client::{RawClient, map, token, work},
};

/// The exit code of one whose session was taken over by another.
pub const MOVED: u8 = 3;

/// Calls that are open at a time.
const OPEN_MAX: usize = 4;

/// The number of its hello, which is no call's.
const HELLO: u64 = 1_000_000;

/// How long half of a message is all that there is.
const HALF_MS: u64 = 2;

/// What has been written down.
#[derive(Debug, Default)]
pub struct Journal {
    pub token: Option<String>,
    /// Calls of which half was written, as often as that was begun.
    pub halves: u64,
    /// Which ones these were. It is written down before the other half is sent, so no other call can be answered.
    asked: BTreeSet<u64>,
    /// Calls that were written, as often as they were.
    pub sent: u64,
    /// What each call was answered, each time.
    pub answers: BTreeMap<u64, Vec<String>>,
}

impl Journal {
    /// Reads it, whoever is just writing to it.
    pub fn read(file: &Path) -> Journal {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let mut journal = Journal::default();
        for line in whole.lines() {
            let (kind, rest) = line.split_once(' ').expect("every line has a kind");
            match kind {
                "token" => journal.token = Some(rest.to_owned()),
                "half" => {
                    journal.halves += 1;
                    journal.asked.insert(rest.parse().expect("it is a number"));
                }
                "sent" => journal.sent += 1,
                _ => {
                    let (number, answer) = rest.split_once(' ').expect("an answer has a number");
                    let number = number.parse().expect("it is a number");
                    let answers = journal.answers.entry(number).or_default();
                    answers.push(answer.to_owned());
                }
            }
        }
        journal
    }
}

/// The class of a call is in its number.
pub fn method(number: u64) -> &'static str {
    match number % 3 {
        0 => "chaos.never",
        1 => "chaos.until_effect",
        _ => "chaos.always",
    }
}

/// The process: `ENDPOINT JOURNAL COUNT`, where the service is, and how many calls are to be answered in all.
pub fn run(arguments: impl Iterator<Item = std::ffi::OsString>) -> ExitCode {
    let [endpoint, journal, count]: [_; 3] = arguments
        .collect::<Vec<_>>()
        .try_into()
        .expect("ENDPOINT JOURNAL COUNT");
    let count = count.to_str().and_then(|count| count.parse().ok());
    let endpoint = endpoint
        .to_str()
        .and_then(|text| Endpoint::parse(text).ok());
    let endpoint = endpoint.expect("ENDPOINT is one");
    Client::begin(&endpoint, PathBuf::from(journal)).serve(count.expect("COUNT is a number"))
}

struct Client {
    client: RawClient,
    pen: Pen,
    /// Before this process began, or by now.
    answered: BTreeSet<u64>,
    open: BTreeSet<u64>,
    /// What others had asked before this one had the session, and what this one has asked. What both have asked is
    /// answered for the first, which was running, and if that crosses the second on its way, then once more.
    asked_before: BTreeSet<u64>,
    asked: BTreeSet<u64>,
    /// How often this process has heard an answer.
    heard: BTreeMap<u64, u32>,
}

impl Client {
    fn begin(endpoint: &Endpoint, journal: PathBuf) -> Client {
        let known = Journal::read(&journal);
        let mut client = Client {
            client: RawClient::connect(endpoint),
            answered: known.answers.keys().copied().collect(),
            open: BTreeSet::new(),
            asked_before: BTreeSet::new(),
            asked: BTreeSet::new(),
            heard: BTreeMap::new(),
            pen: Pen::new(&journal),
        };
        client.hello(known.token.as_deref());
        // Whoever had the session until then can ask no more.
        client.asked_before = Journal::read(&journal).asked;
        client.no_answer_is_doubled();
        client
    }

    /// Comes back to the session, or has a new one. What an earlier one had asked may be answered before this.
    fn hello(&mut self, known: Option<&str>) {
        let session = known.map_or(Value::Nil, Into::into);
        let arguments = map([("client", "mortal".into()), ("session", session)]);
        self.client.ask(HELLO, "standin.hello", arguments);
        loop {
            let Some(message) = self.client.message() else {
                // Another was quicker to take the session over.
                return;
            };
            match message[1].as_u64() {
                Some(HELLO) if known.is_none() => {
                    let token = token(&message[3]);
                    return self.pen.note(&format!("token {token}"));
                }
                Some(HELLO) => return,
                Some(_) => self.hear(&message),
                // What follows is the end.
                None => {}
            }
        }
    }

    /// Asks until so many calls are answered. What an earlier one has sent and has no answer to is sent again.
    fn serve(mut self, count: u64) -> ExitCode {
        let unanswered: Vec<u64> = (1..=count)
            .filter(|number| !self.answered.contains(number))
            .collect();
        let mut unanswered = unanswered.into_iter();
        loop {
            while self.open.len() < OPEN_MAX
                && let Some(number) = unanswered.next()
            {
                // What an earlier one had asked may be answered without being asked again.
                if !self.answered.contains(&number) {
                    self.send(number);
                }
            }
            if self.open.is_empty() {
                return ExitCode::SUCCESS;
            }
            // A connection that was replaced is told so, or just ends.
            let Some(message) = self.client.message() else {
                return ExitCode::from(MOVED);
            };
            if message[0].as_u64() != Some(1) {
                assert_eq!(message[1].as_str(), Some("session.moved"), "{message}");
                return ExitCode::from(MOVED);
            }
            self.hear(&message);
            self.no_answer_is_doubled();
        }
    }

    fn no_answer_is_doubled(&self) {
        let times = |asked: &BTreeSet<u64>, number| u32::from(asked.contains(number));
        for (number, heard) in &self.heard {
            let asked = times(&self.asked_before, number) + times(&self.asked, number);
            assert!(
                *heard <= asked,
                "{number} was asked {asked} times and answered {heard} times"
            );
        }
    }

    fn send(&mut self, number: u64) {
        let params = Value::Array(vec![work(number, 3)]);
        let request = Value::Array(vec![0.into(), number.into(), method(number).into(), params]);
        let mut bytes = Vec::new();
        write_value(&mut bytes, &request).expect("a Vec takes every byte");
        let (first, rest) = bytes.split_at(bytes.len() / 2);
        self.client.send_bytes(first);
        self.pen.note(&format!("half {number}"));
        clock::pause(HALF_MS);
        self.client.send_bytes(rest);
        self.pen.note(&format!("sent {number}"));
        self.open.insert(number);
        self.asked.insert(number);
    }

    fn hear(&mut self, message: &Value) {
        let number = message[1].as_u64().expect("an answer has a number");
        let answer = if message[2].is_nil() {
            format!("ok {}", message[3])
        } else {
            format!("error {}", message[2])
        };
        self.pen
            .note(&format!("answer {number} {}", answer.replace('\n', " ")));
        *self.heard.entry(number).or_default() += 1;
        self.open.remove(&number);
        self.answered.insert(number);
    }
}

/// The end of the journal. Each line is written at once, so that a kill leaves whole lines, and in turns, since not every
/// system appends to a file of several without loss.
struct Pen {
    journal: File,
    /// Whoever writes has locked this one; where locks are mandatory, nobody could read the journal.
    turn: PathBuf,
}

impl Pen {
    fn new(journal: &Path) -> Pen {
        let opened = File::options().append(true).create(true).open(journal);
        Pen {
            journal: opened.expect("the journal can be written to"),
            turn: journal.with_extension("turn"),
        }
    }

    fn note(&mut self, line: &str) {
        let line = format!("{line}\n");
        // It is unlocked when it is closed: asked to unlock it, Wine says that it is not locked.
        let turn = File::create(&self.turn).expect("there is room");
        turn.lock().expect("it can be locked");
        self.journal
            .write_all(line.as_bytes())
            .expect("there is room");
    }
}
