//! Writes to the store as the benchmark makes them: the store itself is nobody else's business.

use std::{
    path::Path,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{Durability, Fingerprint, KeyName, RecordName, Store, Write};
use crate::clock;

/// How long each write of some callers took, each of whom hands in the next when the last is kept. They write to a
/// store of their own in `folder`, for so long: answers of `size` bytes to calls with a key. `for_power`: flushed.
///
/// # Panics
/// The folder cannot be used.
#[must_use]
pub fn writes(
    folder: &Path,
    callers: usize,
    for_power: bool,
    size: usize,
    duration: Duration,
) -> Vec<Duration> {
    let store = Store::open(folder, |_| "measured".to_owned(), "measured");
    let store = store.expect("the folder can be used");
    let durability = match for_power {
        true => Durability::Power,
        false => Durability::Process,
    };
    let until = clock::now() + duration;
    let caller = |caller| {
        let handle = store.handle();
        move || {
            let mut took = Vec::new();
            let (tell, told) = mpsc::channel();
            for number in 0_u64.. {
                let start: Instant = clock::now();
                if start >= until {
                    break;
                }
                let tell = tell.clone();
                let write = completion(caller, number, size);
                handle.write(write, durability, move |result| {
                    let _ = tell.send(result);
                });
                let result = told.recv().expect("each write is answered");
                result.expect("there is room");
                took.push(start.elapsed());
            }
            took
        }
    };
    let took = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..callers).map(|it| scope.spawn(caller(it))).collect();
        let took = threads.into_iter();
        took.flat_map(|it| it.join().expect("it does not panic"))
            .collect()
    });
    store.close();
    took
}

fn completion(caller: usize, number: u64, size: usize) -> Write {
    let key = KeyName {
        user: "1000".to_owned(),
        method: Bytes::from_static(b"mail.send"),
        key: Bytes::from(format!("{caller}-{number}")),
    };
    Write::Completion {
        name: RecordName::Key(Arc::new(key)),
        fingerprint: Fingerprint::of(b"mail.send", &number.to_le_bytes()),
        result: Ok(Bytes::from(vec![7; size])),
    }
}
