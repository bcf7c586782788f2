//! A mail server that takes its time for each step, and remembers what it took.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use crate::clock;

/// The server. It serves as long as the program runs.
#[derive(Debug)]
pub struct SmtpSink {
    pub port: u16,
    taken: Arc<Mutex<HashMap<String, u32>>>,
}

impl SmtpSink {
    /// Starts a server on a port of its own that takes so long for each answer.
    pub fn start(step_ms: u64) -> SmtpSink {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let taken = Arc::new(Mutex::new(HashMap::new()));
        let of_server = Arc::clone(&taken);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let taken = Arc::clone(&of_server);
                // A client that is killed in the middle ends its conversation.
                std::thread::spawn(move || converse(stream, step_ms, &taken));
            }
        });
        SmtpSink { port, taken }
    }

    /// How often a mail of that subject was taken.
    pub fn taken(&self, subject: &str) -> u32 {
        let taken = self.taken.lock().expect("nobody panics while holding it");
        taken.get(subject).copied().unwrap_or(0)
    }
}

fn converse(stream: TcpStream, step_ms: u64, taken: &Mutex<HashMap<String, u32>>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let answer = |text: &str| {
        clock::pause(step_ms);
        let mut stream = &stream;
        stream.write_all(format!("{text}\r\n").as_bytes()).ok()
    };
    answer("220 sink")?;
    while let Some(Ok(line)) = lines.next() {
        let command = line.split([' ', ':']).next().unwrap_or_default();
        match command.to_ascii_uppercase().as_str() {
            "DATA" => {
                answer("354 go on")?;
                let mut subject = String::new();
                loop {
                    let line = lines.next()?.ok()?;
                    if line == "." {
                        break;
                    }
                    if let Some(text) = line.strip_prefix("Subject: ") {
                        text.clone_into(&mut subject);
                    }
                }
                // It is responsible from here on, whether its answer arrives or not.
                let mut taken = taken.lock().expect("nobody panics while holding it");
                *taken.entry(subject).or_default() += 1;
                drop(taken);
                answer("250 taken")?;
            }
            "QUIT" => return answer("221 bye"),
            _ => answer("250 fine")?,
        }
    }
    None
}
