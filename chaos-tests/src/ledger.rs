//! The ledger: what workers really did, witnessed independently of what the service says. It is a folder with a file for
//! each process, since not every system appends to a file of several without loss. Each line is written at once, so
//! that a kill leaves whole lines.

use std::{collections::HashMap, fs::File, io::Write, path::Path};

use serde::{Deserialize, Serialize};

use crate::clock;

/// What a worker did with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// It began to work on it.
    Begun,
    /// It did what cannot be undone.
    Effect,
    /// It is about to answer.
    Answering,
}

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    pub at_ns: u64,
    pub pid: u32,
    /// When the process came to the ledger.
    pub born_ns: u64,
    /// The client's number for the request.
    pub id: u64,
    pub attempt: u64,
    pub step: Step,
}

/// The process that was the last to take that step with a request.
pub fn pid_of(entries: &HashMap<u64, Vec<Entry>>, id: u64, step: Step) -> Option<u32> {
    let of = entries.get(&id)?.iter().rev();
    of.filter(|entry| entry.step == step)
        .map(|entry| entry.pid)
        .next()
}

/// A process: its number, which the system may give again, and when it came to the ledger.
pub type Life = (u32, u64);

impl Entry {
    /// Who wrote it.
    pub fn life(&self) -> Life {
        (self.pid, self.born_ns)
    }
}

/// The file of this process in the ledger.
pub struct Ledger {
    file: File,
    born_ns: u64,
}

impl Ledger {
    /// # Panics
    /// There is no room for it.
    pub fn open(ledger: &Path) -> Ledger {
        let born_ns = clock::monotonic_ns();
        std::fs::create_dir_all(ledger).expect("the ledger can be made");
        let file = ledger.join(std::process::id().to_string());
        let opened = File::options().append(true).create(true).open(file);
        Ledger {
            file: opened.expect("the ledger can be opened"),
            born_ns,
        }
    }

    /// Appends a line.
    ///
    /// # Panics
    /// There is no room for it.
    pub fn note(&mut self, id: u64, attempt: u64, step: Step) {
        let entry = Entry {
            at_ns: clock::monotonic_ns(),
            pid: std::process::id(),
            born_ns: self.born_ns,
            id,
            attempt,
            step,
        };
        let mut line = serde_json::to_vec(&entry).expect("a line can be written");
        line.push(b'\n');
        let written = self.file.write_all(&line);
        written.expect("the ledger can be written to");
    }
}

/// All lines, by request, in the order in which they happened.
pub fn read(path: &Path) -> HashMap<u64, Vec<Entry>> {
    let mut entries: HashMap<u64, Vec<Entry>> = HashMap::new();
    for file in std::fs::read_dir(path).into_iter().flatten().flatten() {
        let text = std::fs::read_to_string(file.path()).expect("it can be read");
        // Somebody may just be writing the last one.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        for line in whole.lines() {
            let entry: Entry = serde_json::from_str(line).expect("every line is whole");
            entries.entry(entry.id).or_default().push(entry);
        }
    }
    for entries in entries.values_mut() {
        entries.sort_by_key(|entry| entry.at_ns);
    }
    entries
}
