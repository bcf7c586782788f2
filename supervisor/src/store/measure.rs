//! Writes to the store as the benchmark makes them: the store itself is nobody else's business.

use std::{
    path::Path,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{Durability, Fingerprint, KeyName, RecordName, Store, StoreHandle, Write};
use crate::clock;

/// Some who write, each of whom hands in the next write when the last is kept: answers to calls with a key.
#[derive(Debug, Clone, Copy)]
pub struct Writers {
    /// How many they are.
    pub callers: usize,
    /// Flushed.
    pub for_power: bool,
    /// Bytes of an answer.
    pub size: usize,
}

/// How long each write took, of each of the groups that write side by side to a store of their own in `folder`, for so
/// long.
///
/// # Panics
/// The folder cannot be used.
#[must_use]
pub fn writes(folder: &Path, groups: &[Writers], duration: Duration) -> Vec<Vec<Duration>> {
    let store = Store::open(folder, |_| "measured".to_owned(), "measured");
    let store = store.expect("the folder can be used");
    let until = clock::now() + duration;
    let took = std::thread::scope(|scope| {
        let mut groups_of_threads = Vec::new();
        for (number, group) in groups.iter().enumerate() {
            let start = |caller| {
                let (handle, name) = (store.handle(), format!("{number}-{caller}"));
                scope.spawn(move || write_until(&handle, *group, &name, until))
            };
            groups_of_threads.push((0..group.callers).map(start).collect::<Vec<_>>());
        }
        let groups = groups_of_threads.into_iter();
        let took = groups.map(|threads| {
            let took = threads.into_iter();
            took.flat_map(|it| it.join().expect("it does not panic"))
                .collect()
        });
        took.collect()
    });
    store.close();
    took
}

fn write_until(store: &StoreHandle, what: Writers, name: &str, until: Instant) -> Vec<Duration> {
    let durability = match what.for_power {
        true => Durability::Power,
        false => Durability::Process,
    };
    let mut took = Vec::new();
    let (tell, told) = mpsc::channel();
    for number in 0_u64.. {
        let start: Instant = clock::now();
        if start >= until {
            break;
        }
        let tell = tell.clone();
        let write = completion(&format!("{name}-{number}"), what.size);
        store.write(write, durability, move |result| {
            let _ = tell.send(result);
        });
        let result = told.recv().expect("each write is answered");
        result.expect("there is room");
        took.push(start.elapsed());
    }
    took
}

fn completion(key: &str, size: usize) -> Write {
    let name = KeyName {
        user: "1000".to_owned(),
        method: Bytes::from_static(b"mail.send"),
        key: Bytes::copy_from_slice(key.as_bytes()),
    };
    Write::Completion {
        name: RecordName::Key(Arc::new(name)),
        fingerprint: Fingerprint::of(b"mail.send", key.as_bytes()),
        result: Ok(Bytes::from(vec![7; size])),
    }
}
